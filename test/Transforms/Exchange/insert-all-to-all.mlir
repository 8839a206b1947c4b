// RUN: moe-opt %s --moe-insert-all-to-all | FileCheck %s

comm.mesh @mesh <["dp"=2, "ep"=3]>
moe.exchange @x0 flat_exact bound 41
moe.exchange @x1 flat_bounded bound 37

// The host is asked once, and the phases come in order.
// CHECK-LABEL: @exact(
// CHECK-SAME: %[[X:.+]]: tensor<?x11xbf16>, %[[E:.+]]: tensor<?x2xi32>, %[[W:.+]]: tensor<?x2xf32>, %[[P:.+]]: !moe.placement_ref<7 experts>, %[[FIRST:.+]]: index
func.func @exact(%x: tensor<?x11xbf16>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %p: !moe.placement_ref<7 experts>, %first: index) -> tensor<?x11xf32> {
  // CHECK: moe.phase layout
  // CHECK: %[[SLOTS:.+]]:2 = moe.assign_slots %[[E]] placed by %[[P]] from_token %[[FIRST]]
  // CHECK: %[[SEND:.+]]:2 = moe.count_offsets %[[SLOTS]]#1
  // CHECK: moe.phase exchange
  // CHECK: %[[RAW:.+]] = comm.all_to_all %[[SLOTS]]#1 into %{{.+}} over {"ep"} of @mesh : (tensor<3x5xi32>, tensor<3x5xi32>)
  // CHECK: %[[COUNTS:.+]] = comm.check_bound %[[RAW]] bound(41)
  // CHECK: moe.phase layout
  // CHECK: %[[RECEIVE:.+]]:2 = moe.count_offsets %[[COUNTS]]
  // CHECK: moe.phase exchange
  // CHECK: %[[N:.+]] = comm.host_extent %[[RECEIVE]]#0 bound(41)
  // CHECK: moe.phase layout
  // CHECK: %[[Q:.+]] = moe.slot_positions %[[COUNTS]] extent %[[N]]
  // CHECK: moe.phase other
  %l = moe.dispatch_layout %e placed by %p from_token %first over {"ep"} of @mesh exchange @x0
      : (tensor<?x2xi32>, !moe.placement_ref<7 experts>, index) -> !moe.layout<3 ranks x 5 slots>
  // CHECK: moe.phase permute
  // CHECK: %[[SENT:.+]] = moe.spread_rows %[[X]] to %[[SLOTS]]#0
  // CHECK: moe.phase exchange
  // CHECK: %[[SPACE:.+]] = tensor.empty(%[[N]]) : tensor<?x11xbf16>
  // CHECK: %[[ARRIVED:.+]] = comm.all_to_all_v %[[SENT]] by %[[SEND]]#0 into %[[SPACE]] by %[[RECEIVE]]#0 over {"ep"}
  // CHECK: moe.phase permute
  // CHECK: %[[ROWS:.+]] = moe.permute_rows %[[ARRIVED]] to %[[Q]] up_to %[[RECEIVE]]#1
  // CHECK: moe.phase experts
  %rows, %offsets = moe.dispatch %x by %l : (tensor<?x11xbf16>, !moe.layout<3 ranks x 5 slots>) -> (tensor<?x11xbf16>, tensor<?xi32>)
  // CHECK: moe.phase permute
  // CHECK: %[[BACK:.+]] = moe.permute_rows inverse %[[ROWS]] to %[[Q]] up_to %[[RECEIVE]]#1
  // CHECK: moe.phase exchange
  // CHECK: %[[HOME:.+]] = comm.all_to_all_v %[[BACK]] by %[[RECEIVE]]#0 into %{{.+}} by %[[SEND]]#0 over {"ep"}
  // CHECK: moe.phase combine
  // CHECK: moe.combine_rows %[[HOME]] at %[[SLOTS]]#0 weighted by %[[W]] :
  // CHECK: moe.phase other
  // CHECK-NOT: host_extent
  // CHECK-NOT: check_bound
  // CHECK: return
  %y = moe.combine %rows weighted by %w by %l : (tensor<?x11xbf16>, tensor<?x2xf32>, !moe.layout<3 ranks x 5 slots>) -> tensor<?x11xf32>
  return %y : tensor<?x11xf32>
}

// The host is not asked; counts are checked where they arrive.
// CHECK-LABEL: @bounded(
// CHECK-NOT: host_extent
func.func @bounded(%x: tensor<?x11xbf16>, %e: tensor<?x2xi32>, %p: !moe.placement_ref<7 experts>, %first: index) -> (tensor<?x11xbf16>, tensor<?xi32>) {
  // CHECK: %[[RAW:.+]] = comm.all_to_all
  // CHECK-NEXT: %[[COUNTS:.+]] = comm.check_bound %[[RAW]] bound(37)
  // CHECK: moe.count_offsets %[[COUNTS]]
  // CHECK: %[[N:.+]] = arith.constant 37 : index
  // CHECK: moe.slot_positions %[[COUNTS]] extent %[[N]]
  // CHECK: tensor.empty(%[[N]]) : tensor<?x11xbf16>
  // CHECK-NOT: host_extent
  // CHECK: return
  %l = moe.dispatch_layout %e placed by %p from_token %first over {"ep"} of @mesh exchange @x1
      : (tensor<?x2xi32>, !moe.placement_ref<7 experts>, index) -> !moe.layout<3 ranks x 5 slots>
  %rows, %offsets = moe.dispatch %x by %l : (tensor<?x11xbf16>, !moe.layout<3 ranks x 5 slots>) -> (tensor<?x11xbf16>, tensor<?xi32>)
  return %rows, %offsets : tensor<?x11xbf16>, tensor<?xi32>
}

// With a tensor axis in the experts, rows travel as wide as they are: whole
// on the way out, a slice on the way home.
// CHECK-LABEL: @narrow_home(
// CHECK: comm.all_to_all_v {{.*}} over {"ep"} {{.*}} -> tensor<?x11xbf16>
// CHECK: comm.all_to_all_v {{.*}} over {"ep"} {{.*}} -> tensor<?x4xbf16>
func.func @narrow_home(%x: tensor<?x11xbf16>, %narrow: tensor<?x4xbf16>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %p: !moe.placement_ref<7 experts>, %first: index) -> (tensor<?x11xbf16>, tensor<?x4xf32>) {
  %l = moe.dispatch_layout %e placed by %p from_token %first over {"ep"} of @mesh exchange @x0
      : (tensor<?x2xi32>, !moe.placement_ref<7 experts>, index) -> !moe.layout<3 ranks x 5 slots>
  %rows, %offsets = moe.dispatch %x by %l : (tensor<?x11xbf16>, !moe.layout<3 ranks x 5 slots>) -> (tensor<?x11xbf16>, tensor<?xi32>)
  %y = moe.combine %narrow weighted by %w by %l : (tensor<?x4xbf16>, tensor<?x2xf32>, !moe.layout<3 ranks x 5 slots>) -> tensor<?x4xf32>
  return %rows, %y : tensor<?x11xbf16>, tensor<?x4xf32>
}

// What a dropped choice returns stays at home.
// CHECK-LABEL: @dropped(
// CHECK-SAME: %[[X:.+]]: tensor<?x11xf32>, %[[ROWS:.+]]: tensor<?x11xf32>, %{{.+}}: tensor<?x2xi32>
// CHECK: moe.combine_rows %{{.+}} dropped %[[X]] :
func.func @dropped(%x: tensor<?x11xf32>, %rows: tensor<?x11xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %p: !moe.placement_ref<7 experts>, %first: index) -> tensor<?x11xf32> {
  %l = moe.dispatch_layout %e placed by %p from_token %first over {"ep"} of @mesh exchange @x0
      : (tensor<?x2xi32>, !moe.placement_ref<7 experts>, index) -> !moe.layout<3 ranks x 5 slots>
  %y = moe.combine %rows weighted by %w by %l dropped %x : (tensor<?x11xf32>, tensor<?x2xf32>, !moe.layout<3 ranks x 5 slots>, tensor<?x11xf32>) -> tensor<?x11xf32>
  return %y : tensor<?x11xf32>
}

// Routing is marked for the clock; what does not exchange stays as it is.
// CHECK-LABEL: @route(
// CHECK-NEXT: moe.phase router
// CHECK-NEXT: moe.score
// CHECK-NEXT: return
func.func @route(%z: tensor<?x7xf32>) -> tensor<?x7xf32> {
  %s = moe.score softmax %z : (tensor<?x7xf32>) -> tensor<?x7xf32>
  return %s : tensor<?x7xf32>
}

// The runtime is told which layer comes; a layer with a name has no number.
// CHECK-LABEL: @layers(
// CHECK: moe.enter_layer 3
// CHECK-NEXT: call @route
// CHECK-NOT: moe.enter_layer
// CHECK: return
func.func @layers(%z: tensor<?x7xf32>) -> tensor<?x7xf32> {
  %s = call @route(%z) {moe.layer = 3 : i64} : (tensor<?x7xf32>) -> tensor<?x7xf32>
  %t = call @route(%s) {moe.layer = "encoder.1"} : (tensor<?x7xf32>) -> tensor<?x7xf32>
  return %t : tensor<?x7xf32>
}
