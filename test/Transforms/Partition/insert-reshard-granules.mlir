// RUN: moe-opt %s --comm-propagate-sharding --comm-insert-reshard | FileCheck %s
// RUN: moe-opt %s --comm-propagate-sharding --comm-insert-reshard --moe-partition
//
// Factors that are split between granules only, such as the tokens of attention
// between sequences.

comm.mesh @mesh <["ep"=4]>

// Two granules a rank: nothing needs to move.
func.func private @divides(tensor<24x5xf32>) -> tensor<24x5xf32> attributes {comm.sharding_granules = array<i64: 3>, comm.sharding_rule = [[0, -1], [0, -1]]}
// CHECK-LABEL: @whole_granules(
// CHECK-NOT: comm.reshard
// CHECK: call @divides(%{{.+}}) {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}, {}]>]}
// CHECK-NOT: comm.reshard
func.func @whole_granules(%x: tensor<24x5xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<24x5xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %0 = call @divides(%x) : (tensor<24x5xf32>) -> tensor<24x5xf32>
  return %0 : tensor<24x5xf32>
}

// A granule and a half: gathered, computed whole, split again.
func.func private @does_not_divide(tensor<24x5xf32>) -> tensor<24x5xf32> attributes {comm.sharding_granules = array<i64: 4>, comm.sharding_rule = [[0, -1], [0, -1]]}
// CHECK-LABEL: @half_granules(
// CHECK-SAME: %[[X:.+]]: tensor<24x5xf32> {
// CHECK: %[[ALL:.+]] = comm.reshard %[[X]] from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]>
// CHECK: %[[Y:.+]] = call @does_not_divide(%[[ALL]]) : (
// CHECK: %[[R:.+]] = comm.reshard %[[Y]] from <@mesh, [{}, {}]> to <@mesh, [{"ep"}, {}]>
// CHECK: return %[[R]]
func.func @half_granules(%x: tensor<24x5xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<24x5xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %0 = call @does_not_divide(%x) : (tensor<24x5xf32>) -> tensor<24x5xf32>
  return %0 : tensor<24x5xf32>
}

// What is not known to divide may not.
func.func private @dynamic(tensor<?x5xf32>) -> tensor<?x5xf32> attributes {comm.sharding_granules = array<i64: 3>, comm.sharding_rule = [[0, -1], [0, -1]]}
// CHECK-LABEL: @unknown_granules(
// CHECK: comm.reshard %{{.+}} from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]>
// CHECK: call @dynamic(
// CHECK: comm.reshard %{{.+}} from <@mesh, [{}, {}]> to <@mesh, [{"ep"}, {}]>
func.func @unknown_granules(%x: tensor<?x5xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<?x5xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  %0 = call @dynamic(%x) : (tensor<?x5xf32>) -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}
