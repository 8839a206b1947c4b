// RUN: moe-opt %s --split-input-file --verify-diagnostics
//
// What an expert computes of a row depends on that row alone.

// moe.experts C5
func.func @experts_yield_tokens(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    // expected-error@+1 {{expected rows that the region computes of its own rows}}
    moe.yield %x : tensor<?x6xf32>
  }
  return
}
// -----

// moe.experts C5
func.func @experts_yield_tokens_count(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : tensor<?x6xf32>
    %0 = tensor.empty(%n) : tensor<?x6xf32>
    // expected-error@+1 {{expected the rows of an expert only, but operand 1 has rows of its own}}
    %1 = linalg.exp ins(%rows : tensor<?x6xf32>) outs(%0 : tensor<?x6xf32>) -> tensor<?x6xf32>
    moe.yield %1 : tensor<?x6xf32>
  }
  return
}
// -----

// moe.experts C5
func.func @experts_add_tokens(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    // expected-error@+1 {{expected the rows of an expert only, but operand 1 has rows of its own}}
    %0 = linalg.add ins(%rows, %x : tensor<?x6xf32>, tensor<?x6xf32>) outs(%rows : tensor<?x6xf32>) -> tensor<?x6xf32>
    moe.yield %0 : tensor<?x6xf32>
  }
  return
}
// -----

// moe.experts C5
func.func @experts_sum_rows(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>, %sum: tensor<6xf32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    // expected-error@+1 {{expected each row of an expert by itself, but operand 0 brings all rows together}}
    %0 = linalg.reduce {arith.addf} ins(%rows : tensor<?x6xf32>) outs(%sum : tensor<6xf32>) dimensions = [0]
    %1 = linalg.broadcast ins(%0 : tensor<6xf32>) outs(%rows : tensor<?x6xf32>) dimensions = [0]
    moe.yield %1 : tensor<?x6xf32>
  }
  return
}
// -----

// moe.experts C5
func.func @experts_pairs_of_rows(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>, %pairs: tensor<?x?xf32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    // expected-error@+1 {{expected each row of an expert by itself, but operand 1 brings all rows together}}
    %0 = linalg.generic {indexing_maps = [affine_map<(a, b, k) -> (a, k)>, affine_map<(a, b, k) -> (b, k)>, affine_map<(a, b, k) -> (a, b)>],
        iterator_types = ["parallel", "parallel", "reduction"]} ins(%rows, %rows : tensor<?x6xf32>, tensor<?x6xf32>) outs(%pairs : tensor<?x?xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      linalg.yield %c : f32
    } -> tensor<?x?xf32>
    moe.yield %rows : tensor<?x6xf32>
  }
  return
}
// -----

// moe.experts C5
func.func @experts_transpose(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>, %columns: tensor<6x?xf32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    // expected-error@+1 {{expected the rows of an expert in dimension 0, but got them in dimension 1 of 'tensor<6x?xf32>'}}
    %0 = linalg.transpose ins(%rows : tensor<?x6xf32>) outs(%columns : tensor<6x?xf32>) permutation = [1, 0]
    moe.yield %rows : tensor<?x6xf32>
  }
  return
}
// -----

// moe.experts C5
func.func @experts_pick_a_row(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    %c0 = arith.constant 0 : index
    %0 = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]} outs(%rows : tensor<?x6xf32>) {
    ^bb0(%a: f32):
      // expected-error@+1 {{expected no access to single rows of an expert}}
      %1 = tensor.extract %rows[%c0, %c0] : tensor<?x6xf32>
      linalg.yield %1 : f32
    } -> tensor<?x6xf32>
    moe.yield %0 : tensor<?x6xf32>
  }
  return
}
// -----

func.func private @f(%r: tensor<?x6xf32>) -> tensor<?x6xf32>
// moe.experts C5
func.func @experts_call(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    // expected-error@+1 {{expected no call on the rows of an expert}}
    %0 = func.call @f(%rows) : (tensor<?x6xf32>) -> tensor<?x6xf32>
    moe.yield %0 : tensor<?x6xf32>
  }
  return
}
// -----

// moe.experts C6
func.func @experts_other_offsets(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>, %w: !moe.weights<8x6x6xf32>, %o: tensor<?xi32>) {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    // expected-error@+1 {{expected the offsets of the region's rows}}
    %0 = moe.grouped_matmul %rows by %w at %o : (tensor<?x6xf32>, !moe.weights<8x6x6xf32>, tensor<?xi32>) -> tensor<?x6xf32>
    moe.yield %0 : tensor<?x6xf32>
  }
  return
}
