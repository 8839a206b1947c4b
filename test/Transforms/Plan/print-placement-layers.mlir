// Of differing layers text has a line for each, and those of the largest loads
// in full; of many ranks those that have most to do. JSON has everything.
// RUN: moe-translate --import-hf-config %inputs/models/full/Mixtral-8x7B.json --layers=6 --tokens=4096 -o %t.model.mlir
// RUN: %python -c "import json; print(json.dumps({'loads': [[1 + (e == 3) * layer for e in range(8)] for layer in range(6)]}))" > %t.loads.json
// RUN: moe-opt %t.model.mlir --moe-plan-pipeline="mesh=ep=8 loads=%t.loads.json" -o %t.mlir
// RUN: moe-opt %t.mlir --moe-print-placement="output=-" | FileCheck %s
// RUN: moe-opt %t.mlir --moe-print-placement="output=- all=true" | FileCheck %s --check-prefix=ALL
// RUN: moe-opt %t.mlir --moe-print-placement="output=- format=json" | %python -c "import json, sys; tables = json.load(sys.stdin)['tables']; print(sorted({t['name'] for t in tables}), [t['about']['layers'] for t in tables if t['name'] == 'placement'])" | FileCheck %s --check-prefix=JSON

// CHECK: layers
// CHECK-NEXT: layers placement load / mean none is below gap time of a step none takes less slowest link
// CHECK-NEXT: layer 0 contiguous 1.000 1.000 0.0 % - - -
// CHECK-NEXT: layer 1 contiguous 1.778 1.778 0.0 % - - -
// CHECK: layer 5 contiguous 3.692 3.692 0.0 % - - -
// CHECK-NOT: layer {{[01]}}: contiguous
// CHECK: layer 2: contiguous
// CHECK: layer 3: contiguous
// CHECK: layer 4: contiguous
// CHECK: layer 5: contiguous
// CHECK: note: 4 of 6 differing layers are shown in full, those of the largest loads; all=true shows all

// ALL: layer 5 contiguous
// ALL: layer 0: contiguous
// ALL: layer 1: contiguous
// ALL-NOT: differing layers

// JSON: ['bounds', 'memory', 'placement'] {{\[\[}}0], [1], [2], [3], [4], [5]]
