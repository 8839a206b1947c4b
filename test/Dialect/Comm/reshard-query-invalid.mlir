// RUN: moe-opt %s --split-input-file --verify-diagnostics

// comm.reshard C1
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @reshard_rank(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{expected a sharding of 2 dimensions, but got #comm.sharding<@mesh, [{"dp"}]>}}
  %y = comm.reshard %x to <@mesh, [{"dp"}]> : tensor<?x64xf32>
  return
}

// -----

// comm.reshard C2
func.func @reshard_no_mesh(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %y = comm.reshard %x to <@mesh, [{"dp"}, {} ]> : tensor<?x64xf32>
  return
}

// -----

// comm.reshard C2
// expected-note@+1 {{the mesh is here}}
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @reshard_other_axis(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{expected axes of mesh @mesh, but got "tp"}}
  %y = comm.reshard %x to <@mesh, [{"tp"}, {} ]> : tensor<?x64xf32>
  return
}

// -----

// comm.reshard C2
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @reshard_splits_two_dimensions(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{expected each axis once, but got "ep" twice in #comm.axes<{"ep","ep":(2)2}>}}
  %y = comm.reshard %x to <@mesh, [{"ep"}, {"ep":(2)2}]> : tensor<?x64xf32>
  return
}

// -----

// comm.reshard C2
// expected-note@+1 {{the mesh is here}}
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @reshard_from_other_axis(%x: tensor<?x64xf32>) {
  // expected-error@+1 {{expected axes of mesh @mesh, but got "tp"}}
  %y = comm.reshard %x from <@mesh, [{"tp"}, {} ]> to <@mesh, [{}, {} ]> : tensor<?x64xf32>
  return
}

// -----

// comm.resharded C1
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @resharded_rank(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>, %n: index) {
  // expected-error@+1 {{expected a sharding of 2 dimensions, but got #comm.sharding<@mesh, [{"dp"}]>}}
  comm.resharded %x as %y from <@mesh, [{"dp"}]> to <@mesh, [{}, {}]> of tensor<?x64xf32> for %n tokens : (tensor<?x64xf32>, tensor<?x64xf32>, index) -> ()
  return
}

// -----

// comm.resharded C2
func.func @resharded_no_mesh(%x: tensor<?x64xf32>, %y: tensor<?x64xf32>, %n: index) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  comm.resharded %x as %y to <@mesh, [{"dp"}, {}]> of tensor<?x64xf32> for %n tokens : (tensor<?x64xf32>, tensor<?x64xf32>, index) -> ()
  return
}

// -----

// comm.resharded C3
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @resharded_to_other_type(%x: tensor<?x64xf32>, %y: tensor<?x64xbf16>, %n: index) {
  // expected-error@+1 {{expected parts of 'tensor<?x64xf32>', but got 'tensor<?x64xbf16>'}}
  comm.resharded %x as %y to <@mesh, [{"dp"}, {}]> of tensor<?x64xf32> for %n tokens : (tensor<?x64xf32>, tensor<?x64xbf16>, index) -> ()
  return
}

// -----

// comm.rank C1
func.func @rank_no_mesh() {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %r = comm.rank over {"ep"} of @mesh
  return
}

// -----

// comm.rank C1
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @rank_axis_twice() {
  // expected-error@+1 {{expected each axis once, but got "ep" twice in #comm.axes<{"ep","ep"}>}}
  %r = comm.rank over {"ep","ep"} of @mesh
  return
}

// -----

// comm.rank C1
comm.mesh @mesh <["dp"=2, "ep"=8]>
func.func @rank_sub_axes_overlap() {
  // expected-error@+1 {{expected each axis once, but got "ep" twice in #comm.axes<{"ep":(1)4,"ep":(2)2}>}}
  %r = comm.rank over {"ep":(1)4,"ep":(2)2} of @mesh
  return
}

// -----

// comm.rank C1
comm.mesh @mesh <["ep"=8]>
func.func @rank_axis_and_its_part() {
  // expected-error@+1 {{expected each axis once, but got "ep" twice in #comm.axes<{"ep":(2)2,"ep"}>}}
  %r = comm.rank over {"ep":(2)2,"ep"} of @mesh
  return
}

// -----

// Neither is read from what the other leaves: 2 x 6 and 3 x 2 x 2.
// comm.rank C1
comm.mesh @mesh <["ep"=12]>
func.func @rank_sub_axes_do_not_nest() {
  // expected-error@+1 {{expected each axis once, but got "ep" twice in #comm.axes<{"ep":(1)2,"ep":(3)2}>}}
  %r = comm.rank over {"ep":(1)2,"ep":(3)2} of @mesh
  return
}

// -----

// Parts of one axis that are independent are two axes.
comm.mesh @mesh <["ep"=8]>
func.func @rank_parts_of_one_axis() {
  %r = comm.rank over {"ep":(4)2,"ep":(1)2} of @mesh
  return
}

// -----

// comm.rank C1
// expected-note@+1 {{the mesh is here}}
comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @rank_sub_axis_does_not_divide() {
  // expected-error@+1 {{expected axes of mesh @mesh, but got "ep" with sizes that do not divide it}}
  %r = comm.rank over {"ep":(1)3} of @mesh
  return
}

// -----

// comm.local_extent C1
func.func @local_extent_no_mesh(%n: index) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %e = comm.local_extent %n over {"ep"} of @mesh
  return
}

// -----

// comm.local_offset C1
func.func @local_offset_no_mesh(%n: index) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %o = comm.local_offset %n over {"ep"} of @mesh
  return
}

// -----

// comm.shard_offsets C1
func.func @shard_offsets_no_mesh(%n: index) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %o = comm.shard_offsets %n over {"ep"} of @mesh : (index) -> tensor<5xi32>
  return
}

// -----

// An axis read as 2147483648 parts and more.
func.func @sub_axis_overflows(%x: tensor<8x3xf32>) {
  // expected-error@+1 {{together at most 2147483647, but got (1073741824)2}}
  %r = comm.rank over {"ep":(1073741824)2} of @mesh
  return
}
