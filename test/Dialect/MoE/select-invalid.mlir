// RUN: moe-opt %s --split-input-file --verify-diagnostics

// moe.score C1
func.func @score_other_columns(%z: tensor<?x8xf32>) {
  // expected-error@+1 {{expected result 0 to be [?, 8] of f32, bf16 or f16, but got 'tensor<?x7xf32>'}}
  %s = moe.score softmax %z : (tensor<?x8xf32>) -> tensor<?x7xf32>
  return
}

// -----

// moe.score C1
func.func @score_no_result(%z: tensor<?x8xf32>) {
  // expected-error@+1 {{expected 1 results, but got 0}}
  moe.score softmax %z : (tensor<?x8xf32>) -> ()
  return
}

// -----

// moe.select C1
func.func @select_top_k_exceeds_experts(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected top_k between 1 and the 8 experts, but got 9}}
  %e, %w = moe.select top_k 9 %s : (tensor<?x8xf32>) -> (tensor<?x9xi32>, tensor<?x9xf32>)
  return
}

// -----

// moe.select C1
func.func @select_nothing(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected top_k between 1 and the 8 experts, but got 0}}
  %e, %w = moe.select top_k 0 %s : (tensor<?x8xf32>) -> (tensor<?x0xi32>, tensor<?x0xf32>)
  return
}

// -----

// moe.select C2
func.func @select_other_columns(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected result 0 to be [?, 2] of 'i32', but got 'tensor<?x3xi32>'}}
  %e, %w = moe.select top_k 2 %s : (tensor<?x8xf32>) -> (tensor<?x3xi32>, tensor<?x2xf32>)
  return
}

// -----

// moe.select C3
func.func @select_groups_do_not_divide(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected groups that divide the 8 experts, but got 3}}
  %e, %w = moe.select top_k 2 %s limit <groups = 3, keep = 2, score = max, mask = zero>
    : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}

// -----

// moe.select C3
func.func @select_top_exceeds_group(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected top of at most the 2 experts of a group, but got 3}}
  %e, %w = moe.select top_k 2 %s limit <groups = 4, keep = 2, score = sum_of_top, top = 3, mask = zero>
    : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}

// -----

// moe.select C3
func.func @select_more_than_kept(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected 5 experts to fit into the kept groups, but 2 groups of 2 hold 4}}
  %e, %w = moe.select top_k 5 %s limit <groups = 4, keep = 2, score = max, mask = negative_infinity>
    : (tensor<?x8xf32>) -> (tensor<?x5xi32>, tensor<?x5xf32>)
  return
}

// -----

// moe.select C3
func.func @group_limit_keeps_too_many(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected 1 <= keep <= groups and top >= 1, but got groups 4, keep 5, top 1}}
  %e, %w = moe.select top_k 2 %s limit <groups = 4, keep = 5, score = max, mask = zero>
    : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}

// -----

// moe.select C4
func.func @select_second_of_three(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected top_k 2 with a policy for the second, but got 3}}
  %e, %w = moe.select top_k 3 %s second all : (tensor<?x8xf32>) -> (tensor<?x3xi32>, tensor<?x3xf32>)
  return
}

// -----

// moe.select C4
func.func @select_random_without_numbers(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected 'random' exactly with the policy random}}
  %e, %w = moe.select top_k 2 %s second random : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}

// -----

// moe.select C4
func.func @select_numbers_without_random(%s: tensor<?x8xf32>, %u: tensor<?xf32>) {
  // expected-error@+1 {{expected 'random' exactly with the policy random}}
  %e, %w = moe.select top_k 2 %s random %u : (tensor<?x8xf32>, tensor<?xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  return
}

// -----

// moe.select_tokens C1
func.func @select_tokens_other_columns(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected result 0 to be [?, 8] of 'i32', but got 'tensor<?x2xi32>'}}
  %e, %w = moe.select_tokens %s group <all> capacity <count = 4> : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x8xf32>)
  return
}

// -----

// moe.select_masked_pair C1
func.func @select_masked_pair_other_columns(%z: tensor<?x16xf32>) {
  // expected-error@+1 {{expected result 1 to be [?, 2] of f32, bf16 or f16, but got 'tensor<?x3xf32>'}}
  %e, %w = moe.select_masked_pair %z jitter 1.0e-02 : (tensor<?x16xf32>) -> (tensor<?x2xi32>, tensor<?x3xf32>)
  return
}

// -----

// moe.select_balanced C1
func.func @select_balanced_other_columns(%s: tensor<?x8xf32>) {
  // expected-error@+1 {{expected result 0 to be [?, 1] of 'i32', but got 'tensor<?x2xi32>'}}
  %e, %w = moe.select_balanced %s group <all> : (tensor<?x8xf32>) -> (tensor<?x2xi32>, tensor<?x1xf32>)
  return
}
