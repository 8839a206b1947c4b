// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-loops --split-input-file | FileCheck %s

// CHECK-LABEL: @assign_slots
// CHECK-SAME: (%[[E:.*]]: memref<?x2xi32>, %[[PLACEMENT:.*]]: !moe.placement_ref<8 experts>, %[[FIRST:.*]]: index, %[[P:.*]]: memref<?x2xi32>, %[[C:.*]]: memref<4x3xi32>)
// CHECK: %[[NEXT:.*]] = memref.alloca() : memref<12xi32>
// CHECK: %[[COUNTS:.*]] = memref.collapse_shape %[[C]]
// CHECK: %[[TABLE:.*]] = moe.placement_table %[[PLACEMENT]] : !moe.placement_ref<8 experts> -> memref<64x8xi32>
// CHECK: %[[GLOBAL:.*]] = arith.addi %[[FIRST]]
// CHECK: %[[CLASS:.*]] = arith.remui %[[GLOBAL]], %c64
// CHECK: memref.load %[[TABLE]][%[[CLASS]],
// CHECK-NOT: moe.assign_slots
func.func @assign_slots(%e: memref<?x2xi32>, %placement: !moe.placement_ref<8 experts>, %first: index, %p: memref<?x2xi32>, %c: memref<4x3xi32>) {
  moe.assign_slots %e placed by %placement from_token %first into %p, %c
      : (memref<?x2xi32>, !moe.placement_ref<8 experts>, index, memref<?x2xi32>, memref<4x3xi32>) -> ()
  return
}

// -----

// CHECK-LABEL: @count_offsets
// CHECK-SAME: (%[[C:.*]]: memref<4x3xi32>, %[[RANK:.*]]: memref<5xi32>, %[[SLOT:.*]]: memref<4xi32>)
// CHECK: %[[ROWS:.*]] = scf.for %{{.*}} = %{{.*}} to %c4
// CHECK: memref.store %[[ROWS]], %[[RANK]][%c4
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %{{.*}} to %c3
// CHECK: memref.store %[[SUM]], %[[SLOT]][%c3
func.func @count_offsets(%c: memref<4x3xi32>, %r: memref<5xi32>, %s: memref<4xi32>) {
  moe.count_offsets %c into %r, %s : (memref<4x3xi32>, memref<5xi32>, memref<4xi32>) -> ()
  return
}

// -----

// CHECK-LABEL: @slot_positions
// CHECK-SAME: (%{{.*}}, %{{.*}}, %[[Q:.*]]: memref<?xi32>)
// CHECK: %[[EXTENT:.*]] = memref.dim %[[Q]]
// CHECK: %[[END:.*]] = arith.minsi %{{.*}}, %[[EXTENT]]
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[END]]
// CHECK: memref.store %{{.*}}, %[[Q]][%[[I]]]
func.func @slot_positions(%c: memref<4x3xi32>, %n: index, %q: memref<?xi32>) {
  moe.slot_positions %c extent %n into %q : (memref<4x3xi32>, index, memref<?xi32>) -> ()
  return
}
