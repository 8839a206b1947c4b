// Loads that are known by source rank, from arrays and from traces of tokens.
// RUN: rm -rf %t && split-file %s %t
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/sources.json" | FileCheck %s --check-prefix=SOURCES
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/trace.json trace-ranks=2" | FileCheck %s --check-prefix=TRACE
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/trace.json" | FileCheck %s --check-prefix=TOGETHER
// RUN: %python -c "import json, numpy; numpy.save('%t/sources.npy', numpy.array(json.load(open('%t/sources.json')), dtype='float32'))"
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/sources.npy" | FileCheck %s --check-prefix=SOURCES
// RUN: %python -c "import json, numpy; numpy.save('%t/trace.npy', numpy.array(json.load(open('%t/trace.json'))['trace'], dtype='int32'))"
// RUN: moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/trace.npy loads-content=trace trace-ranks=2" | FileCheck %s --check-prefix=TRACE
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/trace.json trace-ranks=0" 2>&1 | FileCheck %s --check-prefix=RANKS
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/trace.json loads-content=tokens" 2>&1 | FileCheck %s --check-prefix=CONTENT
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-plan-pipeline="mesh=ep=4 loads=%t/sources.json" 2>&1 | FileCheck %s --check-prefix=MESH

// SOURCES: moe.loads = {"0" = [array<f64: 2.500000e-01, 0.000000e+00, 0.000000e+00, 2.500000e-01, 0.000000e+00, 0.000000e+00>, array<f64: 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 5.000000e-01>], "1" = [

// Tokens 0 and 1 are of rank 0, token 2 is of rank 1.
// TRACE: moe.loads = {"0" = [array<f64: 0.1666{{[0-9]*}}, 0.1666{{[0-9]*}}, 0.1666{{[0-9]*}}, 0.1666{{[0-9]*}}, 0.000000e+00, 0.000000e+00>, array<f64: 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00, 0.1666{{[0-9]*}}, 0.1666{{[0-9]*}}>], "1" =
// TOGETHER: moe.loads = {"0" = array<f64: 0.16

// RANKS: error: expected 1 to 1048576 trace ranks, but got 0
// CONTENT: error: expected contents of loads or trace, but got 'tokens'
// MESH: error: 'moe.use_placement' op layer 0: expected loads of 4 source ranks, but got 2

//--- sources.json
[[[1, 0, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1]],
 [[0, 0, 0, 0, 0, 2], [1, 1, 1, 1, 1, 1]]]
//--- trace.json
{"trace": [[[0, 1], [2, 3]], [[2, 3], [0, 5]], [[4, 5], [1, 2]]]}
