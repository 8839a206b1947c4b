// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-gpu --canonicalize --split-input-file | FileCheck %s

// A warp a destination: first it counts what goes to earlier ones, then it
// numbers its own, 32 at a time.

// CHECK-LABEL: gpu.func @moe_assign_slots_nx2_i32
// CHECK: scf.for %[[TO:.*]] = %{{.*}} to %c12 step
// CHECK: %[[EARLIER:.*]] = scf.for
// CHECK: arith.cmpi slt
// CHECK: %[[FIRST:.*]] = nvvm.redux.sync add %[[EARLIER]], %{{.*}} : i32
// CHECK: %[[END:.*]] = scf.for %{{.*}} iter_args(%[[NEXT:.*]] = %[[FIRST]])
// CHECK: %[[BITS:.*]] = nvvm.vote.sync ballot %{{.*}}, %{{.*}} -> i32
// CHECK: %[[BEFORE:.*]] = arith.andi %[[BITS]]
// CHECK: %[[COUNT:.*]] = math.ctpop %[[BEFORE]]
// CHECK: arith.addi %[[NEXT]], %[[COUNT]]
// CHECK: %[[OWN:.*]] = arith.subi %[[END]], %[[FIRST]]
// CHECK: memref.store %[[OWN]], %{{.*}} : memref<4x3xi32, 1>
// CHECK-NOT: atomic
// CHECK-LABEL: func.func @assign_slots
// CHECK: %[[TABLE:.*]] = moe.placement_table %arg1
// CHECK: memref.extract_aligned_pointer_as_index %[[TABLE]]
// CHECK: gpu.launch_func @kernels::@moe_assign_slots_nx2_i32 blocks in (%c3, %c1, %c1) threads in (%c128,
func.func @assign_slots(%e: memref<?x2xi32>, %p: !moe.placement_ref<9 experts>, %t0: index, %pos: memref<?x2xi32>, %counts: memref<4x3xi32>) {
  moe.assign_slots %e placed by %p from_token %t0 into %pos, %counts : (memref<?x2xi32>, !moe.placement_ref<9 experts>, index, memref<?x2xi32>, memref<4x3xi32>) -> ()
  return
}

// -----

// A warp an offset: 5 by rank and 4 by slot.

// CHECK-LABEL: gpu.func @moe_count_offsets_4x3_i32
// CHECK: scf.for %[[AT:.*]] = %{{.*}} to %c9 step
// CHECK: %[[BY_RANK:.*]] = arith.cmpi ult, %[[AT]], %c5
// CHECK: scf.if %[[BY_RANK]]
// CHECK: %[[SUM:.*]] = nvvm.redux.sync add
// CHECK: memref.store %[[SUM]], %{{.*}}[%[[AT]]] : memref<5xi32, 1>
// CHECK: %[[SLOT:.*]] = arith.subi %[[AT]], %c5
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[SLOT]]] : memref<4xi32, 1>
func.func @count_offsets(%counts: memref<4x3xi32>, %r: memref<5xi32>, %s: memref<4xi32>) {
  moe.count_offsets %counts into %r, %s : (memref<4x3xi32>, memref<5xi32>, memref<4xi32>) -> ()
  return
}

// -----

// A warp a run; nothing beyond the extent is written or pointed at.

// CHECK-LABEL: gpu.func @moe_slot_positions_4x3_i32
// CHECK: scf.for %{{.*}} = %{{.*}} to %c12 step
// CHECK: nvvm.redux.sync add
// CHECK: nvvm.redux.sync add
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %c32
// CHECK: %[[AT:.*]] = arith.addi %{{.*}}, %[[I]]
// CHECK: %[[IN:.*]] = arith.cmpi ult, %[[AT]], %{{.*}}
// CHECK: scf.if %[[IN]]
// CHECK: arith.minsi
func.func @slot_positions(%counts: memref<4x3xi32>, %n: index, %places: memref<?xi32>) {
  moe.slot_positions %counts extent %n into %places : (memref<4x3xi32>, index, memref<?xi32>) -> ()
  return
}

// -----

// The device is told, not the host.

// CHECK-LABEL: gpu.func @moe_check_bound_4x3_i32
// CHECK-SAME: (%{{.*}}: !llvm.ptr<1>, %[[WORDS:.*]]: !llvm.ptr<1>, %[[NUMBER:.*]]: i64)
// CHECK: %[[TOTAL:.*]] = nvvm.redux.sync add
// CHECK: %[[EXCEEDED:.*]] = arith.cmpi ugt, %[[TOTAL]], %c77_i32
// CHECK: scf.if %[[EXCEEDED]]
// CHECK: memref.store %{{.*}}, %{{.*}}[%c1]
// CHECK: memref.store %{{.*}}, %{{.*}}[%c2]
// CHECK: nvvm.memory.barrier
// CHECK: %[[REPORTED:.*]] = arith.addi %[[NUMBER]], %c1_i64
// CHECK: memref.store %[[REPORTED]], %{{.*}}[%c0]
// CHECK: memref.store %c0_i32, %{{.*}} : memref<4x3xi32, 1>
// CHECK-LABEL: func.func @check_bound
// CHECK: %[[W:.*]], %[[N:.*]] = comm.fault_words : memref<3xi64>, i64
// CHECK: gpu.launch_func @kernels::@moe_check_bound_4x3_i32 blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1) args({{.*}}, %[[N]] : i64)
// CHECK-NOT: comm.check_bound
func.func @check_bound(%counts: memref<4x3xi32>) {
  comm.check_bound %counts bound(77) : (memref<4x3xi32>) -> ()
  return
}
