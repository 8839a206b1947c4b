// RUN: moe-opt %s --pass-pipeline="builtin.module(eliminate-empty-tensors,one-shot-bufferize{bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map allow-return-allocs-from-loops},canonicalize)" | FileCheck %s

// What is in flight between start and wait is never overwritten: whoever
// would, writes a buffer of its own.

comm.mesh @mesh <["ep"=3]>

// CHECK-LABEL: @source_overwritten_in_flight(
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<9x5xf32>
func.func @source_overwritten_in_flight(%a: tensor<9x5xf32> {bufferization.writable = true}, %s: tensor<4xi32>, %r: tensor<4xi32>, %v: f32) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  %space = tensor.empty() : tensor<9x5xf32>
  // CHECK: %[[T:.+]] = comm.start all_to_all_v %[[A]] by
  // CHECK: %[[OWN:.+]] = memref.alloc()
  // CHECK: linalg.fill {{.*}} outs(%[[OWN]] :
  // CHECK: comm.wait %[[T]] reads %[[A]],
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = linalg.fill ins(%v : f32) outs(%a : tensor<9x5xf32>) -> tensor<9x5xf32>
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, tensor<9x5xf32>
}

// A source that is only changed, not refilled, is copied.
// CHECK-LABEL: @source_changed_in_flight(
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<9x5xf32>
func.func @source_changed_in_flight(%a: tensor<9x5xf32> {bufferization.writable = true}, %s: tensor<4xi32>, %r: tensor<4xi32>, %v: f32, %i: index) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  %space = tensor.empty() : tensor<9x5xf32>
  // CHECK: comm.start all_to_all_v %[[A]] by
  // CHECK: memref.copy %[[A]], %[[OWN:[a-z0-9_]+]]
  // CHECK: memref.store %{{.*}}, %[[OWN]][
  // CHECK: comm.wait {{.*}} reads %[[A]],
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = tensor.insert %v into %a[%i, %i] : tensor<9x5xf32>
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, tensor<9x5xf32>
}

// CHECK-LABEL: @source_overwritten_after_wait(
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<9x5xf32>
func.func @source_overwritten_after_wait(%a: tensor<9x5xf32> {bufferization.writable = true}, %s: tensor<4xi32>, %r: tensor<4xi32>, %v: f32) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  // CHECK: memref.alloc()
  // CHECK-NOT: memref.alloc()
  // CHECK: comm.wait
  // CHECK: linalg.fill {{.*}} outs(%[[A]] :
  %space = tensor.empty() : tensor<9x5xf32>
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  %b = linalg.fill ins(%v : f32) outs(%a : tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, tensor<9x5xf32>
}

// A reader costs nothing.
// CHECK-LABEL: @source_read_in_flight(
// CHECK: memref.alloc()
// CHECK-NOT: memref.alloc()
// CHECK-NOT: memref.copy
// CHECK: return
func.func @source_read_in_flight(%a: tensor<9x5xf32> {bufferization.writable = true}, %s: tensor<4xi32>, %r: tensor<4xi32>, %i: index) -> (tensor<9x5xf32>, f32) {
  %space = tensor.empty() : tensor<9x5xf32>
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = tensor.extract %a[%i, %i] : tensor<9x5xf32>
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, f32
}

// CHECK-LABEL: @destination_overwritten_in_flight(
// CHECK-SAME: %[[SPACE:[a-z0-9]+]]: memref<9x5xf32>)
func.func @destination_overwritten_in_flight(%a: tensor<9x5xf32>, %s: tensor<4xi32>, %r: tensor<4xi32>, %v: f32, %space: tensor<9x5xf32> {bufferization.writable = true}) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  // CHECK: %[[OWN:.+]] = memref.alloc()
  // CHECK: comm.start {{.*}} into %[[OWN]] over
  // CHECK: linalg.fill {{.*}} outs(%[[SPACE]] :
  // CHECK: comm.wait {{.*}} into %[[OWN]] :
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = linalg.fill ins(%v : f32) outs(%space : tensor<9x5xf32>) -> tensor<9x5xf32>
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, tensor<9x5xf32>
}

// CHECK-LABEL: @destination_read_in_flight(
// CHECK-SAME: %[[A:[a-z0-9]+]]: memref<9x5xf32>, {{.*}} %[[SPACE:[a-z0-9]+]]: memref<9x5xf32>, %{{[a-z0-9]+}}: index
func.func @destination_read_in_flight(%a: tensor<9x5xf32>, %s: tensor<4xi32>, %r: tensor<4xi32>, %space: tensor<9x5xf32> {bufferization.writable = true}, %i: index) -> (tensor<9x5xf32>, f32) {
  // CHECK: %[[OWN:.+]] = memref.alloc()
  // CHECK: comm.start {{.*}} into %[[OWN]] over
  // CHECK: memref.load %[[SPACE]]
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = tensor.extract %space[%i, %i] : tensor<9x5xf32>
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, f32
}

// CHECK-LABEL: @offsets_overwritten_in_flight(
// CHECK-SAME: memref<9x5xf32>, %[[S:[a-z0-9]+]]: memref<4xi32>
func.func @offsets_overwritten_in_flight(%a: tensor<9x5xf32>, %s: tensor<4xi32> {bufferization.writable = true}, %r: tensor<4xi32>, %v: i32) -> (tensor<9x5xf32>, tensor<4xi32>) {
  %space = tensor.empty() : tensor<9x5xf32>
  // CHECK: comm.start all_to_all_v %{{.*}} by %[[S]],
  // CHECK: %[[OWN:.+]] = memref.alloc()
  // CHECK: linalg.fill {{.*}} outs(%[[OWN]] :
  // CHECK: comm.wait {{.*}} reads %{{.*}}, %[[S]],
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %b = linalg.fill ins(%v : i32) outs(%s : tensor<4xi32>) -> tensor<4xi32>
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %b : tensor<9x5xf32>, tensor<4xi32>
}

// Two exchanges into one destination are two buffers.
// CHECK-LABEL: @destination_shared_by_two(
func.func @destination_shared_by_two(%a: tensor<9x5xf32>, %s: tensor<4xi32>, %r: tensor<4xi32>, %space: tensor<9x5xf32> {bufferization.writable = true}) -> (tensor<9x5xf32>, tensor<9x5xf32>) {
  // CHECK: comm.start {{.*}} into %[[FIRST:[a-z0-9_]+]] over
  // CHECK: comm.start {{.*}} into %[[SECOND:[a-z0-9_]+]] over
  // CHECK: comm.wait {{.*}} into %[[FIRST]] :
  // CHECK-NOT: into %[[FIRST]] :
  // CHECK: comm.wait {{.*}} into %[[SECOND]] :
  %d, %t = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %d2, %t2 = comm.start all_to_all_v %a by %s, %r into %space over {"ep"} of @mesh
      : (tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> (tensor<9x5xf32>, !comm.pending)
  %w = comm.wait %t reads %a, %s, %r into %d
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  %w2 = comm.wait %t2 reads %a, %s, %r into %d2
      : (!comm.pending, tensor<9x5xf32>, tensor<4xi32>, tensor<4xi32>, tensor<9x5xf32>) -> tensor<9x5xf32>
  return %w, %w2 : tensor<9x5xf32>, tensor<9x5xf32>
}
