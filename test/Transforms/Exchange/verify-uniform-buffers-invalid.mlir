// RUN: moe-opt %s --split-input-file --comm-verify-uniform --verify-diagnostics -o /dev/null

// What buffers hold, and decides who comes to a collective.

// C1: through a view.
comm.mesh @mesh <["ep"=4]>
func.func @stored_rank(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %b = memref.alloc() : memref<4xindex>
  %v = memref.subview %b[0] [2] [1] : memref<4xindex> to memref<2xindex, strided<[1]>>
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %r = comm.rank over {"ep"} of @mesh
  memref.store %r, %v[%c0] : memref<2xindex, strided<[1]>>
  %n = memref.load %b[%c0] : memref<4xindex>
  %c1 = arith.constant 1 : index
  // expected-note @below {{it is decided here}}
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here, but what decides it varies over {"ep"}}}
    comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  return
}

// -----

// C1: equal numbers, which not all ranks store.
comm.mesh @mesh <["ep"=4]>
func.func private @set(%b: memref<1xi1>) {
  %c0 = arith.constant 0 : index
  %true = arith.constant true
  memref.store %true, %b[%c0] : memref<1xi1>
  return
}
func.func private @exchange(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  // expected-error @below {{expected all ranks over {"ep"} or none to come here, but what decides it varies over {"ep"}}}
  comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  return
}
func.func @flag_set_by_some(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %false = arith.constant false
  %b = memref.alloc() : memref<1xi1>
  memref.store %false, %b[%c0] : memref<1xi1>
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %r = comm.rank over {"ep"} of @mesh
  %first = arith.cmpi eq, %r, %c0 : index
  scf.if %first {
    func.call @set(%b) : (memref<1xi1>) -> ()
  }
  %condition = memref.load %b[%c0] : memref<1xi1>
  // expected-note @below {{it is decided here}}
  scf.if %condition {
    // expected-note @below {{called from here}}
    func.call @exchange(%x, %y) : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  return
}

// -----

// C1: a global.
comm.mesh @mesh <["ep"=4]>
memref.global "private" @flag : memref<1xindex> = dense<0>
func.func private @set() {
  %c0 = arith.constant 0 : index
  %f = memref.get_global @flag : memref<1xindex>
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %r = comm.rank over {"ep"} of @mesh
  memref.store %r, %f[%c0] : memref<1xindex>
  return
}
func.func @global_of_rank() {
  %c0 = arith.constant 0 : index
  call @set() : () -> ()
  %f = memref.get_global @flag : memref<1xindex>
  %n = memref.load %f[%c0] : memref<1xindex>
  %c = arith.cmpi eq, %n, %c0 : index
  // expected-note @below {{it is decided here}}
  cf.cond_br %c, ^some, ^end
^some:
  // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
  comm.barrier over {"ep"} of @mesh
  cf.br ^end
^end:
  return
}

// -----

// C1: what arrives from other ranks.
comm.mesh @mesh <["ep"=4]>
// expected-note @below {{argument 1 varies over {"ep"}}}
func.func @exchanged_counts(%x: memref<4xi32>, %y: memref<4xi32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  linalg.fill ins(%zero : i32) outs(%x : memref<4xi32>)
  %n = memref.load %y[%c0] : memref<4xi32>
  %c = arith.cmpi eq, %n, %zero : i32
  // expected-note @below {{it is decided here}}
  scf.if %c {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
    comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<4xi32>, memref<4xi32>) -> ()
  }
  return
}

// -----

// C1: behind a pointer.
comm.mesh @mesh <["ep"=4]>
func.func @address_taken(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %false = arith.constant false
  // expected-note @below {{'memref.alloc' varies over {"ep"}}}
  %b = memref.alloc() : memref<1xi1>
  memref.store %false, %b[%c0] : memref<1xi1>
  %p = memref.extract_aligned_pointer_as_index %b : memref<1xi1> -> index
  %condition = memref.load %b[%c0] : memref<1xi1>
  // expected-note @below {{it is decided here}}
  scf.if %condition {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
    comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  return
}

// -----

// C1: filled by a function of the host, which promises nothing.
comm.mesh @mesh <["ep"=4]>
func.func private @host(memref<1xi1>)
func.func @filled_by_host(%x: memref<8x3xf32>, %y: memref<8x3xf32>) {
  %c0 = arith.constant 0 : index
  // expected-note @below {{'memref.alloc' varies over {"ep"}}}
  %b = memref.alloc() : memref<1xi1>
  call @host(%b) : (memref<1xi1>) -> ()
  %condition = memref.load %b[%c0] : memref<1xi1>
  // expected-note @below {{it is decided here}}
  scf.if %condition {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
    comm.all_to_all %x into %y over {"ep"} of @mesh : (memref<8x3xf32>, memref<8x3xf32>) -> ()
  }
  return
}

// -----

// C3: offsets of a rank's own.
comm.mesh @mesh <["ep"=4]>
func.func @own_offsets(%x: memref<?x3xf32>, %y: memref<?x3xf32>) {
  %c0 = arith.constant 0 : index
  %o = memref.alloc() : memref<5xi32>
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %r = comm.rank over {"ep"} of @mesh
  %n = arith.index_cast %r : index to i32
  linalg.fill ins(%n : i32) outs(%o : memref<5xi32>)
  // expected-error @below {{expected equal offsets on all ranks over {"ep"}, but got one that varies over {"ep"}}}
  comm.all_gather_v %x into %y by %o over {"ep"} of @mesh : (memref<?x3xf32>, memref<?x3xf32>, memref<5xi32>) -> ()
  return
}
