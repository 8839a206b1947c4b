// RUN: moe-opt %s --split-input-file --verify-diagnostics

// comm.reduce_scatter C1
comm.mesh @mesh <["ep"=4]>
func.func @reduce_scatter_other_rows(%x: tensor<8x3xf32>, %y: tensor<2x5xf32>) {
  // expected-error@+1 {{expected source and destination with rows of one type, but got}}
  %r = comm.reduce_scatter sum %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<2x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

// comm.reduce_scatter C2
func.func @reduce_scatter_no_mesh(%x: tensor<8x3xf32>, %y: tensor<2x3xf32>) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %r = comm.reduce_scatter sum %x into %y over {"ep"} of @mesh : (tensor<8x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// comm.reduce_scatter C3
comm.mesh @mesh <["ep"=4]>
func.func @reduce_scatter_too_few_rows(%x: tensor<6x3xf32>, %y: tensor<2x3xf32>) {
  // expected-error@+1 {{expected 4 parts of 2 rows, but got 6 rows}}
  %r = comm.reduce_scatter sum %x into %y over {"ep"} of @mesh : (tensor<6x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

// comm.all_reduce C1
comm.mesh @mesh <["ep"=4]>
func.func @all_reduce_other_type(%x: tensor<6x3xf32>, %y: tensor<6x3xbf16>) {
  // expected-error@+1 {{expected source and destination with rows of one type, but got}}
  %r = comm.all_reduce sum %x into %y over {"ep"} of @mesh : (tensor<6x3xf32>, tensor<6x3xbf16>) -> tensor<6x3xbf16>
  return
}

// -----

// comm.all_reduce C2
func.func @all_reduce_no_mesh(%x: tensor<6x3xf32>) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %r = comm.all_reduce max %x into %x over {"ep"} of @mesh : (tensor<6x3xf32>, tensor<6x3xf32>) -> tensor<6x3xf32>
  return
}

// -----

// comm.barrier C1
func.func @barrier_no_mesh() {
  // expected-error@+1 {{expected a mesh named @mesh}}
  comm.barrier over {"ep"} of @mesh
  return
}

// -----

// comm.host_extent C1
func.func @host_extent_no_bound(%o: tensor<?xi32>) {
  // expected-error@+1 {{expected a bound from 1 to 2147483647 rows, but got -2}}
  %n = comm.host_extent %o bound(-2) : tensor<?xi32>
  return
}

// -----

// comm.check_bound C1
func.func @check_bound_no_bound(%c: tensor<4x2xi32>) {
  // expected-error@+1 {{expected a bound from 1 to 2147483647 rows, but got -1}}
  %r = comm.check_bound %c bound(-1) : (tensor<4x2xi32>) -> tensor<4x2xi32>
  return
}
