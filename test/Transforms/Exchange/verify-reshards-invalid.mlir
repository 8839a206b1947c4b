// RUN: moe-opt %s --split-input-file --moe-verify-communication --verify-diagnostics -o /dev/null

// What was emitted for a reshard is not what its plan says.

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @gathered_over_other_axes(%x: tensor<?x3xf32>, %n: index) {
  %o = comm.shard_offsets %n over {"dp"} of @mesh : (index) -> tensor<3xi32>
  %y = tensor.empty(%n) : tensor<?x3xf32>
  // expected-error @below {{expected comm.all_gather_v over {"ep"}, as the reshard has it}}
  %s = comm.all_gather_v %x into %y by %o over {"dp"} of @mesh : (tensor<?x3xf32>, tensor<?x3xf32>, tensor<3xi32>) -> tensor<?x3xf32>
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x3xf32> for %n tokens : (tensor<?x3xf32>, tensor<?x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @gather_dropped(%x: tensor<?x3xf32>, %n: index) {
  // expected-error @+2 {{expected comm.all_gather_v over {"ep"}, as the reshard has it}}
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %x from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x3xf32> for %n tokens : (tensor<?x3xf32>, tensor<?x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @offsets_of_other_rows(%x: tensor<?x3xf32>, %n: index, %m: index) {
  %o = comm.shard_offsets %m over {"ep"} of @mesh : (index) -> tensor<3xi32>
  %y = tensor.empty(%n) : tensor<?x3xf32>
  // expected-error @below {{expected the offsets of all rows that are shared out over {"ep"}, as the reshard has it}}
  %s = comm.all_gather_v %x into %y by %o over {"ep"} of @mesh : (tensor<?x3xf32>, tensor<?x3xf32>, tensor<3xi32>) -> tensor<?x3xf32>
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x3xf32> for %n tokens : (tensor<?x3xf32>, tensor<?x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @space_for_a_part(%x: tensor<?x3xf32>, %n: index, %m: index) {
  %o = comm.shard_offsets %n over {"ep"} of @mesh : (index) -> tensor<3xi32>
  %y = tensor.empty(%m) : tensor<?x3xf32>
  // expected-error @below {{expected space for what is gathered, which holds nothing else, as the reshard has it}}
  %s = comm.all_gather_v %x into %y by %o over {"ep"} of @mesh : (tensor<?x3xf32>, tensor<?x3xf32>, tensor<3xi32>) -> tensor<?x3xf32>
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x3xf32> for %n tokens : (tensor<?x3xf32>, tensor<?x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @space_of_a_caller(%x: tensor<?x3xf32>, %n: index, %y: tensor<?x3xf32>) {
  %o = comm.shard_offsets %n over {"ep"} of @mesh : (index) -> tensor<3xi32>
  // expected-error @below {{expected space for what is gathered, which holds nothing else, as the reshard has it}}
  %s = comm.all_gather_v %x into %y by %o over {"ep"} of @mesh : (tensor<?x3xf32>, tensor<?x3xf32>, tensor<3xi32>) -> tensor<?x3xf32>
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x3xf32> for %n tokens : (tensor<?x3xf32>, tensor<?x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @another_source(%x: tensor<?x3xf32>, %n: index, %z: tensor<?x3xf32>) {
  %o = comm.shard_offsets %n over {"ep"} of @mesh : (index) -> tensor<3xi32>
  %y = tensor.empty(%n) : tensor<?x3xf32>
  %s = comm.all_gather_v %z into %y by %o over {"ep"} of @mesh : (tensor<?x3xf32>, tensor<?x3xf32>, tensor<3xi32>) -> tensor<?x3xf32>
  // expected-error @+2 {{expected the source that its record names to be resharded, as the reshard has it}}
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x3xf32> for %n tokens : (tensor<?x3xf32>, tensor<?x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @share_of_others(%x: tensor<?x3xf32>, %n: index) {
  %m = comm.local_extent %n over {"ep"} of @mesh
  %f = comm.local_offset %n over {"dp"} of @mesh
  // expected-error @below {{expected the share of dimension 0 over {"ep"}, as the reshard has it}}
  %s = tensor.extract_slice %x[%f, 0] [%m, 3] [1, 1] : tensor<?x3xf32> to tensor<?x3xf32>
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{}, {}]> to <@mesh, [{"ep"}, {}]> of tensor<?x3xf32> for %n tokens : (tensor<?x3xf32>, tensor<?x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @share_of_another_extent(%x: tensor<?x3xf32>, %n: index) {
  %m = comm.local_extent %n over {"dp"} of @mesh
  %f = comm.local_offset %n over {"ep"} of @mesh
  // expected-error @below {{expected the share of dimension 0 over {"ep"}, as the reshard has it}}
  %s = tensor.extract_slice %x[%f, 0] [%m, 3] [1, 1] : tensor<?x3xf32> to tensor<?x3xf32>
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{}, {}]> to <@mesh, [{"ep"}, {}]> of tensor<?x3xf32> for %n tokens : (tensor<?x3xf32>, tensor<?x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @columns_joined_as_rows(%x: tensor<4x3xf32>, %n: index) {
  %part = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, 4, 3] : tensor<4x3xf32> into tensor<1x4x3xf32>
  %y = tensor.empty() : tensor<2x4x3xf32>
  %all = comm.all_gather %part into %y over {"ep"} of @mesh : (tensor<1x4x3xf32>, tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  // expected-error @below {{expected a part of type tensor<4x6xf32>, as the reshard has it}}
  %s = tensor.collapse_shape %all [[0, 1], [2]] : tensor<2x4x3xf32> into tensor<8x3xf32>
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{}, {"ep"}]> to <@mesh, [{}, {}]> of tensor<4x6xf32> for %n tokens : (tensor<4x3xf32>, tensor<8x3xf32>, index) -> ()
  return
}

// -----

// C7
comm.mesh @mesh <["dp"=2, "ep"=2]>
func.func @columns_not_moved(%x: tensor<4x2xf32>, %n: index) {
  %part = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, 4, 2] : tensor<4x2xf32> into tensor<1x4x2xf32>
  %y = tensor.empty() : tensor<2x4x2xf32>
  %all = comm.all_gather %part into %y over {"ep"} of @mesh : (tensor<1x4x2xf32>, tensor<2x4x2xf32>) -> tensor<2x4x2xf32>
  %z = tensor.empty() : tensor<4x2x2xf32>
  %moved = linalg.transpose ins(%all : tensor<2x4x2xf32>) outs(%z : tensor<4x2x2xf32>) permutation = [1, 2, 0]
  // expected-error @below {{expected parts that are joined along dimension 1, as the reshard has it}}
  %s = tensor.collapse_shape %moved [[0], [1, 2]] : tensor<4x2x2xf32> into tensor<4x4xf32>
  // expected-note @below {{the reshard is this}}
  comm.resharded %x as %s from <@mesh, [{}, {"ep"}]> to <@mesh, [{}, {}]> of tensor<4x4xf32> for %n tokens : (tensor<4x2xf32>, tensor<4x4xf32>, index) -> ()
  return
}
