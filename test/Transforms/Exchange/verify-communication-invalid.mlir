// RUN: moe-opt %s --split-input-file --moe-verify-communication --verify-diagnostics -o /dev/null

// What is refused that no mutation of a correct program shows: see
// test/Unit/Transforms/CommunicationMutationTest.cpp for those.

// C1
comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 30
moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]]
func.func @layout_left(%expert: tensor<?x3xi32>) {
  %c0 = arith.constant 0 : index
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  // expected-error @below {{expected no 'moe.dispatch_layout' after moe-insert-all-to-all}}
  %l = moe.dispatch_layout %expert placed by %p from_token %c0 over {"ep"} of @mesh exchange @x0
      : (tensor<?x3xi32>, !moe.placement_ref<5 experts>, index) -> !moe.layout<2 ranks x 3 slots>
  return
}


// -----

// C2
comm.mesh @mesh <["ep"=2]>
moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]]
func.func @plan_unknown(%expert: tensor<?x3xi32>, %t: index) {
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  // expected-error @below {{expected 'moe.exchange' to name the moe.exchange of its plan}}
  %position, %counts = moe.assign_slots %expert placed by %p from_token %t : (tensor<?x3xi32>, !moe.placement_ref<5 experts>, index) -> (tensor<?x3xi32>, tensor<2x3xi32>)
  return
}

// -----

// C2
comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 30
func.func @placement_from_outside(%expert: tensor<?x3xi32>, %p: !moe.placement_ref<5 experts>, %t: index) {
  // expected-error @below {{expected a placement that comes from moe.use_placement on every way here}}
  %position, %counts = moe.assign_slots %expert placed by %p from_token %t {moe.exchange = @x0} : (tensor<?x3xi32>, !moe.placement_ref<5 experts>, index) -> (tensor<?x3xi32>, tensor<2x3xi32>)
  return
}

// -----

// C2
comm.mesh @mesh <["dp"=2, "ep"=2]>
moe.exchange @x0 flat_exact bound 30
moe.placement @p experts 5 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4]]
moe.placement @q experts 5 over {"dp"} of @mesh slots [[0, 1, 2], [3, 4]]
func.func private @block(%expert: tensor<?x3xi32>, %p: !moe.placement_ref<5 experts>, %t: index) {
  // expected-error @below {{expected placements over the same axes, but got "p" and "q"}}
  %position, %counts = moe.assign_slots %expert placed by %p from_token %t {moe.exchange = @x0} : (tensor<?x3xi32>, !moe.placement_ref<5 experts>, index) -> (tensor<?x3xi32>, tensor<2x3xi32>)
  return
}
func.func @placements_over_other_axes(%expert: tensor<?x3xi32>, %t: index) {
  %p = moe.use_placement @p layer 0 : !moe.placement_ref<5 experts>
  %q = moe.use_placement @q layer 1 : !moe.placement_ref<5 experts>
  call @block(%expert, %p, %t) : (tensor<?x3xi32>, !moe.placement_ref<5 experts>, index) -> ()
  call @block(%expert, %q, %t) : (tensor<?x3xi32>, !moe.placement_ref<5 experts>, index) -> ()
  return
}

// -----

// C9
comm.mesh @mesh <["ep"=2]>
func.func @without_a_plan(%x: tensor<4x3xf32>) {
  %y = tensor.empty() : tensor<4x3xf32>
  // expected-error @below {{expected to be part of a layer's exchange, of a recorded reshard or of a count of choices}}
  %s = comm.all_to_all %x into %y over {"ep"} of @mesh : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

// C6
func.func @extent_without_a_plan(%offsets: tensor<?xi32>) {
  // expected-error @below {{expected to be part of a layer's exchange}}
  %n = comm.host_extent %offsets bound(30) : tensor<?xi32>
  return
}
