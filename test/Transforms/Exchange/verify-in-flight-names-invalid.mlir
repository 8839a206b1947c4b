// RUN: moe-opt %s --split-input-file --comm-verify-in-flight --verify-diagnostics -o /dev/null

// What is in flight and reached by functions that are not given it.

// C5
comm.mesh @mesh <["ep"=4]>
memref.global "private" @rows : memref<8x3xf32>
func.func private @inner(%v: f32) {
  %g = memref.get_global @rows : memref<8x3xf32>
  %part = memref.subview %g[4, 0] [4, 3] [1, 1] : memref<8x3xf32> to memref<4x3xf32, strided<[3, 1], offset: 12>>
  // expected-note @below {{by this, which is not given it}}
  linalg.fill ins(%v : f32) outs(%part : memref<4x3xf32, strided<[3, 1], offset: 12>>)
  return
}
func.func private @overwrite(%v: f32) {
  call @inner(%v) : (f32) -> ()
  return
}
func.func @callee_writes_global(%y: memref<8x3xf32>, %v: f32) {
  %x = memref.get_global @rows : memref<8x3xf32>
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it is written here}}
  call @overwrite(%v) : (f32) -> ()
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
memref.global "private" @rows : memref<8x3xf32>
func.func private @look(%i: index) -> f32 {
  %g = memref.get_global @rows : memref<8x3xf32>
  // expected-note @below {{by this, which is not given it}}
  %v = memref.load %g[%i, %i] : memref<8x3xf32>
  return %v : f32
}
func.func @callee_reads_global(%x: memref<8x3xf32>, %i: index) {
  %y = memref.get_global @rows : memref<8x3xf32>
  // expected-error @below {{expected its destination to be used by its comm.wait only}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it is read here}}
  %v = call @look(%i) : (index) -> f32
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5: another name of the global in the same function.
comm.mesh @mesh <["ep"=4]>
memref.global "private" @rows : memref<8x3xf32>
func.func @global_written(%y: memref<8x3xf32>, %v: f32) {
  %x = memref.get_global @rows : memref<8x3xf32>
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  %g = memref.get_global @rows : memref<8x3xf32>
  // expected-note @below {{it is written here}}
  linalg.fill ins(%v : f32) outs(%g : memref<8x3xf32>)
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5: a function of the host may write what is public.
comm.mesh @mesh <["ep"=4]>
memref.global @rows : memref<8x3xf32>
// expected-note @below {{by this, which is not given it}}
func.func private @host()
func.func @declared_function_writes_public_global(%y: memref<8x3xf32>) {
  %x = memref.get_global @rows : memref<8x3xf32>
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it is written here}}
  call @host() : () -> ()
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5: whatever an unknown function reaches.
comm.mesh @mesh <["ep"=4]>
func.func @indirect_call(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %f: () -> ()) {
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it may be written here}}
  call_indirect %f() : () -> ()
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5: a pointer to an allocation.
comm.mesh @mesh <["ep"=4]>
func.func private @store(%p: !llvm.ptr, %v: f32) {
  // expected-note @below {{by this, which is not given it}}
  llvm.store %v, %p : f32, !llvm.ptr
  return
}
func.func @written_by_pointer(%y: memref<8x3xf32>, %v: f32) {
  %x = memref.alloc() : memref<8x3xf32>
  %address = memref.extract_aligned_pointer_as_index %x : memref<8x3xf32> -> index
  %i = arith.index_cast %address : index to i64
  %p = llvm.inttoptr %i : i64 to !llvm.ptr
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it may be written here}}
  call @store(%p, %v) : (!llvm.ptr, f32) -> ()
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  memref.dealloc %x : memref<8x3xf32>
  return
}

// -----

// C5: a buffer that a function gives back may be any.
comm.mesh @mesh <["ep"=4]>
memref.global "private" @rows : memref<8x3xf32>
func.func private @get() -> memref<8x3xf32> {
  %g = memref.get_global @rows : memref<8x3xf32>
  return %g : memref<8x3xf32>
}
func.func private @overwrite(%v: f32) {
  %b = call @get() : () -> memref<8x3xf32>
  // expected-note @below {{by this, which is not given it}}
  linalg.fill ins(%v : f32) outs(%b : memref<8x3xf32>)
  return
}
func.func @callee_writes_what_it_gets(%y: memref<8x3xf32>, %v: f32) {
  %x = memref.get_global @rows : memref<8x3xf32>
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it may be written here}}
  call @overwrite(%v) : (f32) -> ()
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C6: what is given is a global that the callee writes.
comm.mesh @mesh <["ep"=4]>
memref.global "private" @rows : memref<8x3xf32>
func.func private @exchange(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %v: f32) {
  %g = memref.get_global @rows : memref<8x3xf32>
  // expected-note @below {{it has buffers in flight here}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it reaches another here}}
  linalg.fill ins(%v : f32) outs(%g : memref<8x3xf32>)
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}
func.func @called_with_a_global(%y: memref<8x3xf32>, %v: f32) {
  %x = memref.get_global @rows : memref<8x3xf32>
  // expected-error @below {{expected a buffer that its callee writes not to overlap with others that it reaches}}
  call @exchange(%x, %y, %v) : (memref<8x3xf32>, memref<8x3xf32>, f32) -> ()
  return
}

// -----

// C6: what is given is a global that the callee reads, and its destination.
comm.mesh @mesh <["ep"=4]>
memref.global "private" @rows : memref<8x3xf32>
func.func private @exchange(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %i: index) {
  %g = memref.get_global @rows : memref<8x3xf32>
  // expected-note @below {{it has buffers in flight here}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it reaches another here}}
  %v = memref.load %g[%i, %i] : memref<8x3xf32>
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}
func.func @called_to_fill_a_global(%x: memref<8x3xf32>, %i: index) {
  %y = memref.get_global @rows : memref<8x3xf32>
  // expected-error @below {{expected a buffer that its callee writes not to overlap with others that it reaches}}
  call @exchange(%x, %y, %i) : (memref<8x3xf32>, memref<8x3xf32>, index) -> ()
  return
}
