// RUN: moe-opt %s --convert-launches-to-runtime --canonicalize | FileCheck %s --implicit-check-not="memref.alloc" --implicit-check-not="memref.copy"

// Bytes of 5 x 7 elements of two bytes.
// CHECK-LABEL: func.func @static(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr, %[[SOURCE:.+]]: memref<5x7xbf16>)
func.func @static(%frame: !llvm.ptr, %source: memref<5x7xbf16>) {
  // CHECK: %[[BYTES:.+]] = arith.constant 70 : i64
  // CHECK: %[[P:.+]] = call @moert_frame_allocate(%[[F]], %[[BYTES]]) : (!llvm.ptr, i64) -> !llvm.ptr
  %buffer = memref.alloc() : memref<5x7xbf16>
  // CHECK: memref.extract_aligned_pointer_as_index %[[SOURCE]]
  // CHECK: %[[FROM:.+]] = llvm.inttoptr
  // CHECK: call @moert_frame_copy(%[[F]], %{{.+}}, %[[FROM]], %[[BYTES]]) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
  memref.copy %source, %buffer : memref<5x7xbf16> to memref<5x7xbf16>
  // CHECK: call @moert_frame_deallocate(%[[F]], %{{.+}}, %[[BYTES]]) : (!llvm.ptr, !llvm.ptr, i64) -> ()
  memref.dealloc %buffer : memref<5x7xbf16>
  return
}

// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr, %[[ROWS:.+]]: index)
func.func @dynamic(%frame: !llvm.ptr, %rows: index) -> memref<?x3xf32> {
  // CHECK-DAG: %[[ROW:.+]] = arith.constant 12 : i64
  // CHECK-DAG: %[[EXTENT:.+]] = arith.index_cast %[[ROWS]] : index to i64
  // CHECK: %[[BYTES:.+]] = arith.muli %[[EXTENT]], %[[ROW]]
  // CHECK: call @moert_frame_allocate(%[[F]], %[[BYTES]])
  %buffer = memref.alloc(%rows) : memref<?x3xf32>
  return %buffer : memref<?x3xf32>
}

// Rows in the middle of a buffer follow one another.
// CHECK-LABEL: func.func @rows(
func.func @rows(%frame: !llvm.ptr, %all: memref<9x7xf32>, %some: memref<5x7xf32>) {
  %middle = memref.subview %all[2, 0] [5, 7] [1, 1] : memref<9x7xf32> to memref<5x7xf32, strided<[7, 1], offset: 14>>
  // CHECK: call @moert_frame_copy
  memref.copy %middle, %some : memref<5x7xf32, strided<[7, 1], offset: 14>> to memref<5x7xf32>
  return
}
