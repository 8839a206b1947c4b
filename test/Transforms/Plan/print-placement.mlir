// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=dp=2,ep=4" --moe-print-placement | FileCheck %s --match-full-lines --strict-whitespace --implicit-check-not=module
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=dp=2,ep=4" --moe-print-placement="format=json output=-" | %python -c "import json, sys; print([row['experts'] for row in json.load(sys.stdin)['tables'][0]['rows']])" | FileCheck %s --check-prefix=JSON
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=dp=2,ep=4" --moe-print-placement="output=%t.txt" | FileCheck %s --check-prefix=MODULE
// RUN: FileCheck %s --input-file=%t.txt --check-prefix=FILE
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=dp=2,ep=4" --moe-print-placement="output=-" -o %t.mlir | FileCheck %s --check-prefix=FILE
// RUN: FileCheck %s --input-file=%t.mlir --check-prefix=MODULE
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=ep=4" --moe-print-placement="format=xml" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4" --moe-print-placement 2>&1 | FileCheck %s --check-prefix=UNPLACED

// A policy is a note, and is not believed when the slots say otherwise.
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=ep=3" -o %t.planned.mlir
// RUN: sed 's/slots .*policy/slots [[0, 1], [2, 4], [3, 5]] policy/' %t.planned.mlir | moe-opt --moe-print-placement | FileCheck %s --check-prefix=EDITED
// RUN: sed 's/ policy "contiguous"//' %t.planned.mlir | moe-opt --moe-print-placement | FileCheck %s --check-prefix=BY-HAND
// RUN: sed 's/policy "contiguous"/policy "joint"/' %t.planned.mlir | moe-opt --moe-print-placement | FileCheck %s --check-prefix=WRITTEN
// EDITED: layers 0-1: edited, once contiguous
// BY-HAND: layers 0-1: by hand
// WRITTEN: layers 0-1: joint, as written

//      CHECK:placement
//      CHECK:layers 0-1: contiguous
// CHECK-NEXT:  rank    load  load / mean  slots  experts
// CHECK-NEXT:     0  33.3 %        1.333      2  0-1
// CHECK-NEXT:     1  33.3 %        1.333      2  2-3
// CHECK-NEXT:     2  16.7 %        0.667      1  4
// CHECK-NEXT:     3  16.7 %        0.667      1  5
// CHECK-NEXT:  note: 6 experts in 6 slots over 4 ranks, 2 slots in each rank's code; largest load 1.333 of the mean
// CHECK-NEXT:  note: no loads given: every expert is assumed to get the same load
//      CHECK:layers 0-1: how good it is
//      CHECK:  largest load over the mean     1.333
// CHECK-NEXT:  no placement is below          1.333
// CHECK-NEXT:  gap                            0.0 %
//      CHECK:  time of a step                 -
//      CHECK:memory of a device of each rank
// CHECK-NEXT:  rank   experts  replicas  dense weights  exchange buffers  cache       sum  usable  to spare
// CHECK-NEXT:     0  4.50 KiB       0 B          384 B          3.50 KiB    0 B  8.38 KiB       -         -
//      CHECK:  note: the memory of a device is not known: the topology names no GPU that is; memory-gib says it
//      CHECK:  note: mesh dp=2,ep=4, up to 96 tokens
//      CHECK:  note: topology none given, one uniform tier of defaults: default: 8 x 370.8 GB/s 3.4 us

// JSON: {{\[\[}}0, 1], [2, 3], [4], [5]]
// FILE: layers 0-1: contiguous
// MODULE-NOT: layers 0-1
// MODULE: module attributes
// FORMAT: error: expected a format of text, json, html, dot or svg, but got 'xml'
// UNPLACED: error: 'moe.experts' op expected axes and a placement; run moe-choose-mesh-mapping and moe-choose-placement
