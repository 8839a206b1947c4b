// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-gpu --canonicalize --split-input-file | FileCheck %s

// A warp a row, of which each lane copies 16 bytes; warps that there are go
// over all rows. The launch has four warps a block.

// CHECK-LABEL: gpu.func @moe_spread_rows_nx520_bf16
// CHECK-SAME: (%{{.*}}: !llvm.ptr<1>, %{{.*}}: i64, %{{.*}}: !llvm.ptr<1>, %{{.*}}: i64, %{{.*}}: !llvm.ptr<1>, %{{.*}}: i64)
// CHECK-SAME: known_block_size = array<i32: 128, 1, 1>
// CHECK: %[[X:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x520xbf16, 1>
// CHECK: %[[Y:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x520xbf16, 1>
// CHECK: %[[WARP:.*]] = arith.divui %{{.*}}, %c32
// CHECK: %[[WARPS:.*]] = arith.divui %{{.*}}, %c32
// CHECK: scf.for %[[T:.*]] = %[[WARP]] to %{{.*}} step %[[WARPS]]
// CHECK: scf.for
// CHECK: %[[LANE:.*]] = arith.remui %{{.*}}, %c32
// CHECK: %[[FIRST:.*]] = arith.muli %[[LANE]], %c8
// CHECK: scf.for %[[H:.*]] = %[[FIRST]] to %c520 step %c256
// CHECK: %[[PART:.*]] = vector.load %[[X]][%[[T]], %[[H]]] {alignment = 16 : i64} : memref<?x520xbf16, 1>, vector<8xbf16>
// CHECK: vector.store %[[PART]], %[[Y]][%{{.*}}, %[[H]]] {alignment = 16 : i64}
// CHECK-LABEL: func.func @spread_rows
// CHECK: %[[TOKENS:.*]] = memref.dim %arg1
// CHECK: %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %arg0
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[TOKENS]], %c4
// CHECK: %[[SOME:.*]] = arith.minui %[[BLOCKS]], %c4096
// CHECK: gpu.launch_func @kernels::@moe_spread_rows_nx520_bf16 blocks in (%[[SOME]], %c1, %c1) threads in (%c128, %c1, %c1) args(
// CHECK-NOT: moe.spread_rows
func.func @spread_rows(%x: memref<?x520xbf16>, %p: memref<?x3xi32>, %y: memref<?x520xbf16>) {
  moe.spread_rows %x to %p into %y : (memref<?x520xbf16>, memref<?x3xi32>, memref<?x520xbf16>) -> ()
  return
}

// -----

// Rows of 100 bytes are aligned to 4: two elements at a time.

// CHECK-LABEL: gpu.func @moe_permute_rows_nx50_bf16
// CHECK: %[[FIRST:.*]] = arith.muli %{{.*}}, %c2
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %c50 step %c64
// CHECK: vector.load %{{.*}} {alignment = 4 : i64} : memref<?x50xbf16, 1>, vector<2xbf16>
// CHECK-LABEL: func.func @permute_odd_rows
func.func @permute_odd_rows(%x: memref<?x50xbf16>, %i: memref<?xi32>, %o: memref<5xi32>, %y: memref<?x50xbf16>) {
  moe.permute_rows %x to %i up_to %o into %y : (memref<?x50xbf16>, memref<?xi32>, memref<5xi32>, memref<?x50xbf16>) -> ()
  return
}

// -----

// Extents that a cast hides are known in the kernel; blocks are a constant. The
// sum runs over the choices in order, multiplied and added apart.

// CHECK-LABEL: gpu.func @moe_combine_rows_32x64_bf16
// CHECK-SAME: (%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>)
// CHECK: scf.for %{{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (vector<8xf32>)
// CHECK: %[[PRODUCT:.*]] = arith.mulf
// CHECK: arith.addf %[[SUM]], %[[PRODUCT]] : vector<8xf32>
// CHECK-LABEL: func.func @combine_rows
// CHECK: gpu.launch_func @kernels::@moe_combine_rows_32x64_bf16 blocks in (%c5, %c1, %c1) threads in (%c128,
func.func @combine_rows(%rows: memref<32x64xbf16>, %p: memref<17x2xi32>, %w: memref<17x2xf32>, %y: memref<17x64xf32>) {
  %cast = memref.cast %rows : memref<32x64xbf16> to memref<?x64xbf16>
  moe.combine_rows %cast at %p weighted by %w into %y : (memref<?x64xbf16>, memref<17x2xi32>, memref<17x2xf32>, memref<17x64xf32>) -> ()
  return
}

// -----

// Equal kernels are one; others of the same name get a number.

// CHECK-LABEL: gpu.func @moe_permute_rows_24x16_f32(
// CHECK-LABEL: gpu.func @moe_permute_rows_24x16_f32_v2(
// CHECK-NOT: gpu.func
// CHECK-LABEL: func.func @permute_twice
// CHECK: @kernels::@moe_permute_rows_24x16_f32 blocks
// CHECK: @kernels::@moe_permute_rows_24x16_f32_v2 blocks
// CHECK: @kernels::@moe_permute_rows_24x16_f32 blocks
func.func @permute_twice(%x: memref<24x16xf32>, %i: memref<24xi32>, %o: memref<5xi32>, %y: memref<24x16xf32>) {
  moe.permute_rows %x to %i up_to %o into %y : (memref<24x16xf32>, memref<24xi32>, memref<5xi32>, memref<24x16xf32>) -> ()
  moe.permute_rows inverse %y to %i up_to %o into %x : (memref<24x16xf32>, memref<24xi32>, memref<5xi32>, memref<24x16xf32>) -> ()
  moe.permute_rows %x to %i up_to %o into %y : (memref<24x16xf32>, memref<24xi32>, memref<5xi32>, memref<24x16xf32>) -> ()
  return
}
