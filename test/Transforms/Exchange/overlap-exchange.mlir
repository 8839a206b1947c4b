// RUN: moe-opt %s --moe-overlap-exchange | FileCheck %s

comm.mesh @mesh <["ep"=3]>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// The shared expert works while rows travel.
// CHECK-LABEL: @shared_expert(
// CHECK-SAME: %{{.+}}: tensor<?x11xf32>, %{{.+}}: tensor<5x11xf32>, %{{.+}}: tensor<?x5xf32>, %[[A:.+]]: tensor<?x11xf32>, %[[S:.+]]: tensor<?xi32>, %[[R:.+]]: tensor<?xi32>, %[[SPACE:.+]]: tensor<?x11xf32>
func.func @shared_expert(%x: tensor<?x11xf32>, %w: tensor<5x11xf32>, %out: tensor<?x5xf32>, %a: tensor<?x11xf32>, %s: tensor<?xi32>, %r: tensor<?xi32>, %space: tensor<?x11xf32>) -> (tensor<?x11xf32>, tensor<?x5xf32>) {
  // CHECK: %[[D:.+]], %[[T:.+]] = comm.start all_to_all_v %[[A]] by %[[S]], %[[R]] into %[[SPACE]] over {"ep"} of @mesh
  // CHECK-NEXT: moe.phase shared
  // CHECK-NEXT: linalg.matmul
  // CHECK-NEXT: moe.phase exchange
  // CHECK-NEXT: %[[W:.+]] = comm.wait %[[T]] reads %[[A]], %[[S]], %[[R]] into %[[D]]
  // CHECK-NEXT: moe.phase experts
  // CHECK-NEXT: return %[[W]]
  %b = comm.all_to_all_v %a by %s into %space by %r over {"ep"} of @mesh : (tensor<?x11xf32>, tensor<?xi32>, tensor<?x11xf32>, tensor<?xi32>) -> tensor<?x11xf32>
  moe.phase experts
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %b, %y : tensor<?x11xf32>, tensor<?x5xf32>
}

// CHECK-LABEL: @nothing_to_move(
// CHECK-NEXT: comm.all_to_all_v
// CHECK-NEXT: linalg.matmul
// CHECK-NEXT: return
func.func @nothing_to_move(%w: tensor<5x11xf32>, %out: tensor<?x5xf32>, %a: tensor<?x11xf32>, %s: tensor<?xi32>, %r: tensor<?xi32>, %space: tensor<?x11xf32>) -> tensor<?x5xf32> {
  %b = comm.all_to_all_v %a by %s into %space by %r over {"ep"} of @mesh : (tensor<?x11xf32>, tensor<?xi32>, tensor<?x11xf32>, tensor<?xi32>) -> tensor<?x11xf32>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%b, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// A constant alone is no work.
// CHECK-LABEL: @no_work(
// CHECK-NOT: comm.start
// CHECK: return
func.func @no_work(%a: tensor<?x11xf32>, %s: tensor<?xi32>, %r: tensor<?xi32>, %space: tensor<?x11xf32>) -> (tensor<?x11xf32>, index) {
  %b = comm.all_to_all_v %a by %s into %space by %r over {"ep"} of @mesh : (tensor<?x11xf32>, tensor<?xi32>, tensor<?x11xf32>, tensor<?xi32>) -> tensor<?x11xf32>
  %c3 = arith.constant 3 : index
  return %b, %c3 : tensor<?x11xf32>, index
}

// What needs the exchange, also through others, stays behind it.
// CHECK-LABEL: @only_independent_work(
func.func @only_independent_work(%v: f32, %x: tensor<?x11xf32>, %w: tensor<5x11xf32>, %out: tensor<?x5xf32>, %other: tensor<?x5xf32>, %a: tensor<?x11xf32>, %s: tensor<?xi32>, %r: tensor<?xi32>, %space: tensor<?x11xf32>) -> (tensor<?x5xf32>, tensor<?x5xf32>) {
  // CHECK: comm.start
  // CHECK: %[[FREE:.+]] = linalg.fill
  // CHECK: %[[SHARED:.+]] = linalg.matmul {{.*}} outs(%[[FREE]] :
  // CHECK: %[[W:.+]] = comm.wait
  // CHECK: %[[NEEDS:.+]] = linalg.matmul {{.*}} ins(%[[W]],
  // CHECK: linalg.add ins(%[[NEEDS]], %[[SHARED]] :
  %b = comm.all_to_all_v %a by %s into %space by %r over {"ep"} of @mesh : (tensor<?x11xf32>, tensor<?xi32>, tensor<?x11xf32>, tensor<?xi32>) -> tensor<?x11xf32>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%b, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  %zero = linalg.fill ins(%v : f32) outs(%out : tensor<?x5xf32>) -> tensor<?x5xf32>
  %z = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x11xf32>, tensor<5x11xf32>) outs(%zero : tensor<?x5xf32>) -> tensor<?x5xf32>
  %sum = linalg.add ins(%y, %z : tensor<?x5xf32>, tensor<?x5xf32>) outs(%other : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %sum, %z : tensor<?x5xf32>, tensor<?x5xf32>
}

// Collectives and calls keep their order.
// CHECK-LABEL: @network_keeps_order(
// CHECK: comm.start
// CHECK: linalg.fill
// CHECK: comm.wait
// CHECK: comm.all_reduce
// CHECK: call @attention
func.func @network_keeps_order(%v: f32, %x: tensor<?x11xf32>, %y: tensor<?x11xf32>, %a: tensor<?x11xf32>, %s: tensor<?xi32>, %r: tensor<?xi32>, %space: tensor<?x11xf32>) -> (tensor<?x11xf32>, tensor<?x11xf32>, tensor<?x11xf32>) {
  %b = comm.all_to_all_v %a by %s into %space by %r over {"ep"} of @mesh : (tensor<?x11xf32>, tensor<?xi32>, tensor<?x11xf32>, tensor<?xi32>) -> tensor<?x11xf32>
  %c = comm.all_reduce sum %x into %y over {"ep"} of @mesh : (tensor<?x11xf32>, tensor<?x11xf32>) -> tensor<?x11xf32>
  %d = call @attention(%x) : (tensor<?x11xf32>) -> tensor<?x11xf32>
  %e = linalg.fill ins(%v : f32) outs(%y : tensor<?x11xf32>) -> tensor<?x11xf32>
  return %b, %d, %e : tensor<?x11xf32>, tensor<?x11xf32>, tensor<?x11xf32>
}
func.func private @attention(tensor<?x11xf32>) -> tensor<?x11xf32>
