// RUN: moe-opt %s --split-input-file --verify-roundtrip | FileCheck %s

comm.mesh @mesh <["ep"=4, "etp"=2]>
// CHECK: moe.weight @gate "l.{e}.gate" stored in_by_out quantized "fp8 e4m3 128x128" : !moe.weights<8x64x48xf8E4M3FN>
moe.weight @gate "l.{e}.gate" stored in_by_out quantized "fp8 e4m3 128x128" : !moe.weights<8x64x48xf8E4M3FN>
// CHECK: moe.weight @router "l.router" : tensor<8x64xbf16>
moe.weight @router "l.router" : tensor<8x64xbf16>
// CHECK: moe.placement @p experts 8 over {"ep"} of @mesh slots {{\[\[}}0, 1, 2], [3, -1], [4, 5], [6, 7, 0]] policy "by hand"
moe.placement @p experts 8 over {"ep"} of @mesh slots [[0, 1, 2], [3, -1], [4, 5], [6, 7, 0]] policy "by hand"
// CHECK: moe.exchange @x0 flat_bounded bound 4096
moe.exchange @x0 flat_bounded bound 4096

// CHECK-LABEL: @handles
func.func @handles() {
  // CHECK: moe.use_weight @gate placed by @p : !moe.weights<8x64x48xf8E4M3FN>
  %a = moe.use_weight @gate placed by @p : !moe.weights<8x64x48xf8E4M3FN>
  // CHECK: moe.use_weight @gate placed by @p sharded <@mesh, [{"ep"}, {}, {"etp"}]> : !moe.weights<3x64x24xf8E4M3FN>
  %b = moe.use_weight @gate placed by @p sharded <@mesh, [{"ep"}, {}, {"etp"}]> : !moe.weights<3x64x24xf8E4M3FN>
  // CHECK: moe.use_placement layer 3 : !moe.placement_ref<8 experts>
  %c = moe.use_placement layer 3 : !moe.placement_ref<8 experts>
  // CHECK: moe.use_placement @p layer 3 : !moe.placement_ref<8 experts>
  %d = moe.use_placement @p layer 3 : !moe.placement_ref<8 experts>
  return
}

// All clauses of one op, and none.
// CHECK-LABEL: @select_clauses
func.func @select_clauses(%s: tensor<?x8xf32>, %b: tensor<8xf32>, %n: tensor<?x8xf32>, %u: tensor<?xf32>) {
  // CHECK: moe.select top_k 2 %{{.*}} : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %0:2 = moe.select top_k 2 %s : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: moe.select top_k 2 %{{.*}} biased by %{{.*}} noised by %{{.*}} limit <groups = 4, keep = 3, score = max, mask = negative_infinity> second random random %{{.*}} : (tensor<?x8xf32>, tensor<8xf32>, tensor<?x8xf32>, tensor<?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %1:2 = moe.select top_k 2 %s biased by %b noised by %n limit <groups = 4, keep = 3, score = max, mask = negative_infinity> second random random %u
    : (tensor<?x8xf32>, tensor<8xf32>, tensor<?x8xf32>, tensor<?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}

// CHECK-LABEL: @weigh_clauses
func.func @weigh_clauses(%s: tensor<?x2xf32>) {
  // CHECK: moe.weigh p_norm %{{.*}} epsilon 1.000000e-09 scale 2.000000e+00 p 3.000000e+00 : (tensor<?x2xf32>) -> tensor<?x2xbf16>
  %0 = moe.weigh p_norm %s epsilon 1.0e-09 scale 2.0 p 3.0 : (tensor<?x2xf32>) -> tensor<?x2xbf16>
  // CHECK: moe.weigh clamped_sum %{{.*}} : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %1 = moe.weigh clamped_sum %s : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return
}

// CHECK-LABEL: @limit_capacity_clauses
func.func @limit_capacity_clauses(%e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %p: tensor<?xf32>, %c: tensor<4x?x2x8xi32>, %t: index) {
  // CHECK: moe.limit_capacity %{{.*}} weight %{{.*}} priority %{{.*}} taken %{{.*}} from_token %{{.*}} tokens %{{.*}} rank %{{.*}} group <tokens 512> capacity <factor = 1.250000e+00 : f64, rounding = half_even, multiple_of = 4, minimum = 8> order random experts 8 renormalize
  %0:2 = moe.limit_capacity %e weight %w priority %p taken %c from_token %t tokens %t rank %t
    group <tokens 512> capacity <factor = 1.25 : f64, rounding = half_even, multiple_of = 4, minimum = 8> order random experts 8 renormalize
    : (tensor<?x2xi32>, tensor<?x2xf32>, tensor<?xf32>, tensor<4x?x2x8xi32>, index, index, index) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: moe.limit_capacity %{{.*}} group <all> capacity <count = 4> order choice_then_token experts 8 : (tensor<?x2xi32>) -> tensor<?x2xi32>
  %1 = moe.limit_capacity %e group <all> capacity <count = 4> order choice_then_token experts 8 : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return
}

// CHECK-LABEL: @experts_clauses
func.func @experts_clauses(%x: tensor<?x64xbf16>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %p: !moe.placement_ref<8 experts>) {
  // CHECK: moe.experts %{{.*}} routed by %{{.*}} weighted by %{{.*}} placed by %{{.*}} over {"ep"} of @mesh exchange @x0 weighted input dropped weighted_input
  %y = moe.experts %x routed by %e weighted by %w placed by %p over {"ep"} of @mesh exchange @x0 weighted input dropped weighted_input
    : (tensor<?x64xbf16>, tensor<?x2xi32>, tensor<?x2xf32>, !moe.placement_ref<8 experts>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xbf16>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xbf16>
  }
  return
}

// CHECK-LABEL: @grouped_matmul_epilogue
func.func @grouped_matmul_epilogue(%r: tensor<?x64xbf16>, %w: !moe.weights<8x64x48xbf16>, %o: tensor<?xi32>) {
  // CHECK: moe.grouped_matmul %{{.*}} by %{{.*}}, %{{.*}} at %{{.*}} : {{.*}} -> tensor<?x48xbf16> epilogue {
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32):
  %h = moe.grouped_matmul %r by %w, %w at %o : (tensor<?x64xbf16>, !moe.weights<8x64x48xbf16>, !moe.weights<8x64x48xbf16>, tensor<?xi32>) -> tensor<?x48xbf16> epilogue {
  ^bb0(%g: f32, %u: f32):
    %p = arith.mulf %g, %u : f32
    %n = arith.truncf %p : f32 to bf16
    // CHECK: moe.yield %{{.*}} : bf16
    moe.yield %n : bf16
  }
  return
}

// CHECK: func.func private @planned_layers() attributes {moe.layers = [#moe.planned_layer<0>, #moe.planned_layer<"a">, #moe.planned_layer<1 by @x sends [8] returns [4]>, #moe.planned_layer<1 number 2 by @x at @p sends [8, 16] returns [4]>, #moe.planned_layer<"b" number 1 by @x at @p sends [] returns [4]>]}
func.func private @planned_layers() attributes {moe.layers = [#moe.planned_layer<0>, #moe.planned_layer<"a">,
  #moe.planned_layer<1 by @x sends [8] returns [4]>, #moe.planned_layer<1 number 2 by @x at @p sends [8, 16] returns [4]>,
  #moe.planned_layer<"b" number 1 by @x at @p sends [] returns [4]>]}
