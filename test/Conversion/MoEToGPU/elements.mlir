// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-gpu --canonicalize --split-input-file | FileCheck %s

#map = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>

// A thread an element; constants from outside come along.

// CHECK-LABEL: gpu.func @moe_generic_nx48_bf16
// CHECK: %[[POINTS:.*]] = arith.muli %{{.*}}, %c48
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[POINTS]]
// CHECK: %[[COLUMN:.*]] = arith.remui %[[I]], %c48
// CHECK: %[[ROW:.*]] = arith.divui %[[I]], %c48
// CHECK: memref.load %{{.*}}[%[[ROW]], %[[COLUMN]]] : memref<?x48xf32, 1>
// CHECK: memref.load %{{.*}}[%[[COLUMN]]] : memref<48xf32, 1>
// CHECK: arith.mulf %{{.*}}, %cst
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[ROW]], %[[COLUMN]]] : memref<?x48xbf16, 1>
// CHECK-LABEL: func.func @scaled
func.func @scaled(%x: memref<?x48xf32>, %b: memref<48xf32>, %y: memref<?x48xbf16>) {
  %half = arith.constant 5.000000e-01 : f32
  linalg.generic {indexing_maps = [#map, #column, #map], iterator_types = ["parallel", "parallel"]} ins(%x, %b : memref<?x48xf32>, memref<48xf32>) outs(%y : memref<?x48xbf16>) {
  ^bb0(%in: f32, %bias: f32, %out: bf16):
    %s = arith.addf %in, %bias : f32
    %h = arith.mulf %s, %half : f32
    %t = arith.truncf %h : f32 to bf16
    linalg.yield %t : bf16
  }
  return
}

// -----

// A sum is one thread's, in the order of its loop.

// CHECK-LABEL: gpu.func @moe_matmul_16x24_f32
// CHECK: scf.for %{{.*}} to %c384
// CHECK: %[[INIT:.*]] = memref.load
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args(%{{.*}} = %[[INIT]])
// CHECK: memref.store %[[SUM]]
// CHECK-LABEL: func.func @matmul
func.func @matmul(%a: memref<16x32xf32>, %b: memref<32x24xf32>, %c: memref<16x24xf32>) {
  linalg.matmul ins(%a, %b : memref<16x32xf32>, memref<32x24xf32>) outs(%c : memref<16x24xf32>)
  return
}

// -----

// Stores of the host become one kernel.

// CHECK-LABEL: gpu.func @moe_store_2_i32
// CHECK-SAME: (%{{.*}}: !llvm.ptr<1>, %[[N:.*]]: i64)
// CHECK: memref.store %c0_i32, %{{.*}}[%c0]
// CHECK: %[[VALUE:.*]] = arith.trunci %[[N]]
// CHECK: memref.store %[[VALUE]], %{{.*}}[%c1]
// CHECK-LABEL: func.func @offsets
// CHECK-NOT: memref.store
func.func @offsets(%o: memref<2xi32>, %n: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i32
  memref.store %zero, %o[%c0] : memref<2xi32>
  memref.store %n, %o[%c1] : memref<2xi32>
  return
}
