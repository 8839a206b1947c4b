// RUN: moe-opt %s --split-input-file --verify-diagnostics

// moe.weigh C1
func.func @weigh_other_columns(%s: tensor<?x2xf32>) {
  // expected-error@+1 {{expected result 0 to be [?, 2] of f32, bf16 or f16, but got 'tensor<?x3xf32>'}}
  %w = moe.weigh sum %s : (tensor<?x2xf32>) -> tensor<?x3xf32>
  return
}

// -----

// moe.weigh C2
func.func @weigh_p_norm_without_p(%s: tensor<?x2xf32>) {
  // expected-error@+1 {{expected 'p' exactly with p_norm}}
  %w = moe.weigh p_norm %s : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return
}

// -----

// moe.weigh C2
func.func @weigh_sum_with_p(%s: tensor<?x2xf32>) {
  // expected-error@+1 {{expected 'p' exactly with p_norm}}
  %w = moe.weigh sum %s p 2.0 : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return
}

// -----

// moe.limit_capacity C1
func.func @limit_capacity_other_columns(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{expected result 0 to be [?, 2] of 'i32', but got 'tensor<?x1xi32>'}}
  %k = moe.limit_capacity %e group <all> capacity <count = 4> order choice_then_token experts 8
    : (tensor<?x2xi32>) -> tensor<?x1xi32>
  return
}

// -----

// moe.limit_capacity C1
func.func @limit_capacity_renormalizes_nothing(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{expected a weight to renormalize}}
  %k, %w = moe.limit_capacity %e group <all> capacity <count = 4> order choice_then_token experts 8 renormalize
    : (tensor<?x2xi32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}

// -----

// moe.limit_capacity C2
func.func @limit_capacity_without_priority(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{expected 'priority' exactly with order random or best_score}}
  %k = moe.limit_capacity %e group <all> capacity <count = 4> order best_score experts 8
    : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return
}

// -----

// moe.limit_capacity C2
func.func @limit_capacity_with_priority(%e: tensor<?x2xi32>, %p: tensor<?xf32>) {
  // expected-error@+1 {{expected 'priority' exactly with order random or best_score}}
  %k = moe.limit_capacity %e priority %p group <all> capacity <count = 4> order survivors_then_token experts 8
    : (tensor<?x2xi32>, tensor<?xf32>) -> tensor<?x2xi32>
  return
}

// -----

func.func @capacity_count_and_factor(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{expected either a positive count or a factor}}
  %k = moe.limit_capacity %e group <all> capacity <count = 4, factor = 1.0 : f64> order choice_then_token experts 8
    : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return
}

// -----

func.func @capacity_negative_factor(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{expected a finite, positive factor, multiple_of >= 1 and minimum >= 0}}
  %k = moe.limit_capacity %e group <all> capacity <factor = -1.0 : f64> order choice_then_token experts 8
    : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return
}

// -----

func.func @capacity_group_without_size(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{expected a positive size with tokens and sequence and none with all, but got 0}}
  %k = moe.limit_capacity %e group <sequence> capacity <count = 4> order choice_then_token experts 8
    : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return
}

// -----

func.func @capacity_group_of_all_with_size(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{expected a positive size with tokens and sequence and none with all, but got 4}}
  %k = moe.limit_capacity %e group <all 4> capacity <count = 4> order choice_then_token experts 8
    : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return
}

// -----

// moe.count_choices C1
func.func @count_choices_other_experts(%e: tensor<?x2xi32>, %n: index) {
  // expected-error@+1 {{expected result 0 to be [?, 2, 8] of 'i32', but got 'tensor<?x2x7xi32>'}}
  %c = moe.count_choices %e from_token %n tokens %n group <all> experts 8
    : (tensor<?x2xi32>, index, index) -> tensor<?x2x7xi32>
  return
}

// -----

// moe.weigh C3
func.func @weigh_p_of_zero(%s: tensor<?x2xf32>) {
  // expected-error@+1 {{expected a finite, positive p, but got 0.0}}
  %w = moe.weigh p_norm %s p 0.0 : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return
}
// -----

// moe.weigh C3
func.func @weigh_infinite_scale(%s: tensor<?x2xf32>) {
  // expected-error@+1 {{expected a finite scale, and an epsilon that is finite and not negative, but got}}
  %w = moe.weigh sum %s scale 0x7FF0000000000000 : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return
}
// -----

// moe.weigh C3
func.func @weigh_nan_epsilon(%s: tensor<?x2xf32>) {
  // expected-error@+1 {{expected a finite scale, and an epsilon that is finite and not negative, but got}}
  %w = moe.weigh sum %s epsilon 0x7FF8000000000000 : (tensor<?x2xf32>) -> tensor<?x2xf32>
  return
}
// -----

// moe.weigh C1
func.func @weigh_dynamic_choices(%s: tensor<5x?xf32>) {
  // expected-error@+1 {{expected a static number of columns, but got 'tensor<5x?xf32>'}}
  %w = moe.weigh none %s : (tensor<5x?xf32>) -> tensor<5x?xf32>
  return
}
// -----

// moe.limit_capacity C3
func.func @limit_capacity_weight_of_other_choices(%e: tensor<?x2xi32>, %w: tensor<?x3xf32>) {
  // expected-error@+1 {{expected weight to be [?, 2], but got 'tensor<?x3xf32>'}}
  %k, %v = moe.limit_capacity %e weight %w group <all> capacity <count = 4> order choice_then_token experts 8 renormalize
    : (tensor<?x2xi32>, tensor<?x3xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}
// -----

// moe.limit_capacity C3
func.func @limit_capacity_taken_of_other_experts(%e: tensor<?x2xi32>, %c: tensor<4x1x2x7xi32>, %t: index) {
  // expected-error@+1 {{expected taken to be [?, ?, 2, 8], but got 'tensor<4x1x2x7xi32>'}}
  %k = moe.limit_capacity %e taken %c from_token %t tokens %t rank %t group <all> capacity <count = 4> order choice_then_token experts 8
    : (tensor<?x2xi32>, tensor<4x1x2x7xi32>, index, index, index) -> tensor<?x2xi32>
  return
}
// -----

// moe.limit_capacity C4
func.func @limit_capacity_without_rank(%e: tensor<?x2xi32>, %c: tensor<4x1x2x8xi32>) {
  // expected-error@+1 {{expected 'taken', 'from_token', 'tokens' and 'rank' together}}
  %k = moe.limit_capacity %e taken %c group <all> capacity <count = 4> order choice_then_token experts 8
    : (tensor<?x2xi32>, tensor<4x1x2x8xi32>) -> tensor<?x2xi32>
  return
}
// -----

func.func @limit_capacity_no_experts(%e: tensor<?x2xi32>) {
  // expected-error@+1 {{attribute 'experts' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %k = moe.limit_capacity %e group <all> capacity <count = 4> order choice_then_token experts 0 : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return
}
