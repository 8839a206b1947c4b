// RUN: moe-opt %s --split-input-file --verify-diagnostics

// comm.all_to_all_v C1
comm.mesh @mesh <["ep"=4]>
func.func @all_to_all_v_other_rows(%x: tensor<?x64xf32>, %y: tensor<?x32xf32>, %o: tensor<5xi32>) {
  // expected-error@+1 {{expected source and destination with rows of one type, but got}}
  %r = comm.all_to_all_v %x by %o into %y by %o over {"ep"} of @mesh
    : (tensor<?x64xf32>, tensor<5xi32>, tensor<?x32xf32>, tensor<5xi32>) -> tensor<?x32xf32>
  return
}

// -----

// comm.all_to_all_v C2
func.func @all_to_all_v_no_mesh(%x: tensor<?x64xf32>, %o: tensor<5xi32>) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %r = comm.all_to_all_v %x by %o into %x by %o over {"ep"} of @mesh
    : (tensor<?x64xf32>, tensor<5xi32>, tensor<?x64xf32>, tensor<5xi32>) -> tensor<?x64xf32>
  return
}

// -----

// comm.all_to_all_v C3
comm.mesh @mesh <["ep"=4]>
func.func @all_to_all_v_short_offsets(%x: tensor<?x64xf32>, %o: tensor<4xi32>) {
  // expected-error@+1 {{expected offsets of length 5, but got 4}}
  %r = comm.all_to_all_v %x by %o into %x by %o over {"ep"} of @mesh
    : (tensor<?x64xf32>, tensor<4xi32>, tensor<?x64xf32>, tensor<4xi32>) -> tensor<?x64xf32>
  return
}

// -----

// comm.all_to_all C1
comm.mesh @mesh <["ep"=4]>
func.func @all_to_all_other_type(%x: tensor<4x2xi32>, %y: tensor<4x2xf32>) {
  // expected-error@+1 {{expected source and destination with rows of one type, but got}}
  %r = comm.all_to_all %x into %y over {"ep"} of @mesh : (tensor<4x2xi32>, tensor<4x2xf32>) -> tensor<4x2xf32>
  return
}

// -----

// comm.all_to_all C2
func.func @all_to_all_no_mesh(%x: tensor<4x2xi32>) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %r = comm.all_to_all %x into %x over {"ep"} of @mesh : (tensor<4x2xi32>, tensor<4x2xi32>) -> tensor<4x2xi32>
  return
}

// -----

// comm.all_to_all C3
comm.mesh @mesh <["ep"=4]>
func.func @all_to_all_unequal_parts(%x: tensor<6x2xi32>) {
  // expected-error@+1 {{expected rows for 4 equal parts, but got 6}}
  %r = comm.all_to_all %x into %x over {"ep"} of @mesh : (tensor<6x2xi32>, tensor<6x2xi32>) -> tensor<6x2xi32>
  return
}

// -----

// comm.all_gather C1
comm.mesh @mesh <["ep"=4]>
func.func @all_gather_other_rows(%x: tensor<2x3xf32>, %y: tensor<8x5xf32>) {
  // expected-error@+1 {{expected source and destination with rows of one type, but got}}
  %r = comm.all_gather %x into %y over {"ep"} of @mesh : (tensor<2x3xf32>, tensor<8x5xf32>) -> tensor<8x5xf32>
  return
}

// -----

// comm.all_gather C2
func.func @all_gather_no_mesh(%x: tensor<2x3xf32>, %y: tensor<8x3xf32>) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %r = comm.all_gather %x into %y over {"ep"} of @mesh : (tensor<2x3xf32>, tensor<8x3xf32>) -> tensor<8x3xf32>
  return
}

// -----

// comm.all_gather C3
comm.mesh @mesh <["ep"=4]>
func.func @all_gather_too_few_rows(%x: tensor<2x3xf32>, %y: tensor<6x3xf32>) {
  // expected-error@+1 {{expected 4 parts of 2 rows, but got 6 rows}}
  %r = comm.all_gather %x into %y over {"ep"} of @mesh : (tensor<2x3xf32>, tensor<6x3xf32>) -> tensor<6x3xf32>
  return
}

// -----

// comm.all_gather_v C1
comm.mesh @mesh <["ep"=4]>
func.func @all_gather_v_other_rows(%x: tensor<?x3xf32>, %y: tensor<?x5xf32>, %o: tensor<5xi32>) {
  // expected-error@+1 {{expected source and destination with rows of one type, but got}}
  %r = comm.all_gather_v %x into %y by %o over {"ep"} of @mesh
    : (tensor<?x3xf32>, tensor<?x5xf32>, tensor<5xi32>) -> tensor<?x5xf32>
  return
}

// -----

// comm.all_gather_v C2
func.func @all_gather_v_no_mesh(%x: tensor<?x3xf32>, %o: tensor<5xi32>) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %r = comm.all_gather_v %x into %x by %o over {"ep"} of @mesh
    : (tensor<?x3xf32>, tensor<?x3xf32>, tensor<5xi32>) -> tensor<?x3xf32>
  return
}

// -----

// comm.all_gather_v C3
comm.mesh @mesh <["ep"=4]>
func.func @all_gather_v_long_offsets(%x: tensor<?x3xf32>, %o: tensor<6xi32>) {
  // expected-error@+1 {{expected offsets of length 5, but got 6}}
  %r = comm.all_gather_v %x into %x by %o over {"ep"} of @mesh
    : (tensor<?x3xf32>, tensor<?x3xf32>, tensor<6xi32>) -> tensor<?x3xf32>
  return
}

// -----

// The runtime moves bytes.
comm.mesh @mesh <["ep"=2]>
func.func @all_gather_complex(%s: memref<4x8xcomplex<f32>>, %w: memref<8x8xcomplex<f32>>) {
  // expected-error@+1 {{integer or float of whole bytes}}
  comm.all_gather %s into %w over {"ep"} of @mesh : (memref<4x8xcomplex<f32>>, memref<8x8xcomplex<f32>>) -> ()
  return
}

// -----

comm.mesh @mesh <["ep"=2]>
func.func @all_gather_bits(%s: tensor<4x8xi1>, %w: tensor<8x8xi1>) {
  // expected-error@+1 {{integer or float of whole bytes}}
  %r = comm.all_gather %s into %w over {"ep"} of @mesh : (tensor<4x8xi1>, tensor<8x8xi1>) -> tensor<8x8xi1>
  return
}
