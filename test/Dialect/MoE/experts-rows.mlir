// RUN: moe-opt %s --verify-roundtrip | FileCheck %s

// Rows with a bias of the columns, scaled by their largest element, added to
// what they were.
// CHECK-LABEL: @experts_row_by_row
// CHECK: moe.yield
func.func @experts_row_by_row(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>, %v: tensor<?x2xf32>, %w: !moe.weights<8x6x6xf32>, %bias: tensor<6xf32>) -> tensor<?x6xf32> {
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x6xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x6xf32> {
  ^bb0(%rows: tensor<?x6xf32>, %offsets: tensor<?xi32>):
    %p = moe.grouped_matmul %rows by %w at %offsets : (tensor<?x6xf32>, !moe.weights<8x6x6xf32>, tensor<?xi32>) -> tensor<?x6xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %p, %c0 : tensor<?x6xf32>
    %none = arith.constant 0.0 : f32
    %space = tensor.empty(%n) : tensor<?xf32>
    %init = linalg.fill ins(%none : f32) outs(%space : tensor<?xf32>) -> tensor<?xf32>
    %most = linalg.reduce {arith.maximumf} ins(%p : tensor<?x6xf32>) outs(%init : tensor<?xf32>) dimensions = [1]
    %out = tensor.empty(%n) : tensor<?x6xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r)>, affine_map<(r, c) -> (c)>, affine_map<(r, c) -> (r, c)>],
        iterator_types = ["parallel", "parallel"]} ins(%p, %most, %bias : tensor<?x6xf32>, tensor<?xf32>, tensor<6xf32>) outs(%out : tensor<?x6xf32>) {
    ^bb0(%a: f32, %m: f32, %b: f32, %o: f32):
      %s = arith.divf %a, %m : f32
      %t = arith.addf %s, %b : f32
      linalg.yield %t : f32
    } -> tensor<?x6xf32>
    %z = linalg.add ins(%r, %rows : tensor<?x6xf32>, tensor<?x6xf32>) outs(%out : tensor<?x6xf32>) -> tensor<?x6xf32>
    moe.yield %z : tensor<?x6xf32>
  }
  return %y : tensor<?x6xf32>
}
