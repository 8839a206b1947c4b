// RUN: moe-opt %s --comm-verify-in-flight | FileCheck %s

// Each ticket is waited for once on every path; the module stays as it is.

comm.mesh @mesh <["ep"=4]>

// CHECK-LABEL: @straight_line(
// CHECK: comm.start
// CHECK: comm.wait
func.func @straight_line(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) -> tensor<8x3xf32> {
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %w : tensor<8x3xf32>
}

// CHECK-LABEL: @wait_in_both_branches(
func.func @wait_in_both_branches(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1 {comm.varies_over = #comm.axes<{}>}) -> tensor<8x3xf32> {
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %r = scf.if %c -> tensor<8x3xf32> {
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    scf.yield %w : tensor<8x3xf32>
  } else {
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    scf.yield %w : tensor<8x3xf32>
  }
  return %r : tensor<8x3xf32>
}

// Either branch starts another collective; the wait sees both by one name.
// CHECK-LABEL: @start_in_both_branches(
func.func @start_in_both_branches(%x: tensor<8x3xf32>, %z: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1 {comm.varies_over = #comm.axes<{}>}) -> tensor<8x3xf32> {
  %r:3 = scf.if %c -> (tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending) {
    %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %x, %d, %t : tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending
  } else {
    %d, %t = comm.start all_to_all %z into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %z, %d, %t : tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending
  }
  %w = comm.wait %r#2 reads %r#0 into %r#1 : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %w : tensor<8x3xf32>
}

// A loop between start and wait that does not touch the ticket.
// CHECK-LABEL: @loop_in_flight(
func.func @loop_in_flight(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %z: tensor<8x3xf32>, %v: f32, %n: index {comm.varies_over = #comm.axes<{}>}) -> (tensor<8x3xf32>, tensor<8x3xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %o = scf.for %i = %c0 to %n step %c1 iter_args(%a = %z) -> (tensor<8x3xf32>) {
    %f = linalg.fill ins(%v : f32) outs(%a : tensor<8x3xf32>) -> tensor<8x3xf32>
    scf.yield %f : tensor<8x3xf32>
  }
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %w, %o : tensor<8x3xf32>, tensor<8x3xf32>
}

// Each turn waits for what the turn before started.
// CHECK-LABEL: @ticket_carried_by_for(
func.func @ticket_carried_by_for(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %n: index {comm.varies_over = #comm.axes<{}>}) -> tensor<8x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %o:3 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %d = %d0, %t = %t0) -> (tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending) {
    %w = comm.wait %t reads %a into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    %d1, %t1 = comm.start all_to_all %w into %a over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %w, %d1, %t1 : tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending
  }
  %last = comm.wait %o#2 reads %o#0 into %o#1 : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %last : tensor<8x3xf32>
}

// What no turn changes need not be carried.
// CHECK-LABEL: @source_outside_of_loop(
func.func @source_outside_of_loop(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %n: index {comm.varies_over = #comm.axes<{}>}) -> tensor<8x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%d = %d0, %t = %t0) -> (tensor<8x3xf32>, !comm.pending) {
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    %d1, %t1 = comm.start all_to_all %x into %w over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %d1, %t1 : tensor<8x3xf32>, !comm.pending
  }
  %last = comm.wait %o#1 reads %x into %o#0 : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %last : tensor<8x3xf32>
}

// CHECK-LABEL: @ticket_carried_by_while(
func.func @ticket_carried_by_while(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1 {comm.varies_over = #comm.axes<{}>}) -> tensor<8x3xf32> {
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %o:2 = scf.while (%d = %d0, %t = %t0) : (tensor<8x3xf32>, !comm.pending) -> (tensor<8x3xf32>, !comm.pending) {
    scf.condition(%c) %d, %t : tensor<8x3xf32>, !comm.pending
  } do {
  ^bb0(%d: tensor<8x3xf32>, %t: !comm.pending):
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    %d1, %t1 = comm.start all_to_all %x into %w over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %d1, %t1 : tensor<8x3xf32>, !comm.pending
  }
  %last = comm.wait %o#1 reads %x into %o#0 : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %last : tensor<8x3xf32>
}

// CHECK-LABEL: @ticket_carried_by_blocks(
func.func @ticket_carried_by_blocks(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1 {comm.varies_over = #comm.axes<{}>}) -> tensor<8x3xf32> {
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  cf.br ^loop(%d0, %t0 : tensor<8x3xf32>, !comm.pending)
^loop(%d: tensor<8x3xf32>, %t: !comm.pending):
  cf.cond_br %c, ^turn, ^exit
^turn:
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  %d1, %t1 = comm.start all_to_all %x into %w over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  cf.br ^loop(%d1, %t1 : tensor<8x3xf32>, !comm.pending)
^exit:
  %last = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %last : tensor<8x3xf32>
}
