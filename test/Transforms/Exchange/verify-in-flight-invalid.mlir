// RUN: moe-opt %s --split-input-file --comm-verify-in-flight --verify-diagnostics -o /dev/null

// What touches a buffer in flight, by whatever name. For tensors see
// verify-tickets-*.mlir.

// C5
comm.mesh @mesh <["ep"=4]>
func.func @part_of_source_written(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %v: f32) {
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  %part = memref.subview %x[4, 0] [4, 3] [1, 1] : memref<8x3xf32> to memref<4x3xf32, strided<[3, 1], offset: 12>>
  // expected-note @below {{it is written here}}
  linalg.fill ins(%v : f32) outs(%part : memref<4x3xf32, strided<[3, 1], offset: 12>>)
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @destination_read_by_cast(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %i: index) {
  // expected-error @below {{expected its destination to be used by its comm.wait only}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  %c = memref.cast %y : memref<8x3xf32> to memref<?x3xf32>
  // expected-note @below {{it is read here}}
  %early = memref.load %c[%i, %i] : memref<?x3xf32>
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @loop_writes_offsets(%x: memref<?x3xf32>, %y: memref<?x3xf32>, %s: memref<5xi32>, %r: memref<5xi32>, %v: i32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all_v %x by %s, %r into %y over {"ep"} of @mesh
      : (memref<?x3xf32>, memref<5xi32>, memref<5xi32>, memref<?x3xf32>) -> !comm.pending
  scf.for %i = %c0 to %n step %c1 {
    // expected-note @below {{it is written here}}
    memref.store %v, %r[%i] : memref<5xi32>
  }
  comm.wait %t reads %x, %s, %r into %y
      : (!comm.pending, memref<?x3xf32>, memref<5xi32>, memref<5xi32>, memref<?x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @branch_writes_source(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %v: f32, %c: i1) {
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  scf.if %c {
    // expected-note @below {{it is written here}}
    linalg.fill ins(%v : f32) outs(%x : memref<8x3xf32>)
  }
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @block_writes_destination(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %v: f32, %c: i1) {
  // expected-error @below {{expected its destination to be used by its comm.wait only}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  cf.cond_br %c, ^some, ^end
^some:
  // expected-note @below {{it is written here}}
  linalg.fill ins(%v : f32) outs(%y : memref<8x3xf32>)
  cf.br ^end
^end:
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @source_freed(%y: memref<8x3xf32>) {
  %x = memref.alloc() : memref<8x3xf32>
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it is freed here}}
  memref.dealloc %x : memref<8x3xf32>
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func private @inner(%b: memref<?x3xf32>, %v: f32) {
  linalg.fill ins(%v : f32) outs(%b : memref<?x3xf32>)
  return
}
func.func private @overwrite(%a: memref<8x3xf32>, %v: f32) {
  %b = memref.cast %a : memref<8x3xf32> to memref<?x3xf32>
  call @inner(%b, %v) : (memref<?x3xf32>, f32) -> ()
  return
}
func.func @callee_writes_source(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %v: f32) {
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it is written here}}
  call @overwrite(%x, %v) : (memref<8x3xf32>, f32) -> ()
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func private @anything(memref<8x3xf32>)
func.func @declared_function_takes_source(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it is written here}}
  call @anything(%x) : (memref<8x3xf32>) -> ()
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @destination_sent_on(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<8x3xf32>) {
  // expected-error @below {{expected its destination to be used by its comm.wait only}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{it is read here}}
  %u = comm.start all_to_all %y into %z over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  comm.wait %u reads %y into %z : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @one_of_two_written(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<8x3xf32>, %v: f32, %c: i1) {
  // expected-error @below {{expected what it reads not to change before its comm.wait}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  %either = arith.select %c, %z, %x : memref<8x3xf32>
  // expected-note @below {{it is written here}}
  linalg.fill ins(%v : f32) outs(%either : memref<8x3xf32>)
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @turn_writes_what_the_last_one_sends(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %p = %t) -> (memref<8x3xf32>, !comm.pending) {
    comm.wait %p reads %a into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
    %b = memref.alloc() : memref<8x3xf32>
    linalg.fill ins(%v : f32) outs(%b : memref<8x3xf32>)
    // expected-error @below {{expected what it reads not to change before its comm.wait}}
    %q = comm.start all_to_all %b into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
    // expected-note @below {{it is written here}}
    linalg.fill ins(%v : f32) outs(%b : memref<8x3xf32>)
    scf.yield %b, %q : memref<8x3xf32>, !comm.pending
  }
  comm.wait %o#1 reads %o#0 into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C2
comm.mesh @mesh <["ep"=4]>
func.func @another_buffer_waited_for(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<8x3xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{started here}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  %p = scf.for %i = %c0 to %n step %c1 iter_args(%q = %t) -> (!comm.pending) {
    scf.yield %q : !comm.pending
  }
  // expected-error @below {{expected to read what its comm.start has in flight}}
  comm.wait %p reads %z into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @wait_in_one_branch(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %c: i1) {
  // expected-error @below {{expected exactly one comm.wait on every path, but only some paths have one}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  // expected-note @below {{they meet here}}
  scf.if %c {
    comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  return
}

// -----

// C5
comm.mesh @mesh <["ep"=4]>
func.func @destination_within_source(%x: memref<16x3xf32>) {
  %a = memref.subview %x[0, 0] [8, 3] [1, 1] : memref<16x3xf32> to memref<8x3xf32, strided<[3, 1]>>
  %b = memref.subview %x[4, 0] [8, 3] [1, 1] : memref<16x3xf32> to memref<8x3xf32, strided<[3, 1], offset: 12>>
  // expected-error @below {{expected a destination that does not overlap with what it reads}}
  comm.all_to_all %a into %b over {"ep"} of @mesh : (memref<8x3xf32, strided<[3, 1]>>, memref<8x3xf32, strided<[3, 1], offset: 12>>) -> ()
  return
}

// -----

// C6
comm.mesh @mesh <["ep"=4]>
func.func private @exchange(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<8x3xf32>) {
  // expected-note @below {{it has buffers in flight here}}
  %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> !comm.pending
  linalg.copy ins(%x : memref<8x3xf32>) outs(%z : memref<8x3xf32>)
  comm.wait %t reads %x into %y : (!comm.pending, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}
func.func private @relay(%x: memref<8x3xf32>, %y: memref<8x3xf32>, %z: memref<8x3xf32>) {
  call @exchange(%x, %y, %z) : (memref<8x3xf32>, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}
func.func @called_with_one_buffer_twice(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  // expected-error @below {{expected a buffer that its callee writes not to overlap with others that it is given}}
  call @relay(%x, %y, %x) : (memref<8x3xf32>, memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}
