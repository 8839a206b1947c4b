// RUN: moe-opt %s --comm-propagate-sharding --comm-insert-reshard --moe-partition | FileCheck %s

comm.mesh @mesh <["dp"=3, "ep"=4, "etp"=2]>
moe.exchange @x0 flat_exact bound 64
moe.weight @up "up.{e}" : !moe.weights<10x12x6xf32>
moe.weight @down "down.{e}" : !moe.weights<10x6x14xf32>
// The slots of a rank are the most that any has: 3 of 10 experts on 4 ranks.
moe.placement @p0 experts 10 over {"ep"} of @mesh slots [[0, 1, 2], [3, 4, 5], [6, 7], [8, 9]]

// CHECK-LABEL: @two_axes(
// CHECK-SAME: %[[X:.+]]: tensor<?x12xf32>{{.*}}, %[[E:.+]]: tensor<?x5xi32>{{.*}}, %[[V:.+]]: tensor<?x5xf32>{{.*}}, %[[TOKENS:.+]]: index{{.*}}, %{{.+}}: tensor<?x7xf32>
func.func @two_axes(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}, %e: tensor<?x5xi32>, %v: tensor<?x5xf32>) -> tensor<?x14xf32> {
  // CHECK: %[[P:.+]] = moe.use_placement @p0
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<10 experts>
  // CHECK: %[[UP:.+]] = moe.use_weight @up placed by @p0 sharded <@mesh, [{}, {}, {"etp"}]> : !moe.weights<3x12x3xf32>
  %up = moe.use_weight @up placed by @p0 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]} : !moe.weights<10x12x6xf32>
  // CHECK: %[[DOWN:.+]] = moe.use_weight @down placed by @p0 sharded <@mesh, [{}, {}, {"etp"}]> : !moe.weights<3x6x7xf32>
  %down = moe.use_weight @down placed by @p0 {comm.result_shardings = [#comm.sharding<@mesh, [{}, {}, {"etp"}]>]} : !moe.weights<10x6x14xf32>
  // CHECK: %[[FIRST:.+]] = comm.local_offset %[[TOKENS]] over {"dp","ep"} of @mesh
  // CHECK: %[[L:.+]] = moe.dispatch_layout %[[E]] placed by %[[P]] from_token %[[FIRST]] over {"ep"} of @mesh exchange @x0 {{.*}} -> !moe.layout<4 ranks x 3 slots>
  // CHECK: %[[ROWS:.+]], %[[O:.+]] = moe.dispatch %[[X]] by %[[L]]
  // CHECK: %[[H:.+]] = moe.grouped_matmul %[[ROWS]] by %[[UP]] at %[[O]]
  // CHECK: comm.all_gather {{.*}} over {"etp"} of @mesh : (tensor<1x?x3xf32>, tensor<2x?x3xf32>)
  // CHECK: %[[WHOLE:.+]] = tensor.collapse_shape {{.*}} into tensor<?x6xf32>
  // CHECK: %[[D:.+]] = moe.grouped_matmul %[[WHOLE]] by %[[DOWN]] at %[[O]]
  // CHECK: moe.combine %[[D]] weighted by %[[V]] by %[[L]] : {{.*}} -> tensor<?x7xf32>
  // CHECK-NOT: moe.experts
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 : (tensor<?x12xf32>, tensor<?x5xi32>, tensor<?x5xf32>, !moe.placement_ref<10 experts>) -> tensor<?x14xf32> {
  ^bb0(%rows: tensor<?x12xf32>, %o: tensor<?xi32>):
    %h = moe.grouped_matmul %rows by %up at %o : (tensor<?x12xf32>, !moe.weights<10x12x6xf32>, tensor<?xi32>) -> tensor<?x6xf32>
    %d = moe.grouped_matmul %h by %down at %o : (tensor<?x6xf32>, !moe.weights<10x6x14xf32>, tensor<?xi32>) -> tensor<?x14xf32>
    moe.yield %d : tensor<?x14xf32>
  }
  return %y : tensor<?x14xf32>
}

// What a dropped choice returns is a whole row of x, so the result is whole:
// columns are gathered before they go home.
// CHECK-LABEL: @dropped(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x14xf32>
// CHECK: comm.all_gather {{.*}} over {"etp"} of @mesh : (tensor<1x?x7xf32>, tensor<2x?x7xf32>)
// CHECK: moe.combine {{.*}} dropped %[[X]] : {{.*}} -> tensor<?x14xf32>
func.func @dropped(%x: tensor<?x14xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %e: tensor<?x5xi32>, %v: tensor<?x5xf32>, %w: !moe.weights<10x14x14xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}, {"etp"}]>}) -> tensor<?x14xf32> {
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<10 experts>
  %y = moe.experts %x routed by %e weighted by %v placed by %p over {"ep"} of @mesh exchange @x0 dropped weighted_input : (tensor<?x14xf32>, tensor<?x5xi32>, tensor<?x5xf32>, !moe.placement_ref<10 experts>) -> tensor<?x14xf32> {
  ^bb0(%rows: tensor<?x14xf32>, %o: tensor<?xi32>):
    %d = moe.grouped_matmul %rows by %w at %o : (tensor<?x14xf32>, !moe.weights<10x14x14xf32>, tensor<?xi32>) -> tensor<?x14xf32>
    moe.yield %d : tensor<?x14xf32>
  }
  return %y : tensor<?x14xf32>
}

// Weights that no placement spreads stay whole.
// CHECK-LABEL: @one_matrix(
// CHECK-SAME: !moe.weights<1x12x6xf32>
func.func @one_matrix(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %w: !moe.weights<1x12x6xf32>, %o: tensor<?xi32>) -> tensor<?x6xf32> {
  %d = moe.grouped_matmul %x by %w at %o : (tensor<?x12xf32>, !moe.weights<1x12x6xf32>, tensor<?xi32>) -> tensor<?x6xf32>
  return %d : tensor<?x6xf32>
}

// Groups that span ranks: all ranks learn all counts.
// CHECK-LABEL: @capacity(
// CHECK-SAME: %[[E:.+]]: tensor<?x5xi32>{{.*}}, %[[TOKENS:.+]]: index
// CHECK-DAG: %[[FIRST:.+]] = comm.local_offset %[[TOKENS]] over {"dp","ep"}
// CHECK-DAG: %[[RANK:.+]] = comm.rank over {"dp","ep"}
// CHECK: %[[COUNTS:.+]] = moe.count_choices %[[E]] from_token %[[FIRST]] tokens %[[TOKENS]] group <sequence 16> experts 10 : {{.*}} -> tensor<?x5x10xi32>
// CHECK: %[[ALL:.+]] = comm.all_gather {{.*}} over {"dp","ep"} of @mesh : (tensor<1x?x5x10xi32>, tensor<12x?x5x10xi32>)
// CHECK: moe.limit_capacity %[[E]] taken %[[ALL]] from_token %[[FIRST]] tokens %[[TOKENS]] rank %[[RANK]] group <sequence 16>
func.func @capacity(%e: tensor<?x5xi32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}) -> tensor<?x5xi32> {
  %k = moe.limit_capacity %e group <sequence 16> capacity <count = 3> order choice_then_token experts 10 : (tensor<?x5xi32>) -> tensor<?x5xi32>
  return %k : tensor<?x5xi32>
}

// All tokens on one rank: nothing is gathered.
// CHECK-LABEL: @capacity_whole(
// CHECK-NOT: = comm.
// CHECK: moe.limit_capacity %{{[a-z0-9]+}} group <all>
func.func @capacity_whole(%e: tensor<?x5xi32>) -> tensor<?x5xi32> {
  %k = moe.limit_capacity %e group <all> capacity <count = 3> order choice_then_token experts 10 : (tensor<?x5xi32>) -> tensor<?x5xi32>
  return %k : tensor<?x5xi32>
}
