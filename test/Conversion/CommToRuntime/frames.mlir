// RUN: moe-opt %s --convert-comm-to-runtime | FileCheck %s

// What the caller must supply, each thing once, in order of use.
// CHECK: module attributes {moe.groups = [#comm.axes<{"ep"}>]
// CHECK-SAME: moe.handles = [
// CHECK-SAME: {kind = "experts", placement = @p0, sharding = #comm.sharding<@mesh, [{}, {}, {"ep"}]>, type = !moe.weights<2x11x3xf32>, weight = @up},
// CHECK-SAME: {kind = "tensor", packed, type = !moe.weights<1x11x7xf32>, weight = @router},
// CHECK-SAME: {kind = "tensor", type = memref<7x11xf32>, weight = @router},
// CHECK-SAME: {kind = "placement", placement = @p0, type = !moe.placement_ref<5 experts>}]

// Symbols have done their work.
// CHECK-NOT: comm.mesh
// CHECK-NOT: moe.weight
// CHECK-NOT: moe.placement
// CHECK-NOT: moe.exchange
comm.mesh @mesh <["ep"=3]>
comm.topology @cluster tiers [link: 3 x 50.0 GB/s 5.0 us]
moe.weight @up "up.{e}" : !moe.weights<5x11x9xf32>
moe.weight @router "router" : tensor<7x11xf32>
moe.placement @p0 experts 5 over {"ep"} of @mesh slots [[0, 1], [2, 3], [4]]
moe.exchange @x0 flat_exact bound 64

// The entry is public and has a C interface; it hands its frame on.
// CHECK-LABEL: func.func @entry(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr, %{{.+}}: index) attributes {llvm.emit_c_interface}
func.func private @entry(%t: index) attributes {moe.entry} {
  // A handle is a load from the frame's table, 16 bytes in.
  // CHECK: %[[FIELD:.+]] = llvm.getelementptr %[[F]][16]
  // CHECK: %[[TABLE:.+]] = llvm.load %[[FIELD]]
  // CHECK: %[[ENTRY:.+]] = llvm.getelementptr %[[TABLE]][0]
  // CHECK: %[[UP:.+]] = llvm.load %[[ENTRY]]
  %up = moe.use_weight @up placed by @p0 sharded <@mesh, [{}, {}, {"ep"}]> : !moe.weights<2x11x3xf32>
  // CHECK: llvm.getelementptr %{{.+}}[1]
  %packed = moe.use_weight @router : !moe.weights<1x11x7xf32>
  // CHECK: llvm.getelementptr %{{.+}}[2]
  // CHECK: llvm.insertvalue
  // CHECK: builtin.unrealized_conversion_cast %{{.+}} : !llvm.struct<{{.*}}> to memref<7x11xf32>
  %dense = moe.use_weight @router : memref<7x11xf32>
  // CHECK: llvm.getelementptr %{{.+}}[3]
  %p = moe.use_placement @p0 layer 0 : !moe.placement_ref<5 experts>
  // The same thing again is the same handle.
  // CHECK: llvm.getelementptr %{{.+}}[0]
  %again = moe.use_weight @up placed by @p0 sharded <@mesh, [{}, {}, {"ep"}]> : !moe.weights<2x11x3xf32>
  // CHECK: %[[LAYER:.+]] = arith.constant 6 : i32
  // CHECK: call @moert_frame_layer(%[[F]], %[[LAYER]])
  moe.enter_layer 6
  // CHECK: call @inner(%[[F]], %[[UP]], {{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, memref<7x11xf32>, !llvm.ptr, index) -> ()
  call @inner(%up, %again, %dense, %p, %t) : (!moe.weights<2x11x3xf32>, !moe.weights<2x11x3xf32>, memref<7x11xf32>, !moe.placement_ref<5 experts>, index) -> ()
  // CHECK: call @hosted(%[[F]], %{{[a-z0-9_]+}}, %{{.+}}) : (!llvm.ptr, memref<7x11xf32>, index) -> ()
  call @hosted(%dense, %t) : (memref<7x11xf32>, index) -> ()
  // CHECK: call @kernel(%{{[a-z0-9_]+}}) : (memref<7x11xf32>) -> ()
  call @kernel(%dense) : (memref<7x11xf32>) -> ()
  return
}

// CHECK-LABEL: func.func private @inner(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr, %{{.+}}: !llvm.ptr, %{{.+}}: !llvm.ptr, %{{.+}}: memref<7x11xf32>, %[[P:.+]]: !llvm.ptr, %[[T:.+]]: index)
func.func private @inner(%a: !moe.weights<2x11x3xf32>, %b: !moe.weights<2x11x3xf32>, %d: memref<7x11xf32>, %p: !moe.placement_ref<5 experts>, %t: index) {
  // CHECK: %[[PHASE:.+]] = arith.constant 3 : i32
  // CHECK: call @moert_frame_phase(%[[F]], %[[PHASE]])
  moe.phase exchange
  // CHECK: llvm.insertvalue %[[P]]
  %table = moe.placement_table %p : !moe.placement_ref<5 experts> -> memref<64x5xi32>
  // CHECK: call @moert_frame_rank(%[[F]], %{{.+}}) : (!llvm.ptr, i32) -> i32
  %r = comm.rank over {"ep"} of @mesh
  %v = memref.load %table[%r, %r] : memref<64x5xi32>
  // T div 3 + (rank < T mod 3), as the difference of two beginnings.
  // CHECK: call @moert_frame_rank
  // CHECK-COUNT-2: arith.minui
  // CHECK: %[[N:.+]] = arith.subi
  %n = comm.local_extent %t over {"ep"} of @mesh
  // CHECK: call @moert_frame_rank
  // CHECK: arith.minui
  %first = comm.local_offset %n over {"ep"} of @mesh
  %offsets = memref.alloc() : memref<4xi32>
  // CHECK: scf.for
  // CHECK: memref.store
  comm.shard_offsets %first into %offsets over {"ep"} of @mesh : (index, memref<4xi32>) -> ()
  // CHECK: call @moert_frame_host_extent(%[[F]], {{.*}}) : (!llvm.ptr, i32, i64, i64) -> i64
  %e = comm.host_extent %offsets bound(17) : memref<4xi32>
  %counts = memref.alloc(%e) : memref<?x2xi32>
  // A failure leaves zeros, so that what still runs stays inside.
  // CHECK: call @moert_frame_host_extent
  // CHECK: scf.if
  // CHECK: memref.store
  comm.check_bound %counts bound(19) : (memref<?x2xi32>) -> ()
  return
}

// Kernels do not communicate and take no frame.
// CHECK: func.func private @kernel(memref<7x11xf32>) attributes {moe.kernel}
func.func private @kernel(memref<7x11xf32>) attributes {moe.kernel}

// What the host brings is called through the C interface.
// CHECK: func.func private @hosted(!llvm.ptr, memref<7x11xf32>, index) attributes {llvm.emit_c_interface}
func.func private @hosted(memref<7x11xf32>, index)
