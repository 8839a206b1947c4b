// RUN: moe-opt %s --split-input-file --verify-diagnostics

// comm.start C1
func.func @start_no_mesh(%x: tensor<4x2xi32>, %y: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %d, %p = comm.start all_to_all %x into %y over {"ep"} of @mesh
    : (tensor<4x2xi32>, tensor<4x2xi32>) -> (tensor<4x2xi32>, !comm.pending)
  %r = comm.wait %p reads %x into %d : (!comm.pending, tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}

// -----

// comm.start C2
comm.mesh @mesh <["ep"=4]>
func.func @start_without_offsets(%x: tensor<?x2xi32>, %y: tensor<?x2xi32>) -> tensor<?x2xi32> {
  // expected-error@+1 {{expected 2 offsets for all_to_all_v, but got 0}}
  %d, %p = comm.start all_to_all_v %x into %y over {"ep"} of @mesh
    : (tensor<?x2xi32>, tensor<?x2xi32>) -> (tensor<?x2xi32>, !comm.pending)
  %r = comm.wait %p reads %x into %d : (!comm.pending, tensor<?x2xi32>, tensor<?x2xi32>) -> tensor<?x2xi32>
  return %r : tensor<?x2xi32>
}

// -----

// comm.start C3
comm.mesh @mesh <["ep"=4]>
func.func @start_reduction_missing(%x: tensor<4x2xi32>, %y: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // expected-error@+1 {{expected a reduction exactly with reduce_scatter and all_reduce, but got all_reduce without one}}
  %d, %p = comm.start all_reduce %x into %y over {"ep"} of @mesh
    : (tensor<4x2xi32>, tensor<4x2xi32>) -> (tensor<4x2xi32>, !comm.pending)
  %r = comm.wait %p reads %x into %d : (!comm.pending, tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}

// -----

// comm.start C3
comm.mesh @mesh <["ep"=4]>
func.func @start_reduction_of_nothing(%x: tensor<4x2xi32>, %y: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // expected-error@+1 {{expected a reduction exactly with reduce_scatter and all_reduce, but got all_to_all with one}}
  %d, %p = comm.start all_to_all with max %x into %y over {"ep"} of @mesh
    : (tensor<4x2xi32>, tensor<4x2xi32>) -> (tensor<4x2xi32>, !comm.pending)
  %r = comm.wait %p reads %x into %d : (!comm.pending, tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}

// -----

// comm.wait C1
comm.mesh @mesh <["ep"=4]>
func.func @wait_reads_something_else(%x: tensor<4x2xi32>, %y: tensor<4x2xi32>, %z: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // expected-note@+1 {{started here}}
  %d, %p = comm.start all_to_all %x into %y over {"ep"} of @mesh
    : (tensor<4x2xi32>, tensor<4x2xi32>) -> (tensor<4x2xi32>, !comm.pending)
  // expected-error@+1 {{expected to read what its comm.start has in flight}}
  %r = comm.wait %p reads %z into %d : (!comm.pending, tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}

// -----

// comm.wait C1
comm.mesh @mesh <["ep"=4]>
func.func @wait_other_destination(%x: tensor<4x2xi32>, %y: tensor<4x2xi32>, %z: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // expected-note@+1 {{started here}}
  %d, %p = comm.start all_to_all %x into %y over {"ep"} of @mesh
    : (tensor<4x2xi32>, tensor<4x2xi32>) -> (tensor<4x2xi32>, !comm.pending)
  // expected-error@+1 {{expected the destination of its comm.start}}
  %r = comm.wait %p reads %x into %z : (!comm.pending, tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}
