// RUN: moe-opt %s --split-input-file --verify-diagnostics --one-shot-bufferize="bufferize-function-boundaries"

// A destination whose old rows are read after the wait is refused: what a wait
// returns lies where its start began to write. A blocking collective copies.

comm.mesh @mesh <["ep"=3]>
func.func @destination_read_after_wait(%a: tensor<9x5xf32>, %s: tensor<4xi32>, %r: tensor<4xi32>, %space: tensor<9x5xf32>, %i: index) -> (tensor<9x5xf32>, f32) {
  // expected-error @below {{cannot avoid RaW conflict}}
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  %old = tensor.extract %space[%i, %i] : tensor<9x5xf32>
  return %w, %old : tensor<9x5xf32>, f32
}

// -----

comm.mesh @mesh <["ep"=3]>
func.func @destination_kept_by_branch(%a: tensor<9x5xf32>, %s: tensor<4xi32>, %r: tensor<4xi32>, %space: tensor<9x5xf32>, %v: f32, %c: i1) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  // expected-error @below {{cannot avoid RaW conflict}}
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = scf.if %c -> tensor<9x5xf32> {
    %f = linalg.fill ins(%v : f32) outs(%space : tensor<9x5xf32>) -> tensor<9x5xf32>
    scf.yield %f : tensor<9x5xf32>
  } else {
    scf.yield %space : tensor<9x5xf32>
  }
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, tensor<9x5xf32>
}
