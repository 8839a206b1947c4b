// RUN: moe-opt %s --split-input-file --comm-verify-in-flight --verify-diagnostics -o /dev/null

// What a wait holds, and where tickets and destinations go.

// C2
comm.mesh @mesh <["ep"=4]>
func.func @for_carries_another_source(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %v: f32, %n: index) -> tensor<8x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{started here}}
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %o:3 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %d = %d0, %t = %t0) -> (tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending) {
    // expected-error @below {{expected to read what its comm.start has in flight}}
    %w = comm.wait %t reads %a into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    // expected-note @below {{started here}}
    %d1, %t1 = comm.start all_to_all %a into %w over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    %b = linalg.fill ins(%v : f32) outs(%a : tensor<8x3xf32>) -> tensor<8x3xf32>
    scf.yield %b, %d1, %t1 : tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending
  }
  %last = comm.wait %o#2 reads %o#0 into %o#1 : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %last : tensor<8x3xf32>
}

// -----

// C2
comm.mesh @mesh <["ep"=4]>
func.func @source_of_the_first_turn(%x: tensor<8x3xf32>, %z: tensor<8x3xf32>, %y: tensor<8x3xf32>, %n: index) -> tensor<8x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-note @below {{started here}}
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %o:2 = scf.for %i = %c0 to %n step %c1 iter_args(%d = %d0, %t = %t0) -> (tensor<8x3xf32>, !comm.pending) {
    // expected-error @below {{expected to read what its comm.start has in flight}}
    %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
    // expected-note @below {{started here}}
    %d1, %t1 = comm.start all_to_all %z into %w over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %d1, %t1 : tensor<8x3xf32>, !comm.pending
  }
  %last = comm.wait %o#1 reads %z into %o#0 : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %last : tensor<8x3xf32>
}

// -----

// C2
comm.mesh @mesh <["ep"=4]>
func.func @branch_carries_another_destination(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1) -> tensor<8x3xf32> {
  %r:3 = scf.if %c -> (tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending) {
    // expected-note @below {{started here}}
    %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %d, %y, %t : tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending
  } else {
    // expected-note @below {{started here}}
    %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %d, %y, %t : tensor<8x3xf32>, tensor<8x3xf32>, !comm.pending
  }
  // expected-error @below {{expected the destination of its comm.start}}
  %w = comm.wait %r#2 reads %x into %r#1 : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %w : tensor<8x3xf32>
}

// -----

// C2
comm.mesh @mesh <["ep"=4]>
func.func @offsets_swapped_by_block(%x: tensor<?x3xf32>, %y: tensor<?x3xf32>, %s: tensor<5xi32>, %q: tensor<5xi32>) {
  // expected-note @below {{started here}}
  %d, %t = comm.start all_to_all_v %x by %s, %q into %y over {"ep"} of @mesh
      : (tensor<?x3xf32>, tensor<5xi32>, tensor<5xi32>, tensor<?x3xf32>) -> (tensor<?x3xf32>, !comm.pending)
  cf.br ^next(%d, %t, %q, %s : tensor<?x3xf32>, !comm.pending, tensor<5xi32>, tensor<5xi32>)
^next(%e: tensor<?x3xf32>, %u: !comm.pending, %a: tensor<5xi32>, %b: tensor<5xi32>):
  // expected-error @below {{expected to read what its comm.start has in flight}}
  %w = comm.wait %u reads %x, %a, %b into %e
      : (!comm.pending, tensor<?x3xf32>, tensor<5xi32>, tensor<5xi32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  return
}

// -----

// C2
comm.mesh @mesh <["ep"=4]>
func.func @collectives_of_other_reads(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %s: tensor<5xi32>, %c: i1) {
  %r:2 = scf.if %c -> (tensor<8x3xf32>, !comm.pending) {
    // expected-note @below {{started here}}
    %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %d, %t : tensor<8x3xf32>, !comm.pending
  } else {
    // expected-note @below {{started here}}
    %d, %t = comm.start all_to_all_v %x by %s, %s into %y over {"ep"} of @mesh
        : (tensor<8x3xf32>, tensor<5xi32>, tensor<5xi32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
    scf.yield %d, %t : tensor<8x3xf32>, !comm.pending
  }
  // expected-error @below {{expected to read what its comm.start has in flight}}
  %w = comm.wait %r#1 reads %x into %r#0 : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// C3
comm.mesh @mesh <["ep"=4]>
func.func @destination_read_in_flight(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error @below {{expected its destination to be used by its comm.wait only}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{it is used here}}
  %early = arith.addf %d, %x : tensor<8x3xf32>
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// C3
comm.mesh @mesh <["ep"=4]>
func.func @destination_read_as_source(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %z: tensor<8x3xf32>) {
  // expected-error @below {{expected its destination to be used by its comm.wait only}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{it is used here}}
  %e, %u = comm.start all_to_all %d into %z over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  %v = comm.wait %u reads %d into %e : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// C3
comm.mesh @mesh <["ep"=4]>
func.func @destination_carried_alone(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1) -> tensor<8x3xf32> {
  // expected-error @below {{expected its destination to be used by its comm.wait only}}
  %d, %t = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  // expected-note @below {{it is used here}}
  %r = scf.if %c -> tensor<8x3xf32> {
    scf.yield %d : tensor<8x3xf32>
  } else {
    scf.yield %x : tensor<8x3xf32>
  }
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %r : tensor<8x3xf32>
}

// -----

// C3
comm.mesh @mesh <["ep"=4]>
func.func @carried_destination_read(%x: tensor<8x3xf32>, %y: tensor<8x3xf32>, %c: i1) -> tensor<8x3xf32> {
  // expected-error @below {{expected its destination to be used by its comm.wait only}}
  %d0, %t0 = comm.start all_to_all %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<8x3xf32>) -> (tensor<8x3xf32>, !comm.pending)
  cf.br ^next(%d0, %t0 : tensor<8x3xf32>, !comm.pending)
^next(%d: tensor<8x3xf32>, %t: !comm.pending):
  // expected-note @below {{it is used here}}
  %early = arith.addf %d, %x : tensor<8x3xf32>
  %w = comm.wait %t reads %x into %d : (!comm.pending, tensor<8x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return %early : tensor<8x3xf32>
}
