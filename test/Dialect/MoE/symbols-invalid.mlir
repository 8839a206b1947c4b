// RUN: moe-opt %s --split-input-file --verify-diagnostics

// moe.weight C1
// expected-error@+1 {{expected '{e}' in the pattern exactly of !moe.weights, but got "gate" for}}
moe.weight @weights_without_expert "gate" : !moe.weights<8x64x48xbf16>

// -----

// moe.weight C1
// expected-error@+1 {{expected '{e}' in the pattern exactly of !moe.weights, but got "{e}.gate" for}}
moe.weight @tensor_with_expert "{e}.gate" : tensor<8x64xbf16>

// -----

// moe.weight C2
// expected-error@+1 {{expected a tensor of static shape, but got 'tensor<?x64xbf16>'}}
moe.weight @tensor_dynamic "gate" : tensor<?x64xbf16>

// -----

// expected-error@+1 {{expected slots x K x N x dtype, but got 2 extents}}
moe.weight @weights_of_rank_2 "{e}.gate" : !moe.weights<8x64xbf16>

// -----

// expected-error@+1 {{expected a dtype of f32, bf16, f16 or an 8-bit float, but got 'index'}}
moe.weight @weights_of_index "{e}.gate" : !moe.weights<8x64x48xindex>

// -----

// moe.exchange C1
// expected-error@+1 {{expected a bound from 1 to 2147483647 rows, but got 0}}
moe.exchange @exchange_no_bound flat_bounded bound 0

// -----

// moe.use_weight C1
func.func @use_weight_unknown() {
  // expected-error@+1 {{expected a moe.weight named @w}}
  %w = moe.use_weight @w : tensor<8x64xbf16>
  return
}

// -----

// moe.use_weight C2
// expected-note@+1 {{the weight is here}}
moe.weight @w "w" : tensor<8x64xbf16>
func.func @use_weight_other_type() {
  // expected-error@+1 {{expected type 'tensor<8x64xbf16>', but got 'tensor<8x64xf32>'}}
  %w = moe.use_weight @w : tensor<8x64xf32>
  return
}

// -----

// moe.use_weight C2
// expected-note@+1 {{the weight is here}}
moe.weight @w "w" : tensor<8x64xbf16>
func.func @use_weight_part_without_sharding() {
  // expected-error@+1 {{expected type 'tensor<8x64xbf16>', but got 'tensor<4x64xbf16>'}}
  %w = moe.use_weight @w : tensor<4x64xbf16>
  return
}

// -----

// moe.use_weight C3
moe.weight @w "{e}.w" : !moe.weights<8x64x48xbf16>
func.func @use_weight_no_placement() {
  // expected-error@+1 {{expected a moe.placement named @p}}
  %w = moe.use_weight @w placed by @p : !moe.weights<8x64x48xbf16>
  return
}

// -----

// moe.use_placement C1
func.func @use_placement_unknown() {
  // expected-error@+1 {{expected a moe.placement named @p}}
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<8 experts>
  return
}

// -----

// moe.use_placement C1
comm.mesh @mesh <["ep"=2]>
moe.placement @p experts 4 over {"ep"} of @mesh slots [[0, 1], [2, 3]]
func.func @use_placement_other_count() {
  // expected-error@+1 {{expected a placement of 8 experts, but @p has 4}}
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<8 experts>
  return
}

// -----

// moe.exchange C1
// expected-error@+1 {{expected a bound from 1 to 2147483647 rows, but got 21474836470}}
moe.exchange @exchange_bound_exceeds_offsets flat_exact bound 21474836470

// -----

// moe.use_weight C4
comm.mesh @mesh <["ep"=2]>
moe.weight @w "w.{e}" : !moe.weights<8x64x48xbf16>
func.func @use_weight_sharding_of_two_dimensions() {
  // expected-error@+1 {{expected a sharding of 3 dimensions, but got #comm.sharding<@mesh, [{"ep"}, {}]>}}
  %w = moe.use_weight @w sharded <@mesh, [{"ep"}, {}]> : !moe.weights<4x64x48xbf16>
  return
}

// -----

// expected-error@+1 {{expected positive extents, but got 0 x 64 x 48}}
func.func private @weights_no_slots(!moe.weights<0x64x48xbf16>)

// -----

// expected-error@+1 {{expected a dtype of f32, bf16, f16 or an 8-bit float, but got 'i8'}}
func.func private @weights_integers(!moe.weights<8x64x48xi8>)

// -----

// expected-error@+1 {{expected 1 to 2147483647 experts, but got 0}}
func.func private @placement_of_no_experts(!moe.placement_ref<0 experts>)

// -----

// expected-error@+1 {{expected positive ranks and slots, together at most 2147483647, but got 4 and 0}}
func.func private @layout_no_slots(!moe.layout<4 ranks x 0 slots>)

// -----

// expected-error@+1 {{'moe.max_tokens': expected an i64 from 1 to 2147483647, but got 0 : i64}}
module attributes {moe.max_tokens = 0 : i64} {}

// -----

// expected-error@+1 {{'moe.max_tokens': expected an i64 from 1 to 2147483647, but got -5 : i64}}
module attributes {moe.max_tokens = -5 : i64} {}

// -----

// expected-error@+1 {{'moe.max_tokens': expected an i64 from 1 to 2147483647, but got "many"}}
module attributes {moe.max_tokens = "many"} {}

// -----

// expected-error@+1 {{'moe.loads', layer "3": expected an array of f64, or one of equal length for each source rank, that are not negative, with a positive sum, but got array<f64: 0.000000e+00, 0.000000e+00>}}
module attributes {moe.loads = {"3" = array<f64: 0.0, 0.0>}} {}

// -----

// expected-error@+1 {{'moe.loads', layer "3": expected an array of f64, or one of equal length for each source rank, that are not negative, with a positive sum, but got 4 : i64}}
module attributes {moe.loads = {"3" = 4}} {}

// -----

// expected-error@+1 {{'moe.loads', layer "3": expected an array of f64, or one of equal length for each source rank, that are not negative, with a positive sum, but got [array<f64: 1.000000e+00, 2.000000e+00>, array<f64: 1.000000e+00>]}}
module attributes {moe.loads = {"3" = [array<f64: 1.0, 2.0>, array<f64: 1.0>]}} {}
