// RUN: moe-opt %s --moe-fuse-epilogue | FileCheck %s

#id = affine_map<(r, c) -> (r, c)>

// Both products, their activation and its constant become one.
// CHECK-LABEL: @two_products(
// CHECK-SAME: %[[X:.+]]: tensor<?x11xf32>, %[[W:.+]]: !moe.weights<3x11x5xf32>, %[[U:.+]]: !moe.weights<3x11x5xf32>, %[[O:.+]]: tensor<?xi32>
func.func @two_products(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  // CHECK: %[[Y:.+]] = moe.grouped_matmul %[[X]] by %[[W]], %[[U]] at %[[O]] : {{.*}} -> tensor<?x5xf32> epilogue {
  // CHECK-NEXT: ^bb0(%[[A:.+]]: f32, %[[B:.+]]: f32):
  // CHECK: %[[S:.+]] = arith.subf %[[A]], %[[B]]
  // CHECK: %[[M:.+]] = arith.mulf %[[S]], %{{.+}}
  // CHECK: moe.yield %[[M]]
  // CHECK-NOT: linalg.generic
  // CHECK: return %[[Y]]
  %half = arith.constant 0.5 : f32
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %q = moe.grouped_matmul %x by %u at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %q : tensor<?x5xf32>, tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %a1: f32, %b: f32):
    %s = arith.subf %a0, %a1 : f32
    %m = arith.mulf %s, %half : f32
    linalg.yield %m : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// The order of the inputs is that of the matrices.
// CHECK-LABEL: @swapped(
// CHECK-SAME: %{{.+}}: tensor<?x11xf32>, %[[W:.+]]: !moe.weights<3x11x5xf32>, %[[U:.+]]: !moe.weights<3x11x5xf32>
// CHECK: by %[[U]], %[[W]] at
func.func @swapped(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %q = moe.grouped_matmul %x by %u at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%q, %p : tensor<?x5xf32>, tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %a1: f32, %b: f32):
    %s = arith.subf %a0, %a1 : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// One product and a rounding; the result has the new type.
// CHECK-LABEL: @rounding(
// CHECK: moe.grouped_matmul {{.*}} -> tensor<?x5xbf16> epilogue {
// CHECK: arith.truncf
// CHECK: moe.yield {{.*}} : bf16
func.func @rounding(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xbf16>) -> tensor<?x5xbf16> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x5xf32>) outs(%out : tensor<?x5xbf16>) {
  ^bb0(%a: f32, %b: bf16):
    %r = arith.truncf %a : f32 to bf16
    linalg.yield %r : bf16
  } -> tensor<?x5xbf16>
  return %y : tensor<?x5xbf16>
}
