// RUN: moe-opt %s --comm-propagate-sharding --comm-insert-reshard | FileCheck %s

comm.mesh @mesh <["dp"=2, "ep"=4]>

// Where two neighbours disagree, the operand is spread anew.
// CHECK-LABEL: @mismatch(
// CHECK-SAME: %[[X:.+]]: tensor<?x3xf32> {{{.*}}"ep"{{.*}}}, %[[Y:.+]]: tensor<?x3xf32> {{{.*}}"dp"{{.*}}}, %{{.+}}: tensor
func.func @mismatch(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %y: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}, %out: tensor<?x3xf32>) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) {
  // CHECK-NEXT: %[[R:.+]] = comm.reshard %[[Y]] from <@mesh, [{"dp"}, {}]> to <@mesh, [{"ep"}, {}]> {{.*}}: tensor<?x3xf32>
  // CHECK-NEXT: linalg.add {{.*}} ins(%[[X]], %[[R]] :
  // CHECK-NEXT: return
  %0 = linalg.add ins(%x, %y : tensor<?x3xf32>, tensor<?x3xf32>) outs(%out : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: @agreement(
// CHECK-NOT: comm.reshard
func.func @agreement(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %out: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = linalg.exp ins(%x : tensor<?x3xf32>) outs(%out : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// A sum has one order: the summed dimension is made whole first.
// CHECK-LABEL: @summed_dimension(
// CHECK: comm.reshard %{{.+}} from <@mesh, [{}, {"ep"}]> to <@mesh, [{}, {}]> : tensor<?x12xf32>
func.func @summed_dimension(%x: tensor<?x12xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {"ep"}]>}, %out: tensor<?xf32>) -> tensor<?xf32> {
  %0 = linalg.reduce {arith.addf} ins(%x : tensor<?x12xf32>) outs(%out : tensor<?xf32>) dimensions = [1]
  return %0 : tensor<?xf32>
}

// CHECK-LABEL: func.func private @callee(
// CHECK-NOT: comm.reshard
func.func private @callee(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) {
  return %x : tensor<?x3xf32>
}
// A callee has one form; its callers agree with it, and a return with what the
// function promises.
// CHECK-LABEL: @call_and_return(
// CHECK-SAME: %[[X:.+]]: tensor<?x3xf32> {
func.func @call_and_return(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{}, {}]>}) {
  // CHECK: %[[A:.+]] = comm.reshard %[[X]] from <@mesh, [{"ep"}, {}]> to <@mesh, [{"dp"}, {}]>
  // CHECK: %[[C:.+]] = call @callee(%[[A]])
  // CHECK: %[[R:.+]] = comm.reshard %[[C]] from <@mesh, [{"dp"}, {}]> to <@mesh, [{}, {}]> : tensor<?x3xf32>
  // CHECK: return %[[R]]
  %0 = call @callee(%x) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// A declared function has one form too: that of its first call.
// CHECK: func.func private @declared(tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>})
func.func private @declared(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_rule = [[0, -1], [0, -1]]}
// CHECK-LABEL: @declared_twice(
// CHECK-SAME: %[[X:.+]]: tensor<8x3xf32> {{{.*}}"ep"{{.*}}}, %[[Y:.+]]: tensor<8x3xf32> {{{.*}}"dp"
func.func @declared_twice(%x: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, %y: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) -> (tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}, tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) {
  // CHECK: %[[A:.+]] = call @declared(%[[X]])
  %0 = call @declared(%x) : (tensor<8x3xf32>) -> tensor<8x3xf32>
  // CHECK: %[[R:.+]] = comm.reshard %[[Y]] from <@mesh, [{"dp"}, {}]> to <@mesh, [{"ep"}, {}]>
  // CHECK: %[[B:.+]] = call @declared(%[[R]])
  %1 = call @declared(%y) : (tensor<8x3xf32>) -> tensor<8x3xf32>
  // CHECK: %[[BACK:.+]] = comm.reshard %[[B]] from <@mesh, [{"ep"}, {}]> to <@mesh, [{"dp"}, {}]>
  // CHECK: return %[[A]], %[[BACK]]
  return %0, %1 : tensor<8x3xf32>, tensor<8x3xf32>
}

// What the user wrote says where it starts from, or starts from there.
// CHECK-LABEL: @written(
// CHECK-SAME: %[[X:.+]]: tensor<?x3xf32> {
func.func @written(%x: tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>}) -> (tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}, tensor<?x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"dp"}, {}]>}) {
  // CHECK: %[[A:.+]] = comm.reshard %[[X]] from <@mesh, [{"ep"}, {}]> to <@mesh, [{"dp"}, {}]>
  %0 = comm.reshard %x to <@mesh, [{"dp"}, {}]> : tensor<?x3xf32>
  // CHECK: %[[WHOLE:.+]] = comm.reshard %[[X]] from <@mesh, [{"ep"}, {}]> to <@mesh, [{}, {}]> : tensor
  // CHECK: %[[B:.+]] = comm.reshard %[[WHOLE]] from <@mesh, [{}, {}]> to <@mesh, [{"dp"}, {}]>
  %1 = comm.reshard %x from <@mesh, [{}, {}]> to <@mesh, [{"dp"}, {}]> : tensor<?x3xf32>
  // CHECK: return %[[A]], %[[B]]
  return %0, %1 : tensor<?x3xf32>, tensor<?x3xf32>
}
