// Pages for people: figures and tables, and nothing that is loaded.
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=ep=8 topology=%inputs/Topology/2-nodes-of-4.mlir loads=%inputs/Loads/2-layers.json placement=joint replicas=2" --moe-print-placement="format=html output=%t.html" -o /dev/null
// RUN: FileCheck %s --input-file=%t.html --implicit-check-not=http: --implicit-check-not=https: --implicit-check-not=src=
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=dp=2,ep=4 topology=%inputs/Topology/2-nodes-of-4.mlir" --moe-print-traffic="format=html" | FileCheck %s --check-prefix=TRAFFIC --implicit-check-not=http: --implicit-check-not=https: --implicit-check-not=src=
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=ep=4" --moe-print-placement=format=html 2>&1 | FileCheck %s --check-prefix=UNPLACED

// CHECK: <h1>placement of the model</h1>
// CHECK: <h2>layer 0: load of the devices, heaviest first</h2>
// CHECK: heaviest device is below 1.{{[0-9]+}} of the mean
// CHECK: <svg
// CHECK: <h2>bytes by link</h2>
// CHECK: <h2>bytes from device to device</h2>
// CHECK: <h2>layer 0: which device serves which expert</h2>
// CHECK: <h2>why each expert is where it is</h2>
// CHECK: <h2>constants of the cost model</h2>

// TRAFFIC: <h1>traffic</h1>
// TRAFFIC: <h2>bytes by link</h2>
// TRAFFIC: <svg
// TRAFFIC: <h2>bytes from device to device</h2>
// TRAFFIC: <h2>time of a step along the axes</h2>
// TRAFFIC: layers 0-1: flat exact

// UNPLACED: error: 'moe.experts' op expected axes and a placement
