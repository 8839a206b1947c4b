// RUN: moe-opt %s --split-input-file --verify-diagnostics --convert-comm-to-runtime

comm.mesh @mesh <["ep"=3]>
func.func @strided(%a: memref<6x5xf32, strided<[8, 1]>>, %b: memref<6x5xf32>) {
  // expected-error @below {{expected contiguous buffers, but got 'memref<6x5xf32, strided<[8, 1]>>'}}
  comm.all_to_all %a into %b over {"ep"} of @mesh : (memref<6x5xf32, strided<[8, 1]>>, memref<6x5xf32>) -> ()
  return
}

// -----

comm.mesh @mesh <["ep"=3]>
func.func @reduced_type(%a: memref<6xf64>, %b: memref<6xf64>) {
  // expected-error @below {{cannot reduce 'f64'}}
  comm.all_reduce sum %a into %b over {"ep"} of @mesh : (memref<6xf64>, memref<6xf64>) -> ()
  return
}

// -----

comm.mesh @mesh <["ep"=3]>
func.func @started_reduction(%a: memref<6xf32>, %b: memref<6xf32>) {
  // expected-error @below {{cannot lower a reduction that is started}}
  %t = comm.start all_reduce with sum %a into %b over {"ep"} of @mesh : (memref<6xf32>, memref<6xf32>) -> !comm.pending
  comm.wait %t reads %a into %b : (!comm.pending, memref<6xf32>, memref<6xf32>) -> ()
  return
}

// -----

func.func @not_lowered(%z: memref<4x7xf32>, %s: memref<4x7xf32>) {
  // expected-error @below {{cannot lower 'moe.score' to the runtime}}
  moe.score softmax %z into %s : (memref<4x7xf32>, memref<4x7xf32>) -> ()
  return
}

// -----

// expected-error @below {{expected tensors and numbers for 'hosted', a function of the host, but got '!moe.weights<5x11x9xf32>' as argument 1}}
func.func private @hosted(memref<7x11xf32>, !moe.weights<5x11x9xf32>)
