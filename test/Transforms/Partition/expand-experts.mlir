// RUN: moe-opt %s --moe-expand-experts --split-input-file --verify-diagnostics | FileCheck %s

moe.weight @w "w.{e}" : !moe.weights<7x11x13xf32>
// The signature is the partitioned one; nothing of a placement is left.
// CHECK-LABEL: func.func private @experts(
// CHECK-SAME: %[[X:.+]]: tensor<?x11xf32>, %[[E:.+]]: tensor<?x3xi32>, %[[V:.+]]: tensor<?x3xf32>, %{{.+}}: index, %[[OUT:.+]]: tensor<?x13xf32> {bufferization.writable = true}) -> tensor<?x13xf32> attributes {moe.entry}
func.func @experts(%x: tensor<?x11xf32>, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>) -> tensor<?x13xf32> {
  %w = moe.use_weight @w : !moe.weights<7x11x13xf32>
  // CHECK: %[[SEVEN:.+]] = arith.constant 7 : index
  // CHECK: scf.for %[[I:.+]] = %{{.+}} to %[[SEVEN]] step
  // The rows of one expert, in the order (token, choice) ...
  // CHECK: tensor.extract %[[E]]
  // CHECK: %[[MINE:.+]]:2 = scf.for {{.*}} -> (tensor<?x11xf32>, index)
  // CHECK: %[[OFFSETS:.+]] = tensor.generate
  // CHECK: %[[R:.+]] = moe.grouped_matmul %[[MINE]]#0 by %{{.+}} at %[[OFFSETS]]
  // ... back to (token, choice), then summed choice after choice.
  // CHECK: tensor.extract_slice %[[R]]
  // CHECK: tensor.extract %[[V]]
  // CHECK: arith.mulf
  // CHECK: arith.addf
  // CHECK: bufferization.materialize_in_destination %{{.+}} in %[[OUT]]
  // CHECK-NOT: moe.experts
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x11xf32>, tensor<?x3xi32>, tensor<?x3xf32>) -> tensor<?x13xf32> {
  ^bb0(%rows: tensor<?x11xf32>, %o: tensor<?xi32>):
    %r = moe.grouped_matmul %rows by %w at %o : (tensor<?x11xf32>, !moe.weights<7x11x13xf32>, tensor<?xi32>) -> tensor<?x13xf32>
    moe.yield %r : tensor<?x13xf32>
  }
  return %y : tensor<?x13xf32>
}

// Without matrices the placement says how many experts there are.
// CHECK-LABEL: @no_matrices(
// CHECK: %[[FIVE:.+]] = arith.constant 5 : index
// CHECK: scf.for %{{.+}} = %{{.+}} to %[[FIVE]] step
func.func @no_matrices(%x: tensor<?x11xf32>, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>, %p: !moe.placement_ref<5 experts>) -> tensor<?x11xf32> {
  %y = moe.experts %x routed by %e weighted by %v placed by %p : (tensor<?x11xf32>, tensor<?x3xi32>, tensor<?x3xf32>, !moe.placement_ref<5 experts>) -> tensor<?x11xf32> {
  ^bb0(%rows: tensor<?x11xf32>, %o: tensor<?xi32>):
    moe.yield %rows : tensor<?x11xf32>
  }
  return %y : tensor<?x11xf32>
}

// A plan changes nothing: no reshard, no placement, shapes stay global.
// CHECK-LABEL: @planned(
// CHECK-SAME: %[[X:.+]]: tensor<8x11xf32>, %{{.+}}: index, %{{.+}}: tensor<8x11xf32>
// CHECK-NEXT: bufferization.materialize_in_destination %[[X]]
func.func @planned(%x: tensor<8x11xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> tensor<8x11xf32> {
  %r = comm.reshard %x to <@mesh, [{}, {}]> : tensor<8x11xf32>
  return %r : tensor<8x11xf32>
}
comm.mesh @mesh <["ep"=4]>

// -----

func.func @unknown_experts(%x: tensor<?x11xf32>, %e: tensor<?x3xi32>, %v: tensor<?x3xf32>) -> tensor<?x11xf32> {
  // expected-error @below {{expected a placement or matrices that say how many experts there are}}
  %y = moe.experts %x routed by %e weighted by %v : (tensor<?x11xf32>, tensor<?x3xi32>, tensor<?x3xf32>) -> tensor<?x11xf32> {
  ^bb0(%rows: tensor<?x11xf32>, %o: tensor<?xi32>):
    moe.yield %rows : tensor<?x11xf32>
  }
  return %y : tensor<?x11xf32>
}
