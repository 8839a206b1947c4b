// RUN: moe-opt %s --split-input-file --verify-diagnostics

// moe.select C1
func.func @select_dynamic_experts(%s: tensor<?x?xf32>) {
  // expected-error@+1 {{expected a static number of columns, but got 'tensor<?x?xf32>'}}
  %e, %w = moe.select top_k 2 %s : (tensor<?x?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}
// -----

// moe.select C2
func.func @select_experts_of_floats(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected result 0 to be [?, 2] of 'i32', but got 'tensor<?x2xf32>'}}
  %e, %w = moe.select top_k 2 %s : (tensor<?x8xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>)
  return
}
// -----

// moe.select C3
func.func @select_more_than_kept_mask_zero(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected 4 experts to fit into the kept groups, but 1 groups of 2 hold 2}}
  %e, %w = moe.select top_k 4 %s limit <groups = 4, keep = 1, score = max, mask = zero> : (tensor<?x8xf32>) -> (tensor<?x4xi32>, tensor<?x4xf32>)
  return
}
// -----

// moe.select C5
func.func @select_bias_short(%s: tensor<?x32xf32>, %b: tensor<8xf32>) {
  // expected-error@+1 {{expected bias to be [32], but got 'tensor<8xf32>'}}
  %e, %w = moe.select top_k 2 %s biased by %b : (tensor<?x32xf32>, tensor<8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}
// -----

// moe.select C5
func.func @select_bias_by_token(%s: tensor<?x8xf32>, %b: tensor<?x8xf32>) {
  // expected-error@+1 {{operand #1 must be 1D tensor}}
  %e, %w = moe.select top_k 2 %s biased by %b : (tensor<?x8xf32>, tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}
// -----

// moe.select C5
func.func @select_bias_integer(%s: tensor<?x8xf32>, %b: tensor<8xi32>) {
  // expected-error@+1 {{operand #1 must be 1D tensor}}
  %e, %w = moe.select top_k 2 %s biased by %b : (tensor<?x8xf32>, tensor<8xi32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}
// -----

// moe.select C5
func.func @select_bias_unranked(%s: tensor<?x8xf32>, %b: tensor<*xf32>) {
  // expected-error@+1 {{operand #1 must be 1D tensor}}
  %e, %w = moe.select top_k 2 %s biased by %b : (tensor<?x8xf32>, tensor<*xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}
// -----

// moe.select C5
func.func @select_noise_narrow(%s: tensor<?x8xf32>, %n: tensor<?x7xf32>) {
  // expected-error@+1 {{expected noise to be [?, 8], but got 'tensor<?x7xf32>'}}
  %e, %w = moe.select top_k 2 %s noised by %n : (tensor<?x8xf32>, tensor<?x7xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}
// -----

// moe.select C5
func.func @select_random_of_other_tokens(%s: tensor<6x8xf32>, %r: tensor<5xf32>) {
  // expected-error@+1 {{expected random to be [6], but got 'tensor<5xf32>'}}
  %e, %w = moe.select top_k 2 %s second random random %r : (tensor<6x8xf32>, tensor<5xf32>) -> (tensor<6x2xi32>, tensor<6x2xf32>)
  return
}
// -----

// moe.select C5
func.func @select_random_by_choice(%s: memref<?x8xf32>, %r: memref<?x2xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>) {
  // expected-error@+1 {{operand #1 must be 1D tensor}}
  moe.select top_k 2 %s second random random %r into %e, %w : (memref<?x8xf32>, memref<?x2xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  return
}
// -----

// moe.score C1
func.func @score_integers(%z: tensor<5x8xf32>) {
  // expected-error@+1 {{expected result 0 to be [5, 8] of f32, bf16 or f16, but got 'tensor<5x8xi32>'}}
  %s = moe.score softmax %z : (tensor<5x8xf32>) -> tensor<5x8xi32>
  return
}
// -----

// moe.score C1
func.func @score_dynamic_experts(%z: tensor<5x?xf32>) {
  // expected-error@+1 {{expected a static number of columns, but got 'tensor<5x?xf32>'}}
  %s = moe.score softmax %z : (tensor<5x?xf32>) -> tensor<5x?xf32>
  return
}
// -----

// moe.select_masked_pair C2
func.func @select_masked_pair_negative_jitter(%z: tensor<?x8xf32>) {
  // expected-error@+1 {{expected a jitter that is finite and not negative, but got -1.0}}
  %e, %w = moe.select_masked_pair %z jitter -1.0 : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}
// -----

// The interface of all operations with a buffer form.
func.func @score_tensor_into_buffer(%z: tensor<5x8xf32>, %s: memref<5x8xf32>) {
  // expected-error@+1 {{expected tensors or buffers, but got both}}
  moe.score softmax %z into %s : (tensor<5x8xf32>, memref<5x8xf32>) -> ()
  return
}
// -----

func.func @score_buffer_as_tensor(%z: memref<5x8xf32>) {
  // expected-error@+1 {{expected tensors or buffers, but got both}}
  %s = moe.score softmax %z : (memref<5x8xf32>) -> tensor<5x8xf32>
  return
}
