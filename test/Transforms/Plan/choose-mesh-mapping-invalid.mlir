// RUN: split-file %s %t
// RUN: not moe-opt %t/topology.mlir --moe-choose-mesh-mapping="mesh=dp=2,ep=3" 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not moe-opt %t/topology.mlir --moe-choose-mesh-mapping 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not moe-opt %t/topology.mlir --moe-choose-mesh-mapping="mesh=dp=x" 2>&1 | FileCheck %s --check-prefix=SYNTAX
// RUN: not moe-opt %t/mesh.mlir --moe-choose-mesh-mapping="mesh=ep=4,dp=2" 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: not moe-opt %t/mesh.mlir --moe-choose-mesh-mapping="token-axes=dp,tp" 2>&1 | FileCheck %s --check-prefix=ROLE
// RUN: not moe-opt %t/mesh.mlir --moe-choose-mesh-mapping="expert-tensor-axes=dp" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not moe-opt %t/meshes.mlir --moe-choose-mesh-mapping 2>&1 | FileCheck %s --check-prefix=MESHES
// RUN: not moe-opt %t/tokens.mlir --moe-choose-mesh-mapping="mesh=ep=2" 2>&1 | FileCheck %s --check-prefix=TOKENS
// RUN: not moe-opt %inputs/mixtral-2-layers.mlir --moe-choose-mesh-mapping="mesh=etp=5" 2>&1 | FileCheck %s --check-prefix=COLUMNS

// COLUMNS: error: 'moe.use_weight' op expected columns that the 5 ranks of the expert tensor axes divide, but got 12
// COUNT: {{^}}error: option 'mesh': expected a mesh of 8 devices, but got dp=2 x ep=3 = 6
// ABSENT: error: expected a mesh: the module has no comm.mesh, and the option 'mesh' (such as mesh=dp=2,ep=4) is not given
// SYNTAX: {{^}}error: option 'mesh':
// OTHER: error: 'comm.mesh' op expected the mesh of the option, ep=4,dp=2, but the module has dp=2,ep=4
// ROLE: {{^}}error: token-axes: mesh dp=2,ep=4 has no axis 'tp'
// TWICE: {{^}}error: expected mesh axis 'dp' in one of token-axes and expert-tensor-axes, but got it in both; token-axes without it can be given
// MESHES: error: 'comm.mesh' op expected one mesh, but got another
// MESHES: note: the first is here
// TOKENS: error: expected 'moe.max_tokens' on a module whose number of tokens is dynamic

//--- topology.mlir
module attributes {moe.max_tokens = 8 : i64} {
  comm.topology @cluster tiers [ib: 2 x 50.0 GB/s 5.0 us, nvlink: 4 x 370.8 GB/s 1.5 us]
}
//--- mesh.mlir
module attributes {moe.max_tokens = 8 : i64} {
  comm.mesh @mesh <["dp"=2, "ep"=4]>
}
//--- meshes.mlir
comm.mesh @mesh <["dp"=2, "ep"=4]>
comm.mesh @other <["ep"=2]>
//--- tokens.mlir
func.func @f(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  return %x : tensor<?x4xf32>
}
