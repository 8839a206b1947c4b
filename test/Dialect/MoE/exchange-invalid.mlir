// RUN: moe-opt %s --split-input-file --verify-diagnostics

// moe.dispatch_layout C1
func.func @dispatch_layout_no_mesh(%e: tensor<?x2xi32>, %p: !moe.placement_ref<8 experts>, %t: index) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %l = moe.dispatch_layout %e placed by %p from_token %t over {"ep"} of @mesh exchange @x0
    : (tensor<?x2xi32>, !moe.placement_ref<8 experts>, index) -> !moe.layout<4 ranks x 2 slots>
  return
}

// -----

// moe.dispatch_layout C1
comm.mesh @mesh <["ep"=4]>
func.func @dispatch_layout_no_exchange(%e: tensor<?x2xi32>, %p: !moe.placement_ref<8 experts>, %t: index) {
  // expected-error@+1 {{expected a moe.exchange named @x0}}
  %l = moe.dispatch_layout %e placed by %p from_token %t over {"ep"} of @mesh exchange @x0
    : (tensor<?x2xi32>, !moe.placement_ref<8 experts>, index) -> !moe.layout<4 ranks x 2 slots>
  return
}

// -----

// moe.dispatch C1
func.func @dispatch_other_columns(%x: tensor<?x64xf32>, %l: !moe.layout<4 ranks x 2 slots>) {
  // expected-error@+1 {{expected rows like those of x, but got 'tensor<?x32xf32>' from 'tensor<?x64xf32>'}}
  %r, %o = moe.dispatch %x by %l : (tensor<?x64xf32>, !moe.layout<4 ranks x 2 slots>) -> (tensor<?x32xf32>, tensor<?xi32>)
  return
}

// -----

// moe.combine C1
func.func @combine_other_columns(%r: tensor<?x64xf32>, %w: tensor<?x2xf32>, %l: !moe.layout<4 ranks x 2 slots>) {
  // expected-error@+1 {{expected the rows' columns and the weight's tokens, but got 'tensor<?x32xf32>'}}
  %y = moe.combine %r weighted by %w by %l : (tensor<?x64xf32>, tensor<?x2xf32>, !moe.layout<4 ranks x 2 slots>) -> tensor<?x32xf32>
  return
}

// -----

// moe.assign_slots C1
func.func @assign_slots_other_position(%e: tensor<?x2xi32>, %p: !moe.placement_ref<8 experts>, %t: index) {
  // expected-error@+1 {{expected result 0 to be [?, 2] of 'i32', but got 'tensor<?x3xi32>'}}
  %q, %c = moe.assign_slots %e placed by %p from_token %t
    : (tensor<?x2xi32>, !moe.placement_ref<8 experts>, index) -> (tensor<?x3xi32>, tensor<4x2xi32>)
  return
}

// -----

// moe.assign_slots C1
func.func @assign_slots_without_counts(%e: tensor<?x2xi32>, %p: !moe.placement_ref<8 experts>, %t: index) {
  // expected-error@+1 {{expected 2 results, but got 1}}
  %q = moe.assign_slots %e placed by %p from_token %t
    : (tensor<?x2xi32>, !moe.placement_ref<8 experts>, index) -> tensor<?x2xi32>
  return
}

// -----

// moe.placement_table C1
func.func @placement_table_other_experts(%p: !moe.placement_ref<8 experts>) {
  // expected-error@+1 {{expected a table of 64 x 8, but got 'memref<64x9xi32>'}}
  %t = moe.placement_table %p : !moe.placement_ref<8 experts> -> memref<64x9xi32>
  return
}

// -----

// moe.count_offsets C1
func.func @count_offsets_too_short(%c: tensor<4x2xi32>) {
  // expected-error@+1 {{expected result 0 to be [5] of 'i32', but got 'tensor<4xi32>'}}
  %r, %s = moe.count_offsets %c : (tensor<4x2xi32>) -> (tensor<4xi32>, tensor<3xi32>)
  return
}

// -----

// moe.slot_positions C1
func.func @slot_positions_of_rank_2(%c: tensor<4x2xi32>, %n: index) {
  // expected-error@+1 {{expected result 0 to be [?] of 'i32', but got 'tensor<?x2xi32>'}}
  %q = moe.slot_positions %c extent %n : (tensor<4x2xi32>, index) -> tensor<?x2xi32>
  return
}

// -----

// moe.spread_rows C1
func.func @spread_rows_other_type(%x: tensor<?x64xf32>, %q: tensor<?x2xi32>) {
  // expected-error@+1 {{expected result 0 to be [?, 64] of 'f32', but got 'tensor<?x64xbf16>'}}
  %r = moe.spread_rows %x to %q : (tensor<?x64xf32>, tensor<?x2xi32>) -> tensor<?x64xbf16>
  return
}

// -----

// moe.permute_rows C1
func.func @permute_rows_other_columns(%x: tensor<?x64xf32>, %q: tensor<?xi32>) {
  // expected-error@+1 {{expected result 0 to be [?, 64] of 'f32', but got 'tensor<?x32xf32>'}}
  %r = moe.permute_rows %x to %q up_to %q : (tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
  return
}

// -----

// moe.combine_rows C1
func.func @combine_rows_not_f32(%x: tensor<?x64xbf16>, %q: tensor<?x2xi32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{expected result 0 to be [?, 64] of 'f32', but got 'tensor<?x64xbf16>'}}
  %y = moe.combine_rows %x at %q weighted by %w : (tensor<?x64xbf16>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x64xbf16>
  return
}

// -----

comm.mesh @mesh <["ep"=3]>
moe.exchange @x0 flat_exact bound 64
// moe.dispatch_layout C2
func.func @dispatch_layout_other_ranks(%e: tensor<?x2xi32>, %p: !moe.placement_ref<8 experts>, %t: index) {
  // expected-error @below {{expected a layout of 3 ranks, but got '!moe.layout<4 ranks x 2 slots>'}}
  %l = moe.dispatch_layout %e placed by %p from_token %t over {"ep"} of @mesh exchange @x0
      : (tensor<?x2xi32>, !moe.placement_ref<8 experts>, index) -> !moe.layout<4 ranks x 2 slots>
  return
}

// -----

// moe.dispatch C2
func.func @dispatch_weights_of_other_tokens(%x: tensor<7x64xf32>, %w: tensor<9x2xf32>, %l: !moe.layout<4 ranks x 2 slots>) {
  // expected-error@+1 {{expected a weight of x's tokens, but got 'tensor<9x2xf32>' for 'tensor<7x64xf32>'}}
  %r, %o = moe.dispatch %x by %l weighted by %w : (tensor<7x64xf32>, !moe.layout<4 ranks x 2 slots>, tensor<9x2xf32>) -> (tensor<?x64xf32>, tensor<?xi32>)
  return
}

// -----

// moe.spread_rows C2
func.func @spread_rows_weights_of_other_choices(%x: tensor<?x64xf32>, %q: tensor<?x2xi32>, %w: tensor<?x3xf32>) {
  // expected-error@+1 {{expected weight to be [?, 2], but got 'tensor<?x3xf32>'}}
  %r = moe.spread_rows %x to %q weighted by %w : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x3xf32>) -> tensor<?x64xf32>
  return
}
