// Which replica serves whom, and how good the placement is.
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=ep=8 topology=%inputs/Topology/2-nodes-of-4.mlir loads=%inputs/Loads/2-layers.json placement=joint replicas=4" -o %t.mlir
// RUN: moe-opt %t.mlir --moe-print-placement="output=-" | FileCheck %s

// The rows of an expert are its whole table.
// RUN: moe-opt %t.mlir --moe-print-placement="format=json output=-" | %python -c "import collections, json, sys; served = collections.Counter((row['expert'], source, c) for table in json.load(sys.stdin)['tables'] if table['name'] == 'replicas' and table['about']['layers'] == [0] for row in table['rows'] for source in row['sources'] for c in row['token_classes']); print(len(served) // 512, len(served) % 512, set(served.values()))" | FileCheck %s --check-prefix=TABLE
// TABLE: {{^[1-9]}} 0 {1}

// CHECK: layer 0: joint, as written
// CHECK: layer 0: which replica serves whom
// CHECK-NEXT: expert slot on rank of 64 tokens from ranks
// CHECK-NEXT: {{^ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]}}
// CHECK: layer 0: how good it is
// CHECK: largest load over the mean {{[0-9.]+}}
// CHECK: no placement is below {{[0-9.]+}}
// CHECK: because of {{.*}}
// CHECK: time of a step {{[0-9.]+}} us
// CHECK: slowest link {{.*}}of device{{.*}}
// CHECK: no placement takes less than {{[0-9.]+}} us

// Of very many ranks only loads are measured.
// RUN: echo 'comm.topology @cluster tiers [ib: 75 x 50.0 GB/s 5.0 us, nvlink: 8 x 370.8 GB/s 1.5 us]' > %t.topology.mlir
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=ep=600 topology=%t.topology.mlir" --moe-print-placement="output=-" | FileCheck %s --check-prefix=MANY
// MANY: largest load over the mean 100.000
// MANY: time of a step -
// MANY: note: times of more than 512 ranks are not worked out here
// MANY: note: the 16 fullest of 600 ranks
