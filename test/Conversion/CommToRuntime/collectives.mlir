// RUN: moe-opt %s --convert-comm-to-runtime | FileCheck %s --implicit-check-not="comm.all" --implicit-check-not="comm.re"

// Groups are numbered as they appear, collectives in program order.
// CHECK: module attributes {moe.groups = [#comm.axes<{"ep"}>, #comm.axes<{"dp"}>, #comm.axes<{"dp","ep"}>], moe.handles = []}
comm.mesh @mesh <["dp"=2, "ep"=3]>

// CHECK-LABEL: func.func @vector(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr, %[[A:.+]]: memref<?x5xbf16>, %[[S:.+]]: memref<4xi32>, %[[B:.+]]: memref<?x5xbf16>, %[[R:.+]]: memref<4xi32>)
func.func @vector(%a: memref<?x5xbf16>, %s: memref<4xi32>, %b: memref<?x5xbf16>, %r: memref<4xi32>) {
  // Bytes of a row: 5 x 2.
  // CHECK-DAG: memref.extract_aligned_pointer_as_index %[[A]]
  // CHECK-DAG: memref.extract_aligned_pointer_as_index %[[S]]
  // CHECK-DAG: memref.extract_aligned_pointer_as_index %[[B]]
  // CHECK-DAG: memref.extract_aligned_pointer_as_index %[[R]]
  // CHECK-DAG: arith.constant 5 : index
  // CHECK-DAG: arith.constant 2 : index
  // CHECK: call @moert_frame_all_to_all_v(%[[F]], {{.*}}) : (!llvm.ptr, i32, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
  comm.all_to_all_v %a by %s into %b by %r over {"ep"} of @mesh : (memref<?x5xbf16>, memref<4xi32>, memref<?x5xbf16>, memref<4xi32>) -> ()
  // CHECK: %[[GROUP:.+]] = arith.constant 0 : i32
  // CHECK: %[[ID:.+]] = arith.constant 1 : i32
  // CHECK: call @moert_frame_all_gather_v(%[[F]], %[[GROUP]], %[[ID]], {{.*}}) : (!llvm.ptr, i32, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
  comm.all_gather_v %a into %b by %r over {"ep"} of @mesh : (memref<?x5xbf16>, memref<?x5xbf16>, memref<4xi32>) -> ()
  return
}

// CHECK-LABEL: func.func @equal(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr
func.func @equal(%a: memref<6x5xf32>, %b: memref<6x5xf32>, %c: memref<12x5xf32>) {
  // A peer's bytes: all over the size of the group.
  // CHECK: %[[PEERS:.+]] = arith.constant 2 : i64
  // CHECK: %[[BYTES:.+]] = arith.divui %{{.+}}, %[[PEERS]]
  // CHECK: %[[GROUP:.+]] = arith.constant 1 : i32
  // CHECK: call @moert_frame_all_to_all(%[[F]], %[[GROUP]], %{{.+}}, %{{.+}}, %{{.+}}, %[[BYTES]])
  comm.all_to_all %a into %b over {"dp"} of @mesh : (memref<6x5xf32>, memref<6x5xf32>) -> ()
  // CHECK: call @moert_frame_all_gather(%[[F]], {{.*}}) : (!llvm.ptr, i32, i32, !llvm.ptr, !llvm.ptr, i64) -> ()
  comm.all_gather %a into %c over {"dp"} of @mesh : (memref<6x5xf32>, memref<12x5xf32>) -> ()
  return
}

// Reductions name the runtime's type and kind: f32 0, bf16 1, i32 7; max 1.
// CHECK-LABEL: func.func @reductions(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr
func.func @reductions(%a: memref<6x5xbf16>, %b: memref<6x5xbf16>, %c: memref<6xi32>, %d: memref<2xi32>) {
  // CHECK: %[[BF16:.+]] = arith.constant 1 : i32
  // CHECK: %[[SUM:.+]] = arith.constant 0 : i32
  // CHECK: call @moert_frame_all_reduce(%[[F]], {{.*}}, %[[BF16]], %[[SUM]]) : (!llvm.ptr, i32, i32, !llvm.ptr, !llvm.ptr, i64, i32, i32) -> ()
  comm.all_reduce sum %a into %b over {"dp","ep"} of @mesh : (memref<6x5xbf16>, memref<6x5xbf16>) -> ()
  // CHECK: %[[I32:.+]] = arith.constant 7 : i32
  // CHECK: %[[MAX:.+]] = arith.constant 1 : i32
  // CHECK: call @moert_frame_reduce_scatter(%[[F]], {{.*}}, %[[I32]], %[[MAX]])
  comm.reduce_scatter max %c into %d over {"ep"} of @mesh : (memref<6xi32>, memref<2xi32>) -> ()
  // CHECK: call @moert_frame_barrier(%[[F]], %{{.+}}, %{{.+}}) : (!llvm.ptr, i32, i32) -> ()
  comm.barrier over {"dp"} of @mesh
  return
}

// A start hands its ticket to the wait.
// CHECK-LABEL: func.func @split(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr
func.func @split(%a: memref<?x5xbf16>, %s: memref<4xi32>, %b: memref<?x5xbf16>, %r: memref<4xi32>) {
  // CHECK: %[[ID:.+]] = arith.constant 7 : i32
  // CHECK: %[[KIND:.+]] = arith.constant 0 : i32
  // CHECK: %[[T:.+]] = call @moert_frame_start(%[[F]], %{{.+}}, %[[ID]], {{.*}}, %[[KIND]]) : (!llvm.ptr, i32, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i32) -> i64
  %t = comm.start all_to_all_v %a by %s, %r into %b over {"ep"} of @mesh : (memref<?x5xbf16>, memref<4xi32>, memref<4xi32>, memref<?x5xbf16>) -> !comm.pending
  // CHECK: call @moert_frame_wait(%[[F]], %[[T]]) : (!llvm.ptr, i64) -> ()
  comm.wait %t reads %a, %s, %r into %b : (!comm.pending, memref<?x5xbf16>, memref<4xi32>, memref<4xi32>, memref<?x5xbf16>) -> ()
  return
}

// A ticket that a loop carries is a number too.
// CHECK-LABEL: func.func @carried(
// CHECK: scf.for {{.*}} -> (i64)
// CHECK: call @moert_frame_wait(%{{.+}}, %{{.+}}) : (!llvm.ptr, i64) -> ()
func.func @carried(%n: index, %a: memref<6x5xf32>, %b: memref<6x5xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %t0 = comm.start all_to_all %a into %b over {"dp"} of @mesh : (memref<6x5xf32>, memref<6x5xf32>) -> !comm.pending
  %t = scf.for %i = %c0 to %n step %c1 iter_args(%t = %t0) -> !comm.pending {
    comm.wait %t reads %a into %b : (!comm.pending, memref<6x5xf32>, memref<6x5xf32>) -> ()
    %t1 = comm.start all_to_all %a into %b over {"dp"} of @mesh : (memref<6x5xf32>, memref<6x5xf32>) -> !comm.pending
    scf.yield %t1 : !comm.pending
  }
  comm.wait %t reads %a into %b : (!comm.pending, memref<6x5xf32>, memref<6x5xf32>) -> ()
  return
}

// A part of a buffer is addressed where it begins.
// CHECK-LABEL: func.func @part(
// CHECK: memref.extract_strided_metadata
// CHECK: arith.muli
// CHECK: arith.addi
// CHECK: call @moert_frame_all_to_all(
func.func @part(%a: memref<6x5xf32, strided<[5, 1], offset: ?>>, %b: memref<6x5xf32>) {
  comm.all_to_all %a into %b over {"dp"} of @mesh : (memref<6x5xf32, strided<[5, 1], offset: ?>>, memref<6x5xf32>) -> ()
  return
}
