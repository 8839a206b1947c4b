// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-gpu --canonicalize --split-input-file | FileCheck %s

// A thread a token: all of a softmax is one thread's.

// CHECK-LABEL: gpu.func @moe_score_nx6_bf16
// CHECK: memref.alloca() {alignment = 16 : i64} : memref<6xf32>
// CHECK: %[[BLOCK:.*]] = gpu.block_id x
// CHECK: %[[FIRST:.*]] = arith.muli %[[BLOCK]], %c128
// CHECK: %[[THREAD:.*]] = arith.addi %[[FIRST]]
// CHECK: %[[THREADS:.*]] = arith.muli %{{.*}}, %c128
// CHECK: scf.for %{{.*}} = %[[THREAD]] to %{{.*}} step %[[THREADS]]
// CHECK: vector.load %{{.*}} {alignment = 4 : i64} : memref<?x6xbf16, 1>, vector<2xbf16>
// CHECK: math.exp
// CHECK-LABEL: func.func @softmax
// CHECK: arith.ceildivui %{{.*}}, %c128
func.func @softmax(%z: memref<?x6xbf16>, %s: memref<?x6xf32>) {
  moe.score softmax %z into %s : (memref<?x6xbf16>, memref<?x6xf32>) -> ()
  return
}

// -----

// Scores that stand alone are shared out over a warp.

// CHECK-LABEL: gpu.func @moe_score_nx256_f32
// CHECK: scf.for %{{.*}} = %{{.*}} to %c256 step %c128
// CHECK: vector.load %{{.*}} {alignment = 16 : i64} : memref<?x256xf32, 1>, vector<4xf32>
// CHECK-LABEL: func.func @sigmoid
// CHECK: arith.ceildivui %{{.*}}, %c4
func.func @sigmoid(%z: memref<?x256xf32>, %s: memref<?x256xf32>) {
  moe.score sigmoid %z into %s : (memref<?x256xf32>, memref<?x256xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: gpu.func @moe_select_16x8_f32
// CHECK: vector.store %{{.*}} {alignment = 8 : i64} : memref<16x2xi32, 1>, vector<2xi32>
// CHECK-LABEL: gpu.func @moe_weigh_16x2_f32
// CHECK-LABEL: func.func @select
// CHECK: gpu.launch_func @kernels::@moe_select_16x8_f32 blocks in (%c1, %c1, %c1) threads in (%c128,
// CHECK: gpu.launch_func @kernels::@moe_weigh_16x2_f32 blocks in (%c1, %c1, %c1) threads in (%c128,
func.func @select(%s: memref<16x8xf32>, %e: memref<16x2xi32>, %t: memref<16x2xf32>, %w: memref<16x2xbf16>) {
  moe.select top_k 2 %s into %e, %t : (memref<16x8xf32>, memref<16x2xi32>, memref<16x2xf32>) -> ()
  moe.weigh sum %t into %w : (memref<16x2xf32>, memref<16x2xbf16>) -> ()
  return
}
