// RUN: moe-opt %s --comm-verify-in-flight | FileCheck %s

// Buffers that are in flight and stay as they are; the module does, too.

comm.mesh @mesh <["ep"=4]>

// A reader of the source, and a writer of other buffers.
// CHECK-LABEL: @others_touched(
func.func @others_touched(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<8x3xf32>, %i: index) {
  %own = memref.alloc() : memref<8x3xf32>
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  %v = memref.load %x[%i, %i] : memref<8x3xf32>
  linalg.fill ins(%v : f32) outs(%z : memref<8x3xf32>)
  linalg.copy ins(%x : memref<8x3xf32>) outs(%own : memref<8x3xf32>)
  memref.dealloc %own : memref<8x3xf32>
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  linalg.fill ins(%v : f32) outs(%x : memref<8x3xf32>)
  return
}

// What a turn allocates is not what the last one has in flight.
// CHECK-LABEL: @turns_with_buffers_of_their_own(
func.func @turns_with_buffers_of_their_own(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %p = %t) -> (memref<8x3xf32>, !comm.pending) {
    %b = memref.alloc() : memref<8x3xf32>
    linalg.fill ins(%v : f32) outs(%b : memref<8x3xf32>)
    comm.wait %p reads %a into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
    %q = comm.start all_to_all %b into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
    linalg.fill ins(%v : f32) outs(%a : memref<8x3xf32>)
    scf.yield %b, %q : memref<8x3xf32>, !comm.pending
  }
  comm.wait %o#1 reads %o#0 into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

func.func private @look(memref<8x3xf32> {bufferization.access = "read"}, memref<8x3xf32>)
func.func private @copy(%a: memref<8x3xf32>, %b: memref<8x3xf32>) {
  linalg.copy ins(%a : memref<8x3xf32>) outs(%b : memref<8x3xf32>)
  return
}
// Functions that only read the source.
// CHECK-LABEL: @source_read_by_functions(
func.func @source_read_by_functions(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<8x3xf32>) {
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  call @copy(%x, %z) : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  call @look(%x, %z) : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// A cast is the buffer that it casts.
// CHECK-LABEL: @wait_reads_a_cast(
func.func @wait_reads_a_cast(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.cast %x : memref<8x3xf32> to memref<?x3xf32>
  %t = comm.start all_to_all %a into %y over {"ep"} of @mesh : (memref<?x3xf32>, memref<8x3xf32>) -> !comm.pending
  %p = scf.for %i = %c0 to %n step %c1 iter_args(%q = %t) -> (!comm.pending) {
    scf.yield %q : !comm.pending
  }
  comm.wait %p reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

memref.global "private" constant @bias : memref<3xf32> = dense<1.0>
func.func private @exchange_and_read(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %b: memref<3xf32>, %z: memref<3xf32>) {
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  linalg.copy ins(%b : memref<3xf32>) outs(%z : memref<3xf32>)
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}
// What has a name is none of the arguments.
// CHECK-LABEL: @called_with_a_global(
func.func @called_with_a_global(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<3xf32>) {
  %b = memref.get_global @bias : memref<3xf32>
  call @exchange_and_read(%x, %y, %b, %z) : (memref<8x3xf32>, memref<8x3xf32>, memref<3xf32>, memref<3xf32>) -> ()
  return
}

memref.global "private" @one : memref<8x3xf32>
memref.global "private" @two : memref<8x3xf32>
func.func private @fill_two(%v: f32) {
  %g = memref.get_global @two : memref<8x3xf32>
  linalg.fill ins(%v : f32) outs(%g : memref<8x3xf32>)
  return
}
func.func private @host()
// Other globals, and what nobody else knows of.
// CHECK-LABEL: @others_reached(
func.func @others_reached(%y: memref<8x3xf32>, %v: f32, %c: i1, %f: () -> ()) {
  %x = memref.get_global @one : memref<8x3xf32>
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  call @fill_two(%v) : (f32) -> ()
  call @host() : () -> ()
  cf.assert %c, "that is so"
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  %a = memref.alloc() : memref<8x3xf32>
  %b = memref.alloc() : memref<8x3xf32>
  %u = comm.start all_to_all %a into %b over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  func.call_indirect %f() : () -> ()
  comm.wait %u reads %a into %b : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  memref.dealloc %a : memref<8x3xf32>
  memref.dealloc %b : memref<8x3xf32>
  return
}
