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
