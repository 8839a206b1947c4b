// RUN: moe-opt %s --comm-verify-uniform | FileCheck %s

// What buffers hold, where it is equal on all ranks.

comm.mesh @mesh <["dp"=2, "ep"=4]>

// What is reduced is equal again, whoever wrote it.
// CHECK-LABEL: @reduced_condition(
func.func @reduced_condition(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %local = memref.alloc() : memref<1xi32>
  %all = memref.alloc() : memref<1xi32>
  %r = comm.rank over {"ep"} of @mesh
  %n = arith.index_cast %r : index to i32
  memref.store %n, %local[%c0] : memref<1xi32>
  comm.all_reduce sum %local into %all over {"ep"} of @mesh : (memref<1xi32>, memref<1xi32>) -> ()
  %sum = memref.load %all[%c0] : memref<1xi32>
  %turns = arith.index_cast %sum : i32 to index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %turns step %c1 {
    comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  memref.dealloc %local : memref<1xi32>
  memref.dealloc %all : memref<1xi32>
  return
}

// Offsets that all ranks work out alike.
// CHECK-LABEL: @offsets_in_a_buffer(
func.func @offsets_in_a_buffer(%x: memref<?x3xf32>, %y: memref<?x3xf32>, %tokens: index {comm.varies_over = #comm.axes<{}>}) {
  %o = memref.alloc() : memref<5xi32>
  comm.shard_offsets %tokens into %o over {"ep"} of @mesh : (index, memref<5xi32>) -> ()
  %c = memref.cast %o : memref<5xi32> to memref<?xi32>
  comm.all_gather_v %x into %y by %c over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>, memref<?xi32>) -> ()
  memref.dealloc %o : memref<5xi32>
  return
}

// What varies over other axes than the group's.
// CHECK-LABEL: @other_axes(
func.func @other_axes(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %c: memref<1xi1> {comm.varies_over = #comm.axes<{"dp"}>}) {
  %c0 = arith.constant 0 : index
  %condition = memref.load %c[%c0] : memref<1xi1>
  scf.if %condition {
    comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  return
}

memref.global "private" constant @table : memref<2xi1> = dense<[true, false]>
memref.global "private" @flag : memref<1xi1> = dense<true>
func.func private @clear() {
  %c0 = arith.constant 0 : index
  %false = arith.constant false
  %f = memref.get_global @flag : memref<1xi1>
  memref.store %false, %f[%c0] : memref<1xi1>
  return
}
// A table, and a flag that all ranks clear.
// CHECK-LABEL: @globals(
func.func @globals(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %t = memref.get_global @table : memref<2xi1>
  %f = memref.get_global @flag : memref<1xi1>
  call @clear() : () -> ()
  %one = memref.load %t[%c0] : memref<2xi1>
  %other = memref.load %f[%c0] : memref<1xi1>
  %both = arith.andi %one, %other : i1
  scf.if %both {
    comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  return
}

func.func private @host(memref<4xf32> {bufferization.access = "read"},
                        memref<1xi1> {bufferization.access = "write", comm.varies_over = #comm.axes<{}>})
// What a declared function promises.
// CHECK-LABEL: @promised(
func.func @promised(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %in: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %b = memref.alloc() : memref<1xi1>
  call @host(%in, %b) : (memref<4xf32>, memref<1xi1>) -> ()
  %condition = memref.load %b[%c0] : memref<1xi1>
  scf.if %condition {
    comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  memref.dealloc %b : memref<1xi1>
  return
}
