// RUN: moe-opt %s --pass-pipeline="builtin.module(eliminate-empty-tensors,one-shot-bufferize{bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map allow-return-allocs-from-loops},canonicalize)" | FileCheck %s

// Buffers in flight across loops and branches.

comm.mesh @mesh <["ep"=3]>

// Each turn sends what the turn before wrote.
// CHECK-LABEL: @source_overwritten_in_loop(
func.func @source_overwritten_in_loop(%a: tensor<9x5xf32> {bufferization.writable = true}, %s: tensor<4xi32>, %r: tensor<4xi32>, %v: f32, %n: index) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<9x5xf32>
  // CHECK: scf.for {{.*}} iter_args(%[[SRC:.+]] = %{{.*}})
  // CHECK: comm.start all_to_all_v %[[SRC]] by
  // CHECK: %[[OWN:.+]] = memref.alloc()
  // CHECK: linalg.fill {{.*}} outs(%[[OWN]] :
  // CHECK: comm.wait {{.*}} reads %[[SRC]],
  // CHECK: scf.yield %[[OWN]]
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%src = %a, %dst = %e) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
    %d, %t = comm.start all_to_all_v %src by %s, %r into %dst over {"ep"} of @mesh
        : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
    %b = linalg.fill ins(%v : f32) outs(%src : tensor<9x5xf32>) -> tensor<9x5xf32>
    %w = comm.wait %t reads %src, %s, %r into %d
        : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
    scf.yield %b, %w : tensor<9x5xf32>, tensor<9x5xf32>
  }
  return %o#0, %o#1 : tensor<9x5xf32>, tensor<9x5xf32>
}

// The loop stands between start and wait.
// CHECK-LABEL: @loop_overwrites_source_in_flight(
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<9x5xf32>
func.func @loop_overwrites_source_in_flight(%a: tensor<9x5xf32> {bufferization.writable = true}, %s: tensor<4xi32>, %r: tensor<4xi32>, %v: f32, %n: index) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %space = tensor.empty() : tensor<9x5xf32>
  // CHECK: comm.start all_to_all_v %[[A]] by
  // CHECK: memref.copy %[[A]], %[[OWN:[a-z0-9_]+]]
  // CHECK: scf.for
  // CHECK: linalg.fill {{.*}} outs(%[[OWN]] :
  // CHECK: comm.wait {{.*}} reads %[[A]],
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %o = scf.for %i = %c0 to %n step %c1 iter_args(%x = %a) -> (tensor<9x5xf32>) {
    %b = linalg.fill ins(%v : f32) outs(%x : tensor<9x5xf32>) -> tensor<9x5xf32>
    scf.yield %b : tensor<9x5xf32>
  }
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %o : tensor<9x5xf32>, tensor<9x5xf32>
}

// One turn waits for what the turn before started.
// CHECK-LABEL: @pending_carried_by_loop(
func.func @pending_carried_by_loop(%a: tensor<9x5xf32> {bufferization.writable = true}, %s: tensor<4xi32>, %r: tensor<4xi32>, %v: f32, %n: index) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %space = tensor.empty() : tensor<9x5xf32>
  // CHECK: %[[T0:.+]] = comm.start {{.*}} into %[[D:.+]] over
  // CHECK: scf.for {{.*}} iter_args(%[[SRC:.+]] = %{{.*}}, %[[T:.+]] = %[[T0]])
  // CHECK: %[[OWN:.+]] = memref.alloc()
  // CHECK: linalg.fill {{.*}} outs(%[[OWN]] :
  // CHECK: comm.wait %[[T]] reads %[[SRC]], {{.*}} into %[[D]] :
  // CHECK: %[[T1:.+]] = comm.start all_to_all_v %[[OWN]] by {{.*}} into %[[D]] over
  // CHECK: scf.yield %[[OWN]], %[[T1]]
  %d0, %t0 = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %o:3 = scf.for %i = %c0 to %n step %c1 iter_args(%src = %a, %d = %d0, %t = %t0) -> (tensor<9x5xf32>, tensor<9x5xf32>, !comm.pending) {
    %b = linalg.fill ins(%v : f32) outs(%src : tensor<9x5xf32>) -> tensor<9x5xf32>
    %w = comm.wait %t reads %src, %s, %r into %d
        : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
    %d1, %t1 = comm.start all_to_all_v %b by %s, %r into %w over {"ep"} of @mesh
        : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
    scf.yield %b, %d1, %t1 : tensor<9x5xf32>, tensor<9x5xf32>, !comm.pending
  }
  %last = comm.wait %o#2 reads %o#0, %s, %r into %o#1
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %last, %o#0 : tensor<9x5xf32>, tensor<9x5xf32>
}

// CHECK-LABEL: @branch_overwrites_source_in_flight(
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<9x5xf32>
func.func @branch_overwrites_source_in_flight(%a: tensor<9x5xf32> {bufferization.writable = true}, %s: tensor<4xi32>, %r: tensor<4xi32>, %v: f32, %c: i1) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  %space = tensor.empty() : tensor<9x5xf32>
  // CHECK: comm.start all_to_all_v %[[A]] by
  // CHECK: scf.if
  // CHECK: %[[OWN:.+]] = memref.alloc()
  // CHECK: linalg.fill {{.*}} outs(%[[OWN]] :
  // CHECK: comm.wait {{.*}} reads %[[A]],
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = scf.if %c -> tensor<9x5xf32> {
    %f = linalg.fill ins(%v : f32) outs(%a : tensor<9x5xf32>) -> tensor<9x5xf32>
    scf.yield %f : tensor<9x5xf32>
  } else {
    scf.yield %a : tensor<9x5xf32>
  }
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, tensor<9x5xf32>
}

// CHECK-LABEL: @branch_overwrites_offsets_in_flight(
// CHECK-SAME: memref<9x5xf32>, %[[S:[a-z0-9]+]]: memref<4xi32>
func.func @branch_overwrites_offsets_in_flight(%a: tensor<9x5xf32>, %s: tensor<4xi32> {bufferization.writable = true}, %r: tensor<4xi32>, %v: i32, %c: i1) -> (tensor<9x5xf32>, tensor<4xi32>) {
  %space = tensor.empty() : tensor<9x5xf32>
  // CHECK: scf.if
  // CHECK-NOT: outs(%[[S]] :
  // CHECK: comm.wait {{.*}} reads %{{.*}}, %[[S]],
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = scf.if %c -> tensor<4xi32> {
    %f = linalg.fill ins(%v : i32) outs(%s : tensor<4xi32>) -> tensor<4xi32>
    scf.yield %f : tensor<4xi32>
  } else {
    scf.yield %s : tensor<4xi32>
  }
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, tensor<4xi32>
}
