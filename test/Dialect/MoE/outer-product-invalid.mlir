// RUN: moe-opt %s --split-input-file --verify-diagnostics

// moe.grouped_outer_product C1
func.func @outer_product_swapped(%a: tensor<?x6xf32>, %b: tensor<?x4xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected result 0 to be [?, 6, 4] of 'f32', but got 'tensor<5x4x6xf32>'}}
  %w = moe.grouped_outer_product %a with %b at %o : (tensor<?x6xf32>, tensor<?x4xf32>, tensor<?xi32>) -> tensor<5x4x6xf32>
  return
}

// -----

// moe.grouped_outer_product C2
func.func @outer_product_other_rows(%a: tensor<7x6xf32>, %b: tensor<8x4xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected right to be [7, ?], but got 'tensor<8x4xf32>'}}
  %w = moe.grouped_outer_product %a with %b at %o : (tensor<7x6xf32>, tensor<8x4xf32>, tensor<?xi32>) -> tensor<5x6x4xf32>
  return
}

// -----

// moe.grouped_outer_product C3
func.func @outer_product_of_unknown_slots(%a: tensor<?x6xf32>, %b: tensor<?x4xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected 'slots' for 'tensor<?x6x4xf32>'}}
  %w = moe.grouped_outer_product %a with %b at %o : (tensor<?x6xf32>, tensor<?x4xf32>, tensor<?xi32>) -> tensor<?x6x4xf32>
  return
}

// -----

// moe.grouped_outer_product C3
func.func @outer_product_of_known_slots(%a: tensor<?x6xf32>, %b: tensor<?x4xf32>, %o: tensor<?xi32>, %n: index) {
  // expected-error@+1 {{expected no 'slots' for 'tensor<5x6x4xf32>'}}
  %w = moe.grouped_outer_product %a with %b at %o slots %n : (tensor<?x6xf32>, tensor<?x4xf32>, tensor<?xi32>, index) -> tensor<5x6x4xf32>
  return
}
