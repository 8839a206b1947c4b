// RUN: moe-opt %s --moe-pack-weights | FileCheck %s

// What cannot be packed stays as it is.
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
moe.weight @router "router" : tensor<5x11xf32>
moe.weight @stored "stored" : tensor<11x5xf32>

// A matrix that is read otherwise too.
// CHECK-LABEL: @other_use(
// CHECK-NOT: moe.grouped_matmul
// CHECK: linalg.matmul
func.func @other_use(%x: tensor<?x11xf32>, %out: tensor<?x5xf32>, %m: tensor<5x11xf32>) -> tensor<?x5xf32> {
  %zero = arith.constant 0.0 : f32
  %w = moe.use_weight @router : tensor<5x11xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%1 : tensor<?x5xf32>) -> tensor<?x5xf32>
  %3 = linalg.exp ins(%w : tensor<5x11xf32>) outs(%m : tensor<5x11xf32>) -> tensor<5x11xf32>
  %4 = call @take(%2, %3) : (tensor<?x5xf32>, tensor<5x11xf32>) -> tensor<?x5xf32>
  return %4 : tensor<?x5xf32>
}
func.func private @take(tensor<?x5xf32>, tensor<5x11xf32>) -> tensor<?x5xf32>

// A product that adds to something.
// CHECK-LABEL: @accumulates(
// CHECK-NOT: moe.grouped_matmul
// CHECK: linalg.matmul
func.func @accumulates(%x: tensor<?x11xf32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %w = moe.use_weight @router : tensor<5x11xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}

// Or starts at another value.
// CHECK-LABEL: @accumulates_on_one(
// CHECK-NOT: moe.grouped_matmul
// CHECK: linalg.matmul
func.func @accumulates_on_one(%x: tensor<?x11xf32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %zero = arith.constant 1.0 : f32
  %w = moe.use_weight @router : tensor<5x11xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%1 : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}

// -0 + x is not 0 + x.
// CHECK-LABEL: @minus_zero(
// CHECK-NOT: moe.grouped_matmul
// CHECK: linalg.matmul
func.func @minus_zero(%x: tensor<?x11xf32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %zero = arith.constant -0.0 : f32
  %w = moe.use_weight @router : tensor<5x11xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%1 : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}

// A matrix stored [K, N].
// CHECK-LABEL: @stored_in_by_out(
// CHECK-NOT: moe.grouped_matmul
// CHECK: linalg.matmul
func.func @stored_in_by_out(%x: tensor<?x11xf32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %zero = arith.constant 0.0 : f32
  %w = moe.use_weight @stored : tensor<11x5xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  %2 = linalg.matmul ins(%x, %w : tensor<?x11xf32>, tensor<11x5xf32>) outs(%1 : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}

// A matrix that only some calls take from a weight.
// CHECK-LABEL: func.func private @callee(
// CHECK-SAME: tensor<5x11xf32>
// CHECK: linalg.matmul
func.func private @callee(%x: tensor<?x11xf32>, %w: tensor<5x11xf32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %zero = arith.constant 0.0 : f32
  %1 = linalg.fill ins(%zero : f32) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  %2 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%1 : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}
// CHECK-LABEL: @calls_differ(
// CHECK: moe.use_weight @router : tensor<5x11xf32>
func.func @calls_differ(%x: tensor<?x11xf32>, %computed: tensor<5x11xf32>, %out: tensor<?x5xf32>) -> (tensor<?x5xf32>, tensor<?x5xf32>) {
  %w = moe.use_weight @router : tensor<5x11xf32>
  %0 = call @callee(%x, %w, %out) : (tensor<?x11xf32>, tensor<5x11xf32>, tensor<?x5xf32>) -> tensor<?x5xf32>
  %1 = call @callee(%x, %computed, %out) : (tensor<?x11xf32>, tensor<5x11xf32>, tensor<?x5xf32>) -> tensor<?x5xf32>
  return %0, %1 : tensor<?x5xf32>, tensor<?x5xf32>
}
