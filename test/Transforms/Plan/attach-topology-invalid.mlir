// RUN: split-file %s %t
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="topology=%t/missing.mlir" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="topology=%t/syntax.mlir" 2>&1 | FileCheck %s --check-prefix=SYNTAX
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="topology=%t/none.mlir" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="topology=%t/two.mlir" 2>&1 | FileCheck %s --check-prefix=TWO
// RUN: not moe-opt %t/none.mlir --moe-plan-pipeline="mesh=ep=2 topology=%t/zero.mlir" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not moe-opt %t/other.mlir --moe-attach-topology="topology=%inputs/Topology/2-nodes-of-4.mlir" 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/missing.json" 2>&1 | FileCheck %s --check-prefix=LOADS
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/experts.json" 2>&1 | FileCheck %s --check-prefix=EXPERTS
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-attach-topology="loads=%t/truncated.json" 2>&1 | FileCheck %s --check-prefix=TRUNCATED
// RUN: not moe-opt %t/other.mlir --moe-attach-topology="loads=%inputs/Loads/2-layers.json" 2>&1 | FileCheck %s --check-prefix=LAYERS

// MISSING: {{^}}{{.*}}missing.mlir: error: topology: No such file or directory
// SYNTAX: syntax.mlir:2:48: error: expected floating point literal
// NONE: none.mlir:1:1: error: expected a comm.topology in this file
// TWO: two.mlir:2:1: error: 'comm.topology' op expected one topology, but got another
// TWO: two.mlir:1:1: note: the first is here
// ZERO: zero.mlir:1:25: error: custom op 'comm.topology' expected tier 'ib' to have a positive bandwidth, but got 0
// OTHER: other.mlir:1:1: error: 'comm.topology' op expected the topology of '{{.*}}', but the module has another
// OTHER: 2-nodes-of-4.mlir:2:1: note: the file's topology
// LOADS: {{^}}{{.*}}missing.json: error: loads: No such file or directory
// EXPERTS: {{^}}{{.*}}experts.json: error: loads: layer 0: expected loads of 6 experts, but got 3
// TRUNCATED: {{^}}{{.*}}truncated.json:2:3: error: loads: expected a number, but got 'x'
// LAYERS: {{^}}{{.*}}2-layers.json: error: loads: expected those of some MoE layer of the model, but got none of them

//--- syntax.mlir

comm.topology @cluster tiers [ib: 2 x 50.0 GB/s, nvlink]
//--- none.mlir
module attributes {moe.max_tokens = 8 : i64} {}
//--- two.mlir
comm.topology @a tiers [ib: 2 x 50.0 GB/s 5.0 us]
comm.topology @b tiers [ib: 2 x 50.0 GB/s 5.0 us]
//--- zero.mlir
comm.topology @a tiers [ib: 2 x 0.0 GB/s 5.0 us]
//--- other.mlir
comm.topology @a tiers [ib: 2 x 50.0 GB/s 5.0 us]
//--- experts.json
[[1, 2, 3], [4, 5, 6]]
//--- truncated.json
[[1, 2, 3,
  x
