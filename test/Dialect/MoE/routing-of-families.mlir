// RUN: moe-opt %s --verify-roundtrip | FileCheck %s

// How each family without a capacity routes, from the router's logits on; bf16
// is the model's dtype. What the importer writes is tested with it; here stands
// that the ops can say it, also where nothing imports or lowers it yet.

// CHECK-LABEL: @mixtral_minimax
func.func @mixtral_minimax(%z: tensor<?x8xbf16>) -> (tensor<?x2xi32>, tensor<?x2xbf16>) {
  // CHECK: moe.score softmax
  %p = moe.score softmax %z : (tensor<?x8xbf16>) -> tensor<?x8xf32>
  %e, %s = moe.select top_k 2 %p : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: moe.weigh sum %{{.*}} -> tensor<?x2xbf16>
  %w = moe.weigh sum %s : (tensor<?x2xf32>) -> tensor<?x2xbf16>
  return %e, %w : tensor<?x2xi32>, tensor<?x2xbf16>
}

// CHECK-LABEL: @qwen2_grok_jamba
func.func @qwen2_grok_jamba(%z: tensor<?x8xbf16>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  %p = moe.score softmax %z : (tensor<?x8xbf16>) -> tensor<?x8xf32>
  %e, %s = moe.select top_k 2 %p : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: moe.weigh none %{{.*}} -> tensor<?x2xf32>
  %w = moe.weigh none %s : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return %e, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// DeepSeek-V2's own code masks with -inf, transformers with 0.
// CHECK-LABEL: @deepseek_v2_own
func.func @deepseek_v2_own(%z: tensor<?x16xf32>) -> (tensor<?x6xi32>, tensor<?x6xf32>) {
  %p = moe.score softmax %z : (tensor<?x16xf32>) -> tensor<?x16xf32>
  // CHECK: limit <groups = 4, keep = 3, score = max, mask = negative_infinity>
  %e, %s = moe.select top_k 6 %p limit <groups = 4, keep = 3, score = max, mask = negative_infinity>
    : (tensor<?x16xf32>) -> (tensor<?x6xi32>, tensor<?x6xf32>)
  // CHECK: moe.weigh none %{{.*}} scale 1.600000e+01
  %w = moe.weigh none %s scale 16.0 : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return %e, %w : tensor<?x6xi32>, tensor<?x6xf32>
}

// DeepSeek-V3's own code has no epsilon and rounds the weights.
// CHECK-LABEL: @deepseek_v3_own
func.func @deepseek_v3_own(%z: tensor<?x16xf32>, %b: tensor<16xf32>) -> (tensor<?x4xi32>, tensor<?x4xbf16>) {
  %p = moe.score sigmoid %z : (tensor<?x16xf32>) -> tensor<?x16xf32>
  // CHECK: biased by %{{.*}} limit <groups = 4, keep = 2, score = sum_of_top, top = 2, mask = negative_infinity>
  %e, %s = moe.select top_k 4 %p biased by %b limit <groups = 4, keep = 2, score = sum_of_top, top = 2, mask = negative_infinity>
    : (tensor<?x16xf32>, tensor<16xf32>) -> (tensor<?x4xi32>, tensor<?x4xf32>)
  // CHECK: moe.weigh sum %{{.*}} scale 2.500000e+00
  %w = moe.weigh sum %s scale 2.5 : (tensor<?x4xf32>) -> tensor<?x4xbf16>
  return %e, %w : tensor<?x4xi32>, tensor<?x4xbf16>
}

// The softmax is over the selected logits. In gpt-oss the router's bias is part
// of the logits; in noisy top-k (Shazeer) so is the noise.
// CHECK-LABEL: @gpt_oss_granite_noisy_top_k
func.func @gpt_oss_granite_noisy_top_k(%z: tensor<?x8xbf16>) -> (tensor<?x4xi32>, tensor<?x4xbf16>) {
  // CHECK: moe.score identity
  %p = moe.score identity %z : (tensor<?x8xbf16>) -> tensor<?x8xbf16>
  %e, %s = moe.select top_k 4 %p : (tensor<?x8xbf16>) -> (tensor<?x4xi32>, tensor<?x4xbf16>)
  // CHECK: moe.weigh softmax
  %w = moe.weigh softmax %s : (tensor<?x4xbf16>) -> tensor<?x4xbf16>
  return %e, %w : tensor<?x4xi32>, tensor<?x4xbf16>
}

// The weight is the sigmoid of the selected logit and scales the input.
// CHECK-LABEL: @llama4
func.func @llama4(%x: tensor<?x64xbf16>, %z: tensor<?x8xbf16>) -> tensor<?x64xf32> {
  %p = moe.score identity %z : (tensor<?x8xbf16>) -> tensor<?x8xf32>
  %e, %s = moe.select top_k 1 %p : (tensor<?x8xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>)
  // CHECK: moe.score sigmoid %{{.*}} : (tensor<?x1xf32>) -> tensor<?x1xbf16>
  %w = moe.score sigmoid %s : (tensor<?x1xf32>) -> tensor<?x1xbf16>
  // CHECK: moe.experts {{.*}} weighted input
  %y = moe.experts %x routed by %e weighted by %w weighted input : (tensor<?x64xbf16>, tensor<?x1xi32>, tensor<?x1xbf16>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xbf16>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xbf16>
  }
  return %y : tensor<?x64xf32>
}

// Everything in bf16; any norm.
// CHECK-LABEL: @dbrx
func.func @dbrx(%z: tensor<?x16xbf16>) -> (tensor<?x4xi32>, tensor<?x4xbf16>) {
  %p = moe.score softmax %z : (tensor<?x16xbf16>) -> tensor<?x16xbf16>
  %e, %s = moe.select top_k 4 %p : (tensor<?x16xbf16>) -> (tensor<?x4xi32>, tensor<?x4xbf16>)
  // CHECK: moe.weigh p_norm %{{.*}} p 1.000000e+00
  %w = moe.weigh p_norm %s p 1.0 : (tensor<?x4xbf16>) -> tensor<?x4xbf16>
  return %e, %w : tensor<?x4xi32>, tensor<?x4xbf16>
}

// CHECK-LABEL: @phi_moe
func.func @phi_moe(%z: tensor<?x16xbf16>) -> (tensor<?x2xi32>, tensor<?x2xbf16>) {
  // CHECK: moe.select_masked_pair %{{.*}} jitter 1.000000e-02
  %e, %w = moe.select_masked_pair %z jitter 1.0e-02 : (tensor<?x16xbf16>) -> (tensor<?x2xi32>, tensor<?x2xbf16>)
  return %e, %w : tensor<?x2xi32>, tensor<?x2xbf16>
}

// CHECK-LABEL: @ernie
func.func @ernie(%z: tensor<?x16xf32>, %b: tensor<16xf32>) -> (tensor<?x6xi32>, tensor<?x6xbf16>) {
  %p = moe.score softmax %z : (tensor<?x16xf32>) -> tensor<?x16xf32>
  %e, %s = moe.select top_k 6 %p biased by %b : (tensor<?x16xf32>, tensor<16xf32>) -> (tensor<?x6xi32>, tensor<?x6xf32>)
  // CHECK: moe.weigh clamped_sum %{{.*}} epsilon 9.9999999999999998E-13
  %w = moe.weigh clamped_sum %s epsilon 1.0e-12 : (tensor<?x6xf32>) -> tensor<?x6xbf16>
  return %e, %w : tensor<?x6xi32>, tensor<?x6xbf16>
}

// DeepSeek-V4 and Megatron's sqrtsoftplus. Layers that route by token id take
// their experts from outside: no op chooses them.
// CHECK-LABEL: @deepseek_v4
func.func @deepseek_v4(%z: tensor<?x16xf32>, %b: tensor<16xf32>) -> (tensor<?x6xi32>, tensor<?x6xf32>) {
  // CHECK: moe.score sqrt_softplus
  %p = moe.score sqrt_softplus %z : (tensor<?x16xf32>) -> tensor<?x16xf32>
  %e, %s = moe.select top_k 6 %p biased by %b : (tensor<?x16xf32>, tensor<16xf32>) -> (tensor<?x6xi32>, tensor<?x6xf32>)
  %w = moe.weigh sum %s epsilon 1.0e-20 scale 1.5 : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return %e, %w : tensor<?x6xi32>, tensor<?x6xf32>
}

// Groups score the sum of as many experts as each kept group gives on average.
// CHECK-LABEL: @megatron_group_limited
func.func @megatron_group_limited(%z: tensor<?x16xf32>) -> (tensor<?x6xi32>, tensor<?x6xf32>) {
  %p = moe.score softmax %z : (tensor<?x16xf32>) -> tensor<?x16xf32>
  // CHECK: limit <groups = 4, keep = 2, score = sum_of_top, top = 3, mask = negative_infinity>
  %e, %s = moe.select top_k 6 %p limit <groups = 4, keep = 2, score = sum_of_top, top = 3, mask = negative_infinity>
    : (tensor<?x16xf32>) -> (tensor<?x6xi32>, tensor<?x6xf32>)
  %w = moe.weigh none %s : (tensor<?x6xf32>) -> tensor<?x6xf32>
  return %e, %w : tensor<?x6xi32>, tensor<?x6xf32>
}
