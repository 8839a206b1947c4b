// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-gpu --canonicalize --split-input-file | FileCheck %s

// Rank to rank go at most the 24 rows that a rank sends in all: 3 parts of 24.

// CHECK-LABEL: gpu.func @moe_pad_rows_72x64_bf16
// CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %c72
// CHECK: %[[PEER:.*]] = arith.divui %[[ROW]], %c24
// CHECK: %[[I:.*]] = arith.remui %[[ROW]], %c24
// CHECK: %[[PLACE:.*]] = arith.addi %{{.*}}, %[[I]]
// CHECK: arith.cmpi slt, %[[PLACE]]
// CHECK: %[[PART:.*]] = vector.load %{{.*}}[%[[PLACE]], %{{.*}}] {alignment = 16 : i64} : memref<24x64xbf16, 1>
// CHECK: vector.store %[[PART]], %{{.*}}[%[[ROW]], %{{.*}}]
// CHECK: vector.store %cst, %{{.*}}[%[[ROW]], %{{.*}}]
// CHECK-LABEL: gpu.func @moe_unpad_rows_72x64_bf16
// CHECK: vector.load %{{.*}} : memref<72x64xbf16, 1>
// CHECK: vector.store %{{.*}} : memref<60x64xbf16, 1>
// CHECK-LABEL: func.func @bounded
// CHECK: %[[SENT:.*]] = memref.alloc() {alignment = 64 : i64} : memref<72x64xbf16>
// CHECK: %[[RECEIVED:.*]] = memref.alloc() {alignment = 64 : i64} : memref<72x64xbf16>
// CHECK: gpu.launch_func @kernels::@moe_pad_rows_72x64_bf16 blocks in (%c18
// CHECK: comm.all_to_all %[[SENT]] into %[[RECEIVED]] over {"ep"} of @mesh
// CHECK: memref.dealloc %[[SENT]]
// CHECK: gpu.launch_func @kernels::@moe_unpad_rows_72x64_bf16 blocks in (%c18
// CHECK: memref.dealloc %[[RECEIVED]]
// CHECK-NOT: all_to_all_v
comm.mesh @mesh <["ep"=3]>
func.func @bounded(%rows: memref<24x64xbf16>, %send: memref<4xi32>, %space: memref<60x64xbf16>, %receive: memref<4xi32>) {
  comm.all_to_all_v %rows by %send into %space by %receive over {"ep"} of @mesh : (memref<24x64xbf16>, memref<4xi32>, memref<60x64xbf16>, memref<4xi32>) -> ()
  return
}

// -----

// Padding is put in before the start and taken out after the wait.

// CHECK-LABEL: func.func @in_flight
// CHECK: @moe_pad_rows_72x64_bf16
// CHECK: %[[TICKET:.*]] = comm.start all_to_all %[[SENT:.*]] into %[[RECEIVED:.*]] over
// CHECK: memref.copy
// CHECK: comm.wait %[[TICKET]] reads %[[SENT]] into %[[RECEIVED]]
// CHECK: @moe_unpad_rows_72x64_bf16
comm.mesh @mesh <["ep"=3]>
func.func @in_flight(%rows: memref<24x64xbf16>, %send: memref<4xi32>, %space: memref<60x64xbf16>, %receive: memref<4xi32>, %a: memref<8xf32>, %b: memref<8xf32>) {
  %ticket = comm.start all_to_all_v %rows by %send, %receive into %space over {"ep"} of @mesh : (memref<24x64xbf16>, memref<4xi32>, memref<4xi32>, memref<60x64xbf16>) -> !comm.pending
  memref.copy %a, %b : memref<8xf32> to memref<8xf32>
  comm.wait %ticket reads %rows, %send, %receive into %space : (!comm.pending, memref<24x64xbf16>, memref<4xi32>, memref<4xi32>, memref<60x64xbf16>) -> ()
  return
}

// -----

// Where the host asks how many rows come, nothing is padded.

// CHECK-LABEL: func.func @exact
// CHECK: comm.all_to_all_v
comm.mesh @mesh <["ep"=3]>
func.func @exact(%rows: memref<24x64xbf16>, %send: memref<4xi32>, %space: memref<?x64xbf16>, %receive: memref<4xi32>) {
  comm.all_to_all_v %rows by %send into %space by %receive over {"ep"} of @mesh : (memref<24x64xbf16>, memref<4xi32>, memref<?x64xbf16>, memref<4xi32>) -> ()
  return
}
