// RUN: moe-opt %s --split-input-file --comm-verify-in-flight --verify-diagnostics -o /dev/null

// Tickets stay in their function, and among waits, branches and loops.

// C4
comm.mesh @mesh <["ep"=4]>
func.func private @finish(!comm.pending)
func.func @ticket_passed_to_call(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error @below {{expected its ticket to be used by comm.wait, branches and loops of its function only}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{it is used here}}
  call @finish(%t) : (!comm.pending) -> ()
  return
}

// -----

// C4
comm.mesh @mesh <["ep"=4]>
func.func @ticket_returned(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) -> !comm.pending {
  // expected-error @below {{expected its ticket to be used by comm.wait, branches and loops of its function only}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{it is used here}}
  return %t : !comm.pending
}

// -----

// C4
comm.mesh @mesh <["ep"=4]>
// expected-error @below {{expected tickets to stay in the function of their comm.start, but got argument 1 of 'ticket_taken'}}
func.func @ticket_taken(%x: tensor<8x3xf32>, %t: !comm.pending, %d: tensor<8x3xf32>) {
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// C4
comm.mesh @mesh <["ep"=4]>
func.func private @begin(tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
func.func @ticket_from_call(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error @below {{expected tickets from comm.start, branches and loops, but got one from 'func.call'}}
  %d, %t = call @begin(%x, %y) : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// C4
comm.mesh @mesh <["ep"=4]>
func.func @ticket_selected(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %z: tensor<8x3xf32>, %c: i1) {
  // expected-error @below {{expected its ticket to be used by comm.wait, branches and loops of its function only}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %e, %u = comm.start all_to_all %x into %z over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{it is used here}}
  %s = arith.select %c, %t, %u : !comm.pending
  %w = comm.wait %s reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}
