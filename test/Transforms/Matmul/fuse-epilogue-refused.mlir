// RUN: moe-opt %s --moe-fuse-epilogue | FileCheck %s

// What cannot work on the sums of one product stays outside.
#id = affine_map<(r, c) -> (r, c)>
#t = affine_map<(r, c) -> (r)>

// The sums are needed elsewhere.
// CHECK-LABEL: @used_twice(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @used_twice(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>) -> (tensor<?x5xf32>, tensor<?x5xf32>) {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %b: f32):
    %s = arith.negf %a0 : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y, %p : tensor<?x5xf32>, tensor<?x5xf32>
}

// Two products of different rows.
// CHECK-LABEL: @other_rows(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @other_rows(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>, %z: tensor<?x11xf32>) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %q = moe.grouped_matmul %z by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %q : tensor<?x5xf32>, tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %a1: f32, %b: f32):
    %s = arith.addf %a0, %a1 : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// Of different offsets.
// CHECK-LABEL: @other_offsets(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @other_offsets(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>, %o2: tensor<?xi32>) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %q = moe.grouped_matmul %x by %w at %o2 : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %q : tensor<?x5xf32>, tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %a1: f32, %b: f32):
    %s = arith.addf %a0, %a1 : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// One input is no product.
// CHECK-LABEL: @other_input(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @other_input(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>, %z: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %z : tensor<?x5xf32>, tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %a1: f32, %b: f32):
    %s = arith.addf %a0, %a1 : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// One input is a value a row.
// CHECK-LABEL: @other_map(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @other_map(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>, %z: tensor<?xf32>) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #t, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %z : tensor<?x5xf32>, tensor<?xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %a1: f32, %b: f32):
    %s = arith.addf %a0, %a1 : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// The body reads what it writes.
// CHECK-LABEL: @accumulates(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @accumulates(%x: tensor<?x11xf32>, %w: !moe.weights<3x11x5xf32>, %u: !moe.weights<3x11x5xf32>, %o: tensor<?xi32>, %out: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x5xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x5xf32>) outs(%out : tensor<?x5xf32>) {
  ^bb0(%a0: f32, %b: f32):
    %s = arith.addf %a0, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// Sums that are rounded already.
// CHECK-LABEL: @rounded_sums(
// CHECK-NOT: epilogue
// CHECK: linalg.generic
func.func @rounded_sums(%x: tensor<?x11xbf16>, %w: !moe.weights<3x11x5xbf16>, %o: tensor<?xi32>, %out: tensor<?x5xbf16>) -> tensor<?x5xbf16> {
  %p = moe.grouped_matmul %x by %w at %o : (tensor<?x11xbf16>, !moe.weights<3x11x5xbf16>, tensor<?xi32>) -> tensor<?x5xbf16>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x5xbf16>) outs(%out : tensor<?x5xbf16>) {
  ^bb0(%a: bf16, %b: bf16):
    %r = arith.negf %a : bf16
    linalg.yield %r : bf16
  } -> tensor<?x5xbf16>
  return %y : tensor<?x5xbf16>
}
