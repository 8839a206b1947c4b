// RUN: moe-opt %s --split-input-file --verify-diagnostics --comm-propagate-sharding --comm-insert-reshard --moe-partition | FileCheck %s

comm.mesh @mesh <["ep"=3]>
moe.exchange @x0 flat_exact bound 64
moe.placement @p0 experts 5 over {"ep"} of @mesh slots [[0, 1], [2, 3], [4]]

// What is written by hand becomes local, as the body of moe.experts does: tokens
// over the axes that exchange, slots over those of the placement.
// CHECK-LABEL: @gradient(
// CHECK-SAME: %[[X:.+]]: tensor<?x6xf32>{{.*}}, %[[DY:.+]]: tensor<?x4xf32>{{.*}}, %[[E:.+]]: tensor<?x2xi32>{{.*}}, %[[W:.+]]: tensor<?x2xf32>{{.*}}, %[[TOKENS:.+]]: index{{.*}}, %{{.+}}: tensor<?x6xf32>{{.*}}, %{{.+}}: tensor<?x6x4xf32>
func.func @gradient(%x: tensor<?x6xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %dy: tensor<?x4xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %e: tensor<?x2xi32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %w: tensor<?x2xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>})
    -> (tensor<?x6xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, tensor<5x6x4xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}, {}]>}) {
  %c0 = arith.constant 0 : index
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<5 experts>
  // CHECK: %[[FIRST:.+]] = comm.local_offset %[[TOKENS]] over {"ep"} of @mesh
  // CHECK: %[[L:.+]] = moe.dispatch_layout %[[E]] placed by %{{.+}} from_token %[[FIRST]] over {"ep"}
  %l = moe.dispatch_layout %e placed by %p from_token %c0 over {"ep"} of @mesh exchange @x0 : (tensor<?x2xi32>, !moe.placement_ref<5 experts>, index) -> !moe.layout<3 ranks x 2 slots>
  // CHECK: %[[XR:.+]], %[[O:.+]] = moe.dispatch %[[X]] by %[[L]] :
  %xr, %o = moe.dispatch %x by %l : (tensor<?x6xf32>, !moe.layout<3 ranks x 2 slots>) -> (tensor<?x6xf32>, tensor<?xi32>)
  // CHECK: %[[DYR:.+]], %{{.+}} = moe.dispatch %[[DY]] by %[[L]] weighted by %[[W]] :
  %dyr, %o1 = moe.dispatch %dy by %l weighted by %w : (tensor<?x4xf32>, !moe.layout<3 ranks x 2 slots>, tensor<?x2xf32>) -> (tensor<?x4xf32>, tensor<?xi32>)
  // CHECK: %[[N:.+]] = comm.local_extent %{{.+}} over {"ep"} of @mesh
  // CHECK: moe.grouped_outer_product %[[XR]] with %[[DYR]] at %[[O]] slots %[[N]] : {{.*}} -> tensor<?x6x4xf32>
  %dw = moe.grouped_outer_product %xr with %dyr at %o : (tensor<?x6xf32>, tensor<?x4xf32>, tensor<?xi32>) -> tensor<5x6x4xf32>
  // CHECK: moe.combine %[[XR]] weighted by %[[W]] by %[[L]] : {{.*}} -> tensor<?x6xf32>
  %y = moe.combine %xr weighted by %w by %l : (tensor<?x6xf32>, tensor<?x2xf32>, !moe.layout<3 ranks x 2 slots>) -> tensor<?x6xf32>
  return %y, %dw : tensor<?x6xf32>, tensor<5x6x4xf32>
}

// -----

comm.mesh @mesh <["ep"=2]>
moe.exchange @x0 flat_exact bound 64
// expected-note @below {{the placement is here}}
moe.placement @p0 experts 4 over {"ep"} of @mesh slots [[0, 2], [1, 3]]

func.func @out_of_order(%x: tensor<?x6xf32>, %e: tensor<?x2xi32>) -> tensor<4x6x6xf32> {
  %c0 = arith.constant 0 : index
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<4 experts>
  %l = moe.dispatch_layout %e placed by %p from_token %c0 over {"ep"} of @mesh exchange @x0 : (tensor<?x2xi32>, !moe.placement_ref<4 experts>, index) -> !moe.layout<2 ranks x 2 slots>
  %xr, %o = moe.dispatch %x by %l : (tensor<?x6xf32>, !moe.layout<2 ranks x 2 slots>) -> (tensor<?x6xf32>, tensor<?xi32>)
  // expected-error @below {{expected a placement that shares out experts in their order, each on one rank: sums of other slots would have to be brought together}}
  %dw = moe.grouped_outer_product %xr with %xr at %o : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<?xi32>) -> tensor<4x6x6xf32>
  return %dw : tensor<4x6x6xf32>
}

// -----

comm.mesh @mesh <["ep"=2]>

func.func @offsets_from_elsewhere(%x: tensor<?x6xf32>, %o: tensor<?xi32>) -> tensor<4x6x6xf32> {
  // expected-error @below {{expected the offsets of a moe.dispatch by a layout whose placement comes from moe.use_placement}}
  %dw = moe.grouped_outer_product %x with %x at %o : (tensor<?x6xf32>, tensor<?x6xf32>, tensor<?xi32>) -> tensor<4x6x6xf32>
  return %dw : tensor<4x6x6xf32>
}
