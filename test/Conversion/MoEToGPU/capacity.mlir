// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-gpu --canonicalize --split-input-file | FileCheck %s

// A warp an expert; a choice begins where the one before it ended. Weights are
// renormalized by a second kernel.

// CHECK-LABEL: gpu.func @moe_limit_capacity_nx2_i32
// CHECK: scf.for %{{.*}} = %{{.*}} to %c5 step
// CHECK: scf.for %[[J:.*]] = %c0 to %c2 step %c1 iter_args(%[[NEXT:.*]] = %c0_i32
// CHECK: scf.for %{{.*}} iter_args(%[[NUMBER:.*]] = %[[NEXT]])
// CHECK: %[[BITS:.*]] = nvvm.vote.sync ballot
// CHECK: %[[PLACE:.*]] = arith.addi %[[NUMBER]]
// CHECK: arith.cmpi slt, %[[PLACE]], %c7_i32
// CHECK: arith.select %{{.*}}, %{{.*}}, %c-1_i32
// CHECK: memref.store %{{.*}} : memref<?x2xi32, 1>
// CHECK-LABEL: gpu.func @moe_renormalize_nx2_i32
// CHECK: arith.divf
// CHECK-LABEL: func.func @limit
// CHECK: gpu.launch_func @kernels::@moe_limit_capacity_nx2_i32 blocks in (%c2, %c1, %c1)
// CHECK: gpu.launch_func @kernels::@moe_renormalize_nx2_i32
func.func @limit(%e: memref<?x2xi32>, %w: memref<?x2xf32>, %k: memref<?x2xi32>, %v: memref<?x2xf32>) {
  moe.limit_capacity %e weight %w into %k, %v group <all> capacity <count = 7> order choice_then_token experts 5 renormalize : (memref<?x2xi32>, memref<?x2xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  return
}

// -----

// Groups without tokens on this rank count none.

// CHECK-LABEL: gpu.func @moe_count_choices_nx2_i32
// CHECK: scf.for %[[PAIR:.*]] = %{{.*}} to %c10 step
// CHECK: %[[J:.*]] = arith.divui %[[PAIR]], %c5
// CHECK: %[[E:.*]] = arith.remui %[[PAIR]], %c5
// CHECK: memref.store %c0_i32, %{{.*}}[%{{.*}}, %[[J]], %[[E]]]
// CHECK: nvvm.bar.warp.sync
// CHECK: %[[SUM:.*]] = nvvm.redux.sync add
// CHECK: memref.store %[[SUM]], %{{.*}}[%{{.*}}, %[[J]], %[[E]]] : memref<3x2x5xi32, 1>
func.func @count(%e: memref<?x2xi32>, %t0: index, %t: index, %c: memref<3x2x5xi32>) {
  moe.count_choices %e from_token %t0 tokens %t into %c group <tokens 16> experts 5 : (memref<?x2xi32>, index, index, memref<3x2x5xi32>) -> ()
  return
}
