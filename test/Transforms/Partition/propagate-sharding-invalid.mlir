// RUN: moe-opt %s --split-input-file --verify-diagnostics --comm-propagate-sharding

// expected-error @below {{expected a comm.mesh before partitioning; run the planning passes}}
module {}

// -----

comm.mesh @mesh <["ep"=4]>
func.func @no_rule(%x: tensor<?x3xf32>, %i: index) -> f32 {
  // expected-error @below {{cannot partition 'tensor.extract': it has no sharding rule}}
  %0 = tensor.extract %x[%i, %i] : tensor<?x3xf32>
  return %0 : f32
}

// -----

comm.mesh @mesh <["ep"=4]>
func.func private @callee(tensor<?x3xf32>) -> tensor<?x3xf32> attributes {comm.sharding_rule = [[0, -1], [0, -1]]}
func.func @no_rule_inside(%x: tensor<?x3xf32>, %c: i1) {
  // expected-error @below {{cannot partition 'scf.if': it has no sharding rule}}
  scf.if %c {
    %0 = func.call @callee(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  }
  return
}

// -----

comm.mesh @mesh <["ep"=4]>
// expected-note @below {{declared here}}
func.func private @opaque(tensor<?x3xf32>) -> tensor<?x3xf32>
func.func @declared_without_rule(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  // expected-error @below {{expected function 'opaque' to be defined or to have 'comm.sharding_rule' for its 2 values}}
  %0 = call @opaque(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// -----

comm.mesh @mesh <["ep"=4]>
comm.mesh @other <["ep"=8]>
// expected-error @below {{expected shardings over mesh 'mesh', but got #comm.sharding<@other, [{"ep"}, {}]>}}
func.func @other_mesh(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@other, [{"ep"}, {}]>}) {
  return
}
