// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-loops --split-input-file | FileCheck %s

// CHECK-LABEL: @score_softmax
// CHECK-SAME: (%[[Z:.*]]: memref<?x8xbf16>, %[[S:.*]]: memref<?x8xf32>)
// CHECK: %[[EXPS:.*]] = memref.alloca() : memref<8xf32>
// CHECK: scf.for %[[T:.*]] =
// CHECK: %[[MAX:.*]] = scf.for
// CHECK: arith.cmpf ogt
// CHECK: %[[PART:.*]] = vector.load %[[Z]]
// CHECK: %[[WIDE:.*]] = arith.extf %[[PART]] : vector<8xbf16> to vector<8xf32>
// CHECK: math.exp
// CHECK: %[[SUM:.*]] = scf.for
// CHECK: arith.addf
// CHECK: arith.divf
// CHECK: vector.store %{{.*}}, %[[S]][%[[T]], %{{.*}}]
func.func @score_softmax(%z: memref<?x8xbf16>, %s: memref<?x8xf32>) {
  moe.score softmax %z into %s : (memref<?x8xbf16>, memref<?x8xf32>) -> ()
  return
}

// -----

// The best four are one vector; an expert that beats the last of them goes in.

// CHECK-LABEL: @select_top_4
// CHECK-SAME: (%[[S:.*]]: memref<?x60xf32>, %[[E:.*]]: memref<?x4xi32>, %[[W:.*]]: memref<?x4xf32>)
// CHECK-NOT: memref.alloca
// CHECK: scf.for %[[T:.*]] =
// CHECK: %[[LIST:.*]]:3 = scf.for %[[I:.*]] = %{{.*}} to %c60{{.*}} iter_args(%{{.*}}, %{{.*}}, %[[LAST:.*]] = %{{.*}}) -> (vector<4xf32>, vector<4xi32>, f32)
// CHECK: %[[SCORE:.*]] = memref.load %[[S]][%[[T]], %[[I]]]
// CHECK: %[[NUMBER:.*]] = arith.select
// CHECK: %[[ENTERS:.*]] = arith.cmpf ugt, %[[NUMBER]], %[[LAST]]
// CHECK: scf.if %[[ENTERS]]
// CHECK: vector.store %[[LIST]]#1, %[[E]]
// CHECK: scf.for
// CHECK: memref.store %{{.*}}, %[[W]]
func.func @select_top_4(%s: memref<?x60xf32>, %e: memref<?x4xi32>, %w: memref<?x4xf32>) {
  moe.select top_k 4 %s into %e, %w : (memref<?x60xf32>, memref<?x4xi32>, memref<?x4xf32>) -> ()
  return
}

// -----

// A limit that keeps every group is none.

// CHECK-LABEL: @select_all_groups
// CHECK-NOT: memref.alloca
func.func @select_all_groups(%s: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>) {
  moe.select top_k 2 %s limit <groups = 2, keep = 2, score = max, mask = zero> into %e, %w
      : (memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  return
}

// -----

// Buffers on the stack are made once, not in the loop around the op.

// CHECK-LABEL: @select_in_loop
// CHECK: memref.alloca() : memref<8xf32>
// CHECK: scf.for
func.func @select_in_loop(%n: index, %s: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    moe.select top_k 2 %s limit <groups = 4, keep = 2, score = max, mask = zero> into %e, %w
        : (memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  }
  return
}

// -----

// CHECK-LABEL: @weigh_sum
// CHECK: %[[S:.*]] = vector.load %{{.*}} : memref<?x6xf32>, vector<6xf32>
// CHECK: %[[SUM:.*]] = vector.reduction <add>, %[[S]] : vector<6xf32> into f32
// CHECK: arith.addf %[[SUM]]
// CHECK: arith.divf %[[S]]
// CHECK: arith.mulf
// CHECK: arith.truncf %{{.*}} : vector<6xf32> to vector<6xbf16>
func.func @weigh_sum(%s: memref<?x6xf32>, %w: memref<?x6xbf16>) {
  moe.weigh sum %s into %w epsilon 1.0e-20 scale 2.5 : (memref<?x6xf32>, memref<?x6xbf16>) -> ()
  return
}

// -----

// CHECK-LABEL: @limit_capacity_count
// CHECK-SAME: (%[[E:.*]]: memref<?x2xi32>, %[[K:.*]]: memref<?x2xi32>)
// CHECK: %[[COUNTS:.*]] = memref.alloca() : memref<8xi32>
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %c2
// CHECK: scf.for %[[T:.*]] =
// CHECK: %[[CHOSEN:.*]] = memref.load %[[E]][%[[T]], %[[J]]]
// CHECK: %[[NUMBER:.*]] = memref.load %[[COUNTS]]
// CHECK: memref.store %{{.*}}, %[[COUNTS]]
// CHECK: arith.cmpi slt, %[[NUMBER]], %c64_i32
// CHECK: memref.store %[[CHOSEN]], %[[K]][%[[T]], %[[J]]]
func.func @limit_capacity_count(%e: memref<?x2xi32>, %k: memref<?x2xi32>) {
  moe.limit_capacity %e into %k group <all> capacity <count = 64> order choice_then_token experts 8
      : (memref<?x2xi32>, memref<?x2xi32>) -> ()
  return
}
