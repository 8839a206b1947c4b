// RUN: moe-opt %s --pass-pipeline="builtin.module(eliminate-empty-tensors,one-shot-bufferize{bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map allow-return-allocs-from-loops})" | FileCheck %s --implicit-check-not=bufferization. --implicit-check-not=memref.copy

// Every operation with tensors has a form on buffers.

comm.mesh @mesh <["ep"=3]>
moe.weight @router "router" : tensor<7x11xf32>

// A collective writes its destination in place.
// CHECK-LABEL: @collectives(
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<9x5xf32>, %[[B:[a-z0-9]+]]: memref<9x5xf32>, %[[P:[a-z0-9]+]]: memref<3x5xf32>, %[[O:[a-z0-9]+]]: memref<4xi32>
func.func @collectives(%a: tensor<9x5xf32>, %b: tensor<9x5xf32> {bufferization.writable = true}, %p: tensor<3x5xf32> {bufferization.writable = true}, %o: tensor<4xi32>) {
  // CHECK: comm.all_to_all_v %[[A]] by %[[O]] into %[[B]] by %[[O]] over
  %0 = comm.all_to_all_v %a by %o into %b by %o over {"ep"} of @mesh : (tensor<9x5xf32>, tensor<4xi32>, tensor<9x5xf32>, tensor<4xi32>) -> tensor<9x5xf32>
  // CHECK: comm.all_to_all %[[A]] into %[[B]] over
  %1 = comm.all_to_all %a into %0 over {"ep"} of @mesh : (tensor<9x5xf32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  // CHECK: comm.reduce_scatter sum %[[A]] into %[[P]] over
  %2 = comm.reduce_scatter sum %a into %p over {"ep"} of @mesh : (tensor<9x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  // CHECK: comm.all_gather %[[P]] into %[[B]] over
  %3 = comm.all_gather %2 into %1 over {"ep"} of @mesh : (tensor<3x5xf32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  // CHECK: comm.all_gather_v %[[P]] into %[[B]] by %[[O]] over
  %4 = comm.all_gather_v %2 into %3 by %o over {"ep"} of @mesh : (tensor<3x5xf32>, tensor<9x5xf32>, tensor<4xi32>) -> tensor<9x5xf32>
  // CHECK: comm.all_reduce max %[[A]] into %[[B]] over
  %5 = comm.all_reduce max %a into %4 over {"ep"} of @mesh : (tensor<9x5xf32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return
}

// CHECK-LABEL: @counts(
// CHECK-SAME: %[[N:[a-z0-9]+]]: index, %[[C:[a-z0-9]+]]: memref<3x2xi32>
func.func @counts(%n: index, %c: tensor<3x2xi32> {bufferization.writable = true}) -> (index, tensor<3x2xi32>) {
  // CHECK: %[[OFFSETS:.+]] = memref.alloc(){{.*}} : memref<4xi32>
  // CHECK: comm.shard_offsets %[[N]] into %[[OFFSETS]] over
  %o = comm.shard_offsets %n over {"ep"} of @mesh : (index) -> tensor<4xi32>
  // CHECK: comm.host_extent %[[OFFSETS]] bound(17)
  %e = comm.host_extent %o bound(17) : tensor<4xi32>
  // CHECK: comm.check_bound %[[C]] bound(17)
  %k = comm.check_bound %c bound(17) : (tensor<3x2xi32>) -> tensor<3x2xi32>
  return %e, %k : index, tensor<3x2xi32>
}

// CHECK-LABEL: @routing(
// CHECK-SAME: %[[T:[a-z0-9]+]]: index, %[[Z:[a-z0-9]+]]: memref<?x7xf32>
func.func @routing(%t: index, %z: tensor<?x7xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>, tensor<1x2x7xi32>) {
  // CHECK: %[[SCORES:.+]] = memref.alloc(%{{.+}}){{.*}} : memref<?x7xf32>
  // CHECK: moe.score sigmoid %[[Z]] into %[[SCORES]]
  %s = moe.score sigmoid %z : (tensor<?x7xf32>) -> tensor<?x7xf32>
  // CHECK: moe.select top_k 2 %[[SCORES]] into %[[E:.+]], %[[S:.+]] :
  %e, %v = moe.select top_k 2 %s : (tensor<?x7xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>)
  // CHECK: moe.weigh sum %[[S]] into %[[W:[a-z0-9_]+]]
  %w = moe.weigh sum %v : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %c0 = arith.constant 0 : index
  // CHECK: moe.count_choices %[[E]] {{.*}} into %{{.*}} group <all>
  %c = moe.count_choices %e from_token %c0 tokens %t group <all> experts 7 : (tensor<?x2xi32>, index, index) -> tensor<1x2x7xi32>
  // CHECK: moe.limit_capacity %[[E]] into %{{.*}} group <all>
  %k = moe.limit_capacity %e group <all> capacity <count = 3> order choice_then_token experts 7 : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return %k, %w, %c : tensor<?x2xi32>, tensor<?x2xf32>, tensor<1x2x7xi32>
}

// CHECK-LABEL: @rows(
func.func @rows(%x: tensor<?x11xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>, %p: !moe.placement_ref<7 experts>, %ws: !moe.weights<5x11x13xf32>, %n: index) -> tensor<?x13xf32> {
  %c0 = arith.constant 0 : index
  // CHECK: moe.assign_slots {{.*}} into %[[POSITION:.+]], %[[COUNTS:[a-z0-9_]+]] :
  %position, %counts = moe.assign_slots %e placed by %p from_token %c0 : (tensor<?x2xi32>, !moe.placement_ref<7 experts>, index) -> (tensor<?x2xi32>, tensor<3x5xi32>)
  // CHECK: %[[RANK:.+]] = memref.alloc(){{.*}} : memref<4xi32>
  // CHECK: %[[SLOT:.+]] = memref.alloc(){{.*}} : memref<6xi32>
  // CHECK: moe.count_offsets %[[COUNTS]] into %[[RANK]], %[[SLOT]] : (memref<3x5xi32>, memref<4xi32>, memref<6xi32>)
  %by_rank, %by_slot = moe.count_offsets %counts : (tensor<3x5xi32>) -> (tensor<4xi32>, tensor<6xi32>)
  // CHECK: moe.slot_positions %[[COUNTS]] extent %{{.*}} into %[[Q:[a-z0-9_]+]]
  %q = moe.slot_positions %counts extent %n : (tensor<3x5xi32>, index) -> tensor<?xi32>
  // CHECK: moe.spread_rows %{{.*}} to %[[POSITION]] into %[[SENT:[a-z0-9_]+]]
  %sent = moe.spread_rows %x to %position : (tensor<?x11xf32>, tensor<?x2xi32>) -> tensor<?x11xf32>
  // CHECK: moe.permute_rows %[[SENT]] to %[[Q]] up_to %[[SLOT]] into %[[SORTED:[a-z0-9_]+]]
  %sorted = moe.permute_rows %sent to %q up_to %by_slot : (tensor<?x11xf32>, tensor<?xi32>, tensor<6xi32>) -> tensor<?x11xf32>
  // CHECK: moe.grouped_matmul %[[SORTED]] by %{{.*}} at %[[SLOT]] into %[[OUT:[a-z0-9_]+]]
  %out = moe.grouped_matmul %sorted by %ws at %by_slot : (tensor<?x11xf32>, !moe.weights<5x11x13xf32>, tensor<6xi32>) -> tensor<?x13xf32>
  // CHECK: moe.combine_rows %[[OUT]] at %[[POSITION]] weighted by %{{.*}} into
  %y = moe.combine_rows %out at %position weighted by %w : (tensor<?x13xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x13xf32>
  return %y : tensor<?x13xf32>
}

// A weight is never written.
// CHECK-LABEL: @weight(
func.func @weight(%v: f32) -> tensor<7x11xf32> {
  // CHECK: moe.use_weight @router : memref<7x11xf32>
  // CHECK: %[[OWN:.+]] = memref.alloc()
  // CHECK: linalg.fill {{.*}} outs(%[[OWN]] :
  %w = moe.use_weight @router : tensor<7x11xf32>
  %f = linalg.fill ins(%v : f32) outs(%w : tensor<7x11xf32>) -> tensor<7x11xf32>
  return %f : tensor<7x11xf32>
}
