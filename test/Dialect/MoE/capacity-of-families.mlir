// RUN: moe-opt %s --verify-roundtrip | FileCheck %s

// How the families with a capacity, or with another view of the choice, route.

// Tokens beyond the capacity count for nothing but keep their place.
// CHECK-LABEL: @switch_flaxformer
func.func @switch_flaxformer(%z: tensor<?x8xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>) {
  %p = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %e, %s = moe.select top_k 1 %p : (tensor<?x8xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>)
  // CHECK: group <tokens 8192> capacity <factor = 1.250000e+00 : f64, rounding = half_even, minimum = 4> order choice_then_token experts 8
  %k = moe.limit_capacity %e group <tokens 8192> capacity <factor = 1.25 : f64, rounding = half_even, minimum = 4>
    order choice_then_token experts 8 : (tensor<?x1xi32>) -> tensor<?x1xi32>
  return %k, %s : tensor<?x1xi32>, tensor<?x1xf32>
}

// max(k, floor(k T / E)) over all tokens.
// CHECK-LABEL: @hunyuan
func.func @hunyuan(%z: tensor<?x16xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  %p = moe.score softmax %z : (tensor<?x16xf32>) -> tensor<?x16xf32>
  %e, %s = moe.select top_k 2 %p : (tensor<?x16xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %w = moe.weigh clamped_sum %s epsilon 1.19e-07 : (tensor<?x2xf32>) -> tensor<?x2xf32>
  // CHECK: group <all> capacity <factor = 2.000000e+00 : f64, rounding = floor, minimum = 2>
  %k = moe.limit_capacity %e group <all> capacity <factor = 2.0 : f64, rounding = floor, minimum = 2>
    order choice_then_token experts 16 : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return %k, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// Training: 2 ceil(T / E) is the even number at or above 2 T / E; the tokens
// with the best scores come first; what survives is normalised.
// CHECK-LABEL: @nllb_all
func.func @nllb_all(%z: tensor<?x8xf32>, %best: tensor<?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  %p = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: second all
  %e, %s = moe.select top_k 2 %p second all : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: moe.limit_capacity %{{.*}} weight %{{.*}} priority %{{.*}} capacity <factor = 2.000000e+00 : f64, multiple_of = 2> order best_score experts 8 renormalize
  %k, %w = moe.limit_capacity %e weight %s priority %best group <all> capacity <factor = 2.0 : f64, multiple_of = 2>
    order best_score experts 8 renormalize
    : (tensor<?x2xi32>, tensor<?x2xf32>, tensor<?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return %k, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// NLLB's and DeepSpeed's second choice is the best of logits plus Gumbel noise,
// its weight a probability: choose by logits, then look the scores up.
// CHECK-LABEL: @nllb_deepspeed_sampling
func.func @nllb_deepspeed_sampling(%z: tensor<?x8xf32>, %gumbel: tensor<?x8xf32>, %init: tensor<?x2xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  %p = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: moe.select top_k 2 %{{.*}} noised by %{{.*}} second sampling
  %e, %s = moe.select top_k 2 %z noised by %gumbel second sampling
    : (tensor<?x8xf32>, tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  %scores = linalg.generic {indexing_maps = [affine_map<(t, j) -> (t, j)>, affine_map<(t, j) -> (t, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%e : tensor<?x2xi32>) outs(%init : tensor<?x2xf32>) {
  ^bb0(%expert: i32, %out: f32):
    %t = linalg.index 0 : index
    %column = arith.index_cast %expert : i32 to index
    %score = tensor.extract %p[%t, %column] : tensor<?x8xf32>
    linalg.yield %score : f32
  } -> tensor<?x2xf32>
  // CHECK: renormalize
  %k, %w = moe.limit_capacity %e weight %scores group <all> capacity <factor = 2.0 : f64, minimum = 8>
    order choice_then_token experts 8 renormalize : (tensor<?x2xi32>, tensor<?x2xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return %k, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// The second choice is kept with twice its probability; a later choice queues
// behind what survived of the earlier one.
// CHECK-LABEL: @gshard_random
func.func @gshard_random(%z: tensor<?x8xf32>, %u: tensor<?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  %p = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: second random random %{{.*}}
  %e, %s = moe.select top_k 2 %p second random random %u
    : (tensor<?x8xf32>, tensor<?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: group <tokens 1024> capacity <factor = 2.000000e+00 : f64, rounding = floor, multiple_of = 4> order survivors_then_token
  %k, %w = moe.limit_capacity %e weight %s group <tokens 1024> capacity <factor = 2.0 : f64, rounding = floor, multiple_of = 4>
    order survivors_then_token experts 8 renormalize : (tensor<?x2xi32>, tensor<?x2xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return %k, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// Legacy GShard compares the normalised second weight: normalise, then drop.
// CHECK-LABEL: @gshard_legacy
func.func @gshard_legacy(%z: tensor<?x8xf32>, %u: tensor<?xf32>, %init: tensor<?x2xi32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  %p = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %e, %s = moe.select top_k 2 %p : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: moe.weigh sum %{{.*}} epsilon 1.000000e-09
  %w = moe.weigh sum %s epsilon 1.0e-09 : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %drawn = linalg.generic {indexing_maps = [affine_map<(t, j) -> (t, j)>, affine_map<(t, j) -> (t, j)>, affine_map<(t, j) -> (t)>,
      affine_map<(t, j) -> (t, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%e, %w, %u : tensor<?x2xi32>, tensor<?x2xf32>, tensor<?xf32>) outs(%init : tensor<?x2xi32>) {
  ^bb0(%expert: i32, %weight: f32, %number: f32, %out: i32):
    %j = linalg.index 1 : index
    %c0 = arith.constant 0 : index
    %none = arith.constant -1 : i32
    %first = arith.cmpi eq, %j, %c0 : index
    %twice = arith.addf %weight, %weight : f32
    %kept = arith.cmpf olt, %number, %twice : f32
    %stays = arith.ori %first, %kept : i1
    %result = arith.select %stays, %expert, %none : i32
    linalg.yield %result : i32
  } -> tensor<?x2xi32>
  // CHECK: order survivors_then_token experts 8 :
  %k = moe.limit_capacity %drawn group <tokens 1024> capacity <factor = 2.0 : f64, rounding = floor, multiple_of = 4>
    order survivors_then_token experts 8 : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return %k, %w : tensor<?x2xi32>, tensor<?x2xf32>
}

// Random token selection: who stays is drawn, not who came first.
// CHECK-LABEL: @deepspeed_top1
func.func @deepspeed_top1(%z: tensor<?x8xf32>, %drawn: tensor<?xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>) {
  %p = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %e, %s = moe.select top_k 1 %p : (tensor<?x8xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>)
  // CHECK: moe.limit_capacity %{{.*}} priority %{{.*}} order random experts 8
  %k = moe.limit_capacity %e priority %drawn group <all> capacity <factor = 1.0 : f64, minimum = 8> order random experts 8
    : (tensor<?x1xi32>, tensor<?xf32>) -> tensor<?x1xi32>
  return %k, %s : tensor<?x1xi32>, tensor<?x1xf32>
}

// CHECK-LABEL: @expert_choice
func.func @expert_choice(%z: tensor<?x8xf32>) -> (tensor<?x8xi32>, tensor<?x8xf32>) {
  %p = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: moe.select_tokens %{{.*}} group <tokens 512> capacity <factor = 2.000000e+00 : f64, rounding = floor>
  %e, %w = moe.select_tokens %p group <tokens 512> capacity <factor = 2.0 : f64, rounding = floor>
    : (tensor<?x8xf32>) -> (tensor<?x8xi32>, tensor<?x8xf32>)
  return %e, %w : tensor<?x8xi32>, tensor<?x8xf32>
}

// BASE layers train with a balanced assignment and are used greedily; the weight
// is a sigmoid, what it leaves is the input's.
// CHECK-LABEL: @base_layers
func.func @base_layers(%affinity: tensor<?x8xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>, tensor<?x1xi32>) {
  // CHECK: moe.select_balanced %{{.*}} group <all>
  %e, %s = moe.select_balanced %affinity group <all> : (tensor<?x8xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>)
  %w = moe.score sigmoid %s : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %greedy, %a = moe.select top_k 1 %affinity : (tensor<?x8xf32>) -> (tensor<?x1xi32>, tensor<?x1xf32>)
  return %e, %w, %greedy : tensor<?x1xi32>, tensor<?x1xf32>, tensor<?x1xi32>
}
