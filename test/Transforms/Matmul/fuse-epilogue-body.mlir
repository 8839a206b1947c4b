// RUN: moe-opt %s --moe-fuse-epilogue | FileCheck %s

// Bodies that a kernel cannot run on vectors stay outside.
#id = affine_map<(r, c) -> (r, c)>

// A kernel knows constants only.
// CHECK-LABEL: @value_from_outside(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @value_from_outside(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>, %v: f32) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %b: f32):
    %s = arith.mulf %a0, %v : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// Also as the result itself.
// CHECK-LABEL: @yields_from_outside(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @yields_from_outside(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>, %v: f32) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %b: f32):
    linalg.yield %v : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// An operation that knows no vectors.
// CHECK-LABEL: @not_elementwise(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @not_elementwise(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %b: f32):
    %s = scf.execute_region -> f32 {
      %n = arith.negf %a0 : f32
      scf.yield %n : f32
    }
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// The body asks where it is.
// CHECK-LABEL: @column_index(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @column_index(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %b: f32):
    %i = linalg.index 1 : index
    %j = arith.index_cast %i : index to i32
    %k = arith.sitofp %j : i32 to f32
    %s = arith.mulf %a0, %k : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}
