// RUN: moe-opt %s --comm-propagate-sharding --comm-insert-reshard --moe-partition | FileCheck %s
// RUN: moe-opt %s --comm-propagate-sharding --comm-insert-reshard --moe-partition --moe-verify-communication -o /dev/null

comm.mesh @mesh <["dp"=2, "ep"=4]>

// Whole to split: this rank's rows are cut out, nothing is sent.
// CHECK-LABEL: @slice_rows(
// CHECK-SAME: %[[X:.+]]: tensor<?x3xf32>{{.*}}, %[[TOKENS:.+]]: index
// CHECK-NOT: comm.all_gather
// CHECK-DAG: %[[FIRST:.+]] = comm.local_offset %[[TOKENS]] over {"ep"} of @mesh
// CHECK-DAG: %[[COUNT:.+]] = comm.local_extent %[[TOKENS]] over {"ep"} of @mesh
// CHECK: tensor.extract_slice %[[X]][%[[FIRST]], 0] [%[[COUNT]], 3] [1, 1]
func.func @slice_rows(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %r = comm.reshard %x from <@mesh, [{}, {}]> to <@mesh, [{"ep"}, {}]> : tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}

// Split to whole: rows may be ragged.
// CHECK-LABEL: @gather_rows(
// CHECK-SAME: %[[X:.+]]: tensor<?x3xf32>{{.*}}, %[[TOKENS:.+]]: index
// CHECK-DAG: %[[OFFSETS:.+]] = comm.shard_offsets %[[TOKENS]] over {"dp","ep"} of @mesh : (index) -> tensor<9xi32>
// CHECK-DAG: %[[SPACE:.+]] = tensor.empty(%[[TOKENS]]) : tensor<?x3xf32>
// CHECK: %[[ALL:.+]] = comm.all_gather_v %[[X]] into %[[SPACE]] by %[[OFFSETS]] over {"dp","ep"} of @mesh
// CHECK: comm.resharded %[[X]] as %[[ALL]] from <@mesh, [{"dp","ep"}, {}]> to <@mesh, [{}, {}]> of tensor<?x3xf32> for %[[TOKENS]] tokens
func.func @gather_rows(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp","ep"}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}]>}) {
  %r = comm.reshard %x from <@mesh, [{"dp","ep"}, {}]> to <@mesh, [{}, {}]> : tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}

// Ten rows on four ranks are ragged though their number is known.
// CHECK-LABEL: @gather_known_rows(
// CHECK-SAME: %[[X:.+]]: tensor<?x3xf32>
// CHECK: %[[TEN:.+]] = arith.constant 10 : index
// CHECK: comm.shard_offsets %[[TEN]] over {"ep"}
// CHECK: comm.all_gather_v %[[X]] into %{{.+}} : (tensor<?x3xf32>, tensor<10x3xf32>, tensor<5xi32>) -> tensor<10x3xf32>
func.func @gather_known_rows(%x: tensor<10x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<10x3xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}]>}) {
  %r = comm.reshard %x from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> : tensor<10x3xf32>
  return %r : tensor<10x3xf32>
}

// Inner parts are gathered stacked, then moved to their columns.
// CHECK-LABEL: @gather_columns(
// CHECK-SAME: %[[X:.+]]: tensor<?x3xf32>
// CHECK: %[[PART:.+]] = tensor.expand_shape %[[X]] {{\[}}[0, 1], [2]] {{.*}} into tensor<1x?x3xf32>
// CHECK: %[[ALL:.+]] = comm.all_gather %[[PART]] into %{{.+}} over {"ep"} of @mesh : (tensor<1x?x3xf32>, tensor<4x?x3xf32>) -> tensor<4x?x3xf32>
// CHECK: %[[MOVED:.+]] = linalg.transpose ins(%[[ALL]] {{.*}} permutation = [1, 0, 2]
// CHECK: tensor.collapse_shape %[[MOVED]] {{\[}}[0], [1, 2]] : tensor<?x4x3xf32> into tensor<?x12xf32>
func.func @gather_columns(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {"ep"}]>}) -> (tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}]>}) {
  %r = comm.reshard %x from <@mesh, [{}, {"ep"}]> to <@mesh, [{}, {}]> : tensor<?x12xf32>
  return %r : tensor<?x12xf32>
}

// The middle of three dimensions, extents known.
// CHECK-LABEL: @gather_middle(
// CHECK: comm.all_gather {{.*}} : (tensor<1x5x3x7xf32>, tensor<2x5x3x7xf32>)
// CHECK: linalg.transpose {{.*}} permutation = [1, 0, 2, 3]
// CHECK: tensor.collapse_shape {{.*}} {{\[}}[0], [1, 2], [3]] : tensor<5x2x3x7xf32> into tensor<5x6x7xf32>
func.func @gather_middle(%x: tensor<5x6x7xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {"dp"}, {}]>}) -> (tensor<5x6x7xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}, {}]>}) {
  %r = comm.reshard %x from <@mesh, [{}, {"dp"}, {}]> to <@mesh, [{}, {}, {}]> : tensor<5x6x7xf32>
  return %r : tensor<5x6x7xf32>
}

// From one split to another: gathered, then cut anew.
// CHECK-LABEL: @change_axes(
// CHECK: %[[ALL:.+]] = comm.all_gather_v {{.*}} over {"dp"} of @mesh
// CHECK: comm.local_offset %{{.+}} over {"ep"}
// CHECK: tensor.extract_slice %[[ALL]]
func.func @change_axes(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %r = comm.reshard %x from <@mesh, [{"dp"}, {}]> to <@mesh, [{"ep"}, {}]> : tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}

// Several dimensions, one after the other.
// CHECK-LABEL: @change_both(
// CHECK-SAME: %[[X:.+]]: tensor<?x3xf32>
// CHECK: %[[ROWS:.+]] = comm.all_gather_v %[[X]] {{.*}} over {"dp"} of @mesh
// CHECK: %[[CUT:.+]] = tensor.extract_slice %[[ROWS]]
// CHECK: tensor.expand_shape %[[CUT]]
// CHECK: comm.all_gather {{.*}} over {"ep"} of @mesh
// CHECK: comm.resharded %[[X]] as
func.func @change_both(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {"ep"}]>}) -> (tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %r = comm.reshard %x from <@mesh, [{"dp"}, {"ep"}]> to <@mesh, [{"ep"}, {}]> : tensor<?x12xf32>
  return %r : tensor<?x12xf32>
}

// CHECK-LABEL: @same(
// CHECK-NOT: {{^ *(%.+ = )?comm[.]}}
// CHECK: return
func.func @same(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) {
  %r = comm.reshard %x from <@mesh, [{"dp"}, {}]> to <@mesh, [{"dp"}, {}]> : tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}
