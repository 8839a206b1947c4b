// RUN: moe-opt %s --split-input-file --comm-verify-uniform --verify-diagnostics -o /dev/null

// Who comes to a collective, and how often.

// C1
comm.mesh @mesh <["ep"=4]>
func.func @condition_of_rank(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  %c0 = arith.constant 0 : index
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %r = comm.rank over {"ep"} of @mesh
  %first = arith.cmpi eq, %r, %c0 : index
  // expected-note @below {{it is decided here}}
  scf.if %first {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here, but what decides it varies over {"ep"}}}
    %s = comm.all_reduce sum %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  }
  return
}

// -----

// C1
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @bound_of_local_rows(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %tokens: index {comm.varies_over = #comm.axes<{}>}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{'comm.local_extent' varies over {"ep"}}}
  %n = comm.local_extent %tokens over {"dp","ep"} of @mesh
  // expected-note @below {{it is decided here}}
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here, but what decides it varies over {"ep"}}}
    comm.barrier over {"ep"} of @mesh
  }
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
// expected-note @below {{argument 1 varies over {"ep"}}}
func.func @condition_of_sharded_data(%x: tensor<8x3xf32>, %y: tensor<3xi1> {comm.sharding = #comm.sharding<@mesh, [{"ep"}]>}) {
  %c0 = arith.constant 0 : index
  %c = tensor.extract %y[%c0] : tensor<3xi1>
  // expected-note @below {{it is decided here}}
  cf.cond_br %c, ^some, ^end
^some:
  %e = tensor.empty() : tensor<8x3xf32>
  // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
  %s = comm.all_to_all %x into %e over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  cf.br ^end
^end:
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func private @exchange(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
  %s = comm.all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}
func.func private @inner(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-note @below {{called from here}}
  call @exchange(%x, %y) : (tensor<8x3xf32>, tensor<8x3xf32>) -> ()
  return
}
func.func @call_under_condition(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  %c2 = arith.constant 2 : index
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %r = comm.rank over {"ep"} of @mesh
  %few = arith.cmpi ult, %r, %c2 : index
  // expected-note @below {{it is decided here}}
  scf.if %few {
    // expected-note @below {{called from here}}
    func.call @inner(%x, %y) : (tensor<8x3xf32>, tensor<8x3xf32>) -> ()
  }
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @loop_until_arrived(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  // expected-note @below {{it is decided here}}
  %last = scf.while (%a = %x) : (tensor<8x3xf32>) -> tensor<8x3xf32> {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
    // expected-note @below {{'comm.all_to_all' varies over {"ep"}}}
    %b = comm.all_to_all %a into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    %v = tensor.extract %b[%c0, %c0] : tensor<8x3xf32>
    %more = arith.cmpf ogt, %v, %zero : f32
    scf.condition(%more) %b : tensor<8x3xf32>
  } do {
  ^bb0(%a: tensor<8x3xf32>):
    scf.yield %a : tensor<8x3xf32>
  }
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @waits_in_other_orders(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %z: tensor<8x3xf32>) {
  %c0 = arith.constant 0 : index
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %r = comm.rank over {"ep"} of @mesh
  %first = arith.cmpi eq, %r, %c0 : index
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %e, %u = comm.start all_to_all %x into %z over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{it is decided here}}
  scf.if %first {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
    %v = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    %w = comm.wait %u reads %x into %e : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  } else {
    // expected-note @below {{ranks that go the other way come here}}
    %w = comm.wait %u reads %x into %e : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    %v = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  }
  return
}

// -----

// Rank (0, 0) would wait over "ep" for (0, 1), that over "dp" for (1, 1), that
// over "ep" for (1, 0), and that over "dp" for (0, 0).
// C1
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @groups_in_opposite_orders() {
  %i = comm.rank over {"dp"} of @mesh
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %j = comm.rank over {"ep"} of @mesh
  %diagonal = arith.cmpi eq, %i, %j : index
  // expected-note @below {{it is decided here}}
  scf.if %diagonal {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here, but what decides it varies over {"ep"}}}
    comm.barrier over {"ep"} of @mesh
    comm.barrier over {"dp"} of @mesh
  } else {
    // expected-note @below {{ranks that go the other way come here}}
    comm.barrier over {"dp"} of @mesh
    comm.barrier over {"ep"} of @mesh
  }
  return
}

// -----

// The same between blocks, where one of the groups is met in a function.
// C1
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func private @meet_over_dp() {
  comm.barrier over {"dp"} of @mesh
  return
}
func.func @blocks_in_opposite_orders() {
  %i = comm.rank over {"dp"} of @mesh
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %j = comm.rank over {"ep"} of @mesh
  %diagonal = arith.cmpi eq, %i, %j : index
  // expected-note @below {{it is decided here}}
  cf.cond_br %diagonal, ^one, ^other
^one:
  // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
  comm.barrier over {"ep"} of @mesh
  call @meet_over_dp() : () -> ()
  cf.br ^end
^other:
  // expected-note @below {{ranks that go the other way come here}}
  call @meet_over_dp() : () -> ()
  comm.barrier over {"ep"} of @mesh
  cf.br ^end
^end:
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func private @anything() -> index
func.func @unknown_function(%x: tensor<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{'func.call' varies over {"ep"}}}
  %n = call @anything() : () -> index
  // expected-note @below {{it is decided here}}
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{expected all ranks over {"ep"} or none to come here}}
    comm.barrier over {"ep"} of @mesh
  }
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=8]>
func.func @rank_within_sub_axis(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  %c0 = arith.constant 0 : index
  // expected-note @below {{'comm.rank' varies over {"ep":(2)4}}}
  %r = comm.rank over {"ep"} of @mesh
  %first = arith.cmpi eq, %r, %c0 : index
  // expected-note @below {{it is decided here}}
  scf.if %first {
    // expected-error @below {{expected all ranks over {"ep":(2)4} or none to come here, but what decides it varies over {"ep":(2)4}}}
    comm.barrier over {"ep":(2)4} of @mesh
  }
  return
}

// -----

// C1: by way of several calls.
comm.mesh @mesh <["ep"=4]>
func.func private @sum(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error @below {{expected all ranks over {"ep"} or none to come here, but what decides it varies over {"ep"}}}
  %s = comm.all_reduce sum %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}
func.func private @relay(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-note @below {{called from here}}
  call @sum(%x, %y) : (tensor<8x3xf32>, tensor<8x3xf32>) -> ()
  return
}
func.func private @is_first(%r: index) -> i1 {
  %c0 = arith.constant 0 : index
  %first = arith.cmpi eq, %r, %c0 : index
  return %first : i1
}
func.func @several_calls(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-note @below {{'comm.rank' varies over {"ep"}}}
  %r = comm.rank over {"ep"} of @mesh
  %first = call @is_first(%r) : (index) -> i1
  // expected-note @below {{it is decided here}}
  scf.if %first {
    // expected-note @below {{called from here}}
    func.call @relay(%x, %y) : (tensor<8x3xf32>, tensor<8x3xf32>) -> ()
  }
  return
}

// -----

// C2: whoever calls a function by its value.
comm.mesh @mesh <["ep"=4]>
func.func private @meet() {
  // expected-note @below {{'relay' takes part here}}
  comm.barrier over {"ep"} of @mesh
  return
}
func.func private @relay() {
  call @meet() : () -> ()
  return
}
func.func @called_by_value(%c: i1) {
  // expected-error @below {{expected functions that communicate to be called only}}
  %f = constant @relay : () -> ()
  scf.if %c {
    func.call_indirect %f() : () -> ()
  }
  return
}
