// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-gpu --canonicalize --split-input-file | FileCheck %s

// Two matrices share the rows: a tile of 128 rows and 64 columns of each, whose
// four stages of 64 bytes a row are 16 KiB each. Groups are gone over on the
// device; a step multiplies 2 x 4 x 8 fragments a warp.

// CHECK: llvm.mlir.global external @moe_shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
// CHECK-LABEL: gpu.func @moe_grouped_matmul_2048x768_bf16_bf16_by2
// CHECK-SAME: (%[[ROWS:.*]]: !llvm.ptr<1>, %[[GATE:.*]]: !llvm.ptr<1>, %[[UP:.*]]: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>)
// CHECK: %[[SHARED:.*]] = llvm.mlir.addressof @moe_shared
// CHECK: %[[BLOCK:.*]] = nvvm.read.ptx.sreg.ctaid.x
// CHECK: %[[BLOCKS:.*]] = nvvm.read.ptx.sreg.nctaid.x
// CHECK: scf.for %{{.*}} = %c0_i32 to %c128_i32 step %c1_i32 iter_args(%[[BEGIN:.*]] = %{{.*}}, %{{.*}} = %c0_i32, %[[NEXT:.*]] = %[[BLOCK]])
// CHECK: %[[END:.*]] = memref.load
// CHECK: %[[COUNT:.*]] = arith.subi %[[END]], %[[BEGIN]]
// CHECK: %[[DOWN:.*]] = arith.ceildivui %[[COUNT]], %c128_i32
// CHECK: arith.muli %[[DOWN]], %c12_i32
// CHECK: scf.for %{{.*}} = %[[NEXT]] to %{{.*}} step %[[BLOCKS]]
// CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache =  cg, %{{.*}} : !llvm.ptr<3>, !llvm.ptr<1>, i32
// CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache =  cg : !llvm.ptr<3>, !llvm.ptr<1>
// CHECK-COUNT-3: nvvm.cp.async.commit.group
// CHECK: scf.for %[[STEP:.*]] = %c0_i32 to %c64_i32
// CHECK: nvvm.cp.async.wait.group 2
// CHECK-NEXT: gpu.barrier
// CHECK: %[[AHEAD:.*]] = arith.addi %[[STEP]], %c3_i32
// CHECK: arith.cmpi slt, %[[AHEAD]], %c64_i32
// CHECK: nvvm.cp.async.commit.group
// CHECK-COUNT-5: nvvm.ldmatrix
// CHECK: nvvm.mma.sync A[{{.*}}] B[{{.*}}] C[{{.*}}] {{.*}}multiplicandAPtxType = #nvvm.mma_type<bf16>
// CHECK-COUNT-63: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
// CHECK: gpu.barrier
// CHECK: arith.mulf
// CHECK: llvm.store %{{.*}} {alignment = 4 : i64} : vector<2xbf16>, !llvm.ptr<1>
// CHECK-LABEL: func.func @gate_and_up
// CHECK: %[[TABLE:.*]] = builtin.unrealized_conversion_cast %arg1 : !moe.weights<128x2048x768xbf16> to !llvm.ptr
// CHECK: llvm.addrspacecast %[[TABLE]] : !llvm.ptr to !llvm.ptr<1>
// CHECK: gpu.launch_func @kernels::@moe_grouped_matmul_2048x768_bf16_bf16_by2 blocks in (%c-1, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size %c65536_i32
func.func @gate_and_up(%rows: memref<?x2048xbf16>, %g: !moe.weights<128x2048x768xbf16>, %u: !moe.weights<128x2048x768xbf16>, %off: memref<129xi32>, %out: memref<?x768xbf16>) {
  moe.grouped_matmul %rows by %g, %u at %off into %out : (memref<?x2048xbf16>, !moe.weights<128x2048x768xbf16>, !moe.weights<128x2048x768xbf16>, memref<129xi32>, memref<?x768xbf16>) -> () epilogue {
  ^bb0(%a: f32, %b: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.truncf %p : f32 to bf16
    moe.yield %t : bf16
  }
  return
}

// -----

// Few rows a group: tiles of 16 rows, which half of the threads copy, and more
// stages. All columns of the last tile are there in the packed matrix, of which
// only 1000 are stored.

// CHECK-LABEL: gpu.func @moe_grouped_matmul_768x1000_bf16_bf16
// CHECK: arith.ceildivui %{{.*}}, %c16_i32
// CHECK: arith.cmpi slt, %{{.*}}, %c16_i32
// CHECK-COUNT-5: nvvm.cp.async.commit.group
// CHECK: nvvm.cp.async.wait.group 4
// CHECK: arith.cmpi slt, %{{.*}}, %c1000_i32
// CHECK: llvm.store
// CHECK-LABEL: func.func @few_rows
// CHECK: dynamic_shared_memory_size %c55296_i32
func.func @few_rows(%rows: memref<256x768xbf16>, %d: !moe.weights<32x768x1000xbf16>, %off: memref<33xi32>, %out: memref<256x1000xbf16>) {
  moe.grouped_matmul %rows by %d at %off into %out : (memref<256x768xbf16>, !moe.weights<32x768x1000xbf16>, memref<33xi32>, memref<256x1000xbf16>) -> ()
  return
}

// -----

// One group whose offsets are constants: they are part of the code. Rows of
// 100 bytes are copied four at a time, and end inside a step.

// CHECK-LABEL: gpu.func @moe_grouped_matmul_50x33_bf16_f32
// CHECK: memref.alloca() : memref<2xi32>
// CHECK: scf.for %{{.*}} to %{{.*}} step
// CHECK: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 4, cache =  ca, %{{.*}} : !llvm.ptr<3>, !llvm.ptr<1>, i32
// CHECK: arith.cmpi slt, %{{.*}}, %c100_i32
// CHECK: llvm.store %{{.*}} : f32, !llvm.ptr<1>
memref.global "private" constant @offsets : memref<2xi32> = dense<[0, 24]>
func.func @router(%rows: memref<24x50xbf16>, %d: !moe.weights<1x50x33xbf16>, %out: memref<24x33xf32>) {
  %off = memref.get_global @offsets : memref<2xi32>
  moe.grouped_matmul %rows by %d at %off into %out : (memref<24x50xbf16>, !moe.weights<1x50x33xbf16>, memref<2xi32>, memref<24x33xf32>) -> ()
  return
}

// -----

// f32: fused multiply-adds, k ascending.

// CHECK-LABEL: gpu.func @moe_grouped_matmul_48x64_f32_f32
// CHECK: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr<3> -> vector<4xf32>
// CHECK-COUNT-512: llvm.intr.fma
// CHECK-NOT: llvm.intr.fma
// CHECK-NOT: mma
func.func @f32(%rows: memref<?x48xf32>, %d: !moe.weights<4x48x64xf32>, %off: memref<5xi32>, %out: memref<?x64xf32>) {
  moe.grouped_matmul %rows by %d at %off into %out : (memref<?x48xf32>, !moe.weights<4x48x64xf32>, memref<5xi32>, memref<?x64xf32>) -> ()
  return
}
