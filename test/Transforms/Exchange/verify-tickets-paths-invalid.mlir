// RUN: moe-opt %s --split-input-file --comm-verify-in-flight --verify-diagnostics -o /dev/null

// How often a ticket is waited for.

// C1
comm.mesh @mesh <["ep"=4]>
func.func @never_waited(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error @below {{expected exactly one comm.wait on every path, but a path has none}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{the path ends here}}
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @waited_twice(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error @below {{expected exactly one comm.wait on every path, but its ticket is used again after it was waited for or carried on}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  // expected-note @below {{it is used here}}
  %v = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @waited_in_one_branch(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1) {
  // expected-error @below {{expected exactly one comm.wait on every path, but only some paths have one}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{they meet here}}
  scf.if %c {
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  }
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @waited_in_branch_and_behind(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1) {
  // expected-error @below {{but only some paths have one}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{they meet here}}
  scf.if %c {
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  }
  %v = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @waited_in_every_turn(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{but only some paths have one}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{they meet here}}
  scf.for %i = %c0 to %n step %c1 {
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  }
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @started_in_every_turn(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{its ticket ends here}}
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{but a path has none}}
    %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  }
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @result_of_loop_not_waited(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @below {{but a path has none}}
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%d = %d0, %t = %t0) -> (tensor<8x3xf32>, !comm.pending) {
    scf.yield %d, %t : tensor<8x3xf32>, !comm.pending
  }
  // expected-note @below {{the path ends here}}
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @waited_before_carried(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1) {
  // expected-error @below {{but its ticket is used again after it was waited for or carried on}}
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{it is used here}}
  %o:2 = scf.while (%d = %d0, %t = %t0) : (tensor<8x3xf32>, !comm.pending) -> (tensor<8x3xf32>, !comm.pending) {
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    scf.condition(%c) %d, %t : tensor<8x3xf32>, !comm.pending
  } do {
  ^bb0(%d: tensor<8x3xf32>, %t: !comm.pending):
    scf.yield %d, %t : tensor<8x3xf32>, !comm.pending
  }
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @carried_twice(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error @below {{but its ticket becomes two}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{they are carried from here}}
  cf.br ^next(%d, %t, %t : tensor<8x3xf32>, !comm.pending, !comm.pending)
^next(%e: tensor<8x3xf32>, %u: !comm.pending, %v: !comm.pending):
  %w = comm.wait %u reads %x into %e : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// C1
comm.mesh @mesh <["ep"=4]>
func.func @block_without_wait(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1) {
  // expected-error @below {{but a path has none}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  cf.cond_br %c, ^waits, ^returns
^waits:
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
^returns:
  // expected-note @below {{the path ends here}}
  return
}
