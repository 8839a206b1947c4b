// What each rank's memory holds, and whether it fits.
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=ep=3" | sed 's/slots .*policy/slots [[0, 1, 2], [2, 3], [4, 5]] policy/' > %t.mlir
// RUN: moe-opt %t.mlir --moe-print-placement="output=- memory-gib=0.00001" | FileCheck %s
// RUN: moe-opt %t.mlir --moe-print-placement="output=- memory-gib=1 sequences=4 context=100" | FileCheck %s --check-prefix=FITS
// RUN: not moe-opt %t.mlir --moe-print-placement="sequences=-1" 2>&1 | FileCheck %s --check-prefix=NEGATIVE

// Two of six experts and a replica in each of two layers, 1152 bytes each; 64
// rows sent and 80 received, of 32 bytes either way.
// CHECK: rank experts replicas dense weights exchange buffers cache sum usable to spare
// CHECK-NEXT: 0 4.50 KiB 2.25 KiB 384 B 9.00 KiB 0 B 16.1{{[23]}} KiB 10.49 KiB -5.64 KiB
// CHECK-NEXT: 1 4.50 KiB 0 B 384 B 7.00 KiB 0 B 11.8{{[78]}} KiB 10.49 KiB -1.39 KiB
// CHECK: note: usable: memory-gib
// CHECK: note: it does not fit: rank 0, the fullest, needs 16.1{{[23]}} KiB of 10.49 KiB, 5.64 KiB too much; the fewest ranks that would do, without replicas and at even loads: 5
// CHECK: note: resident against active: the experts of all layers are 13.50 KiB; a token uses 4.50 KiB of them
// CHECK: note: no cache is counted
// FITS: note: it fits: rank 0, the fullest, has 1023.98 MiB to spare
// FITS: note: cache: 4 sequences of 100 tokens over all devices
// NEGATIVE: error: expected memory, sequences and a context of at least 0

// What is known of the topology's GPUs limits too: a warning, since nobody said so.
// RUN: moe-translate --import-hf-config %inputs/models/full/DeepSeek-V3.json --tokens=8192 -o %t.model.mlir
// RUN: moe-opt %t.model.mlir --moe-plan-pipeline="mesh=ep=8 topology=%inputs/topo/xml/azure_ndv4-topo.xml gpu=A100" -o %t.planned.mlir 2>&1 | FileCheck %s --check-prefix=WARNING
// RUN: moe-opt %t.planned.mlir --moe-print-placement="output=- sequences=64 context=4096" | FileCheck %s --check-prefix=GPU
// WARNING: warning: memory: it does not fit: rank 0, the fullest, needs 181.12 GiB of 72.00 GiB, 109.12 GiB too much; the fewest ranks that would do, without replicas and at even loads: 29 (usable: 0.9 of the 80 GiB of A100, by its data sheet)
// GPU: 0 {{.*}} 72.00 GiB -{{.*}}
// GPU: note: usable: 0.9 of the 80 GiB of A100, by its data sheet
// GPU: note: cache: 64 sequences of 4096 tokens over all devices
// GPU: note: the checkpoint's are smaller (fp8 e4m3 128x128)
