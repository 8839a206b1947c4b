// RUN: moe-opt %s --split-input-file --verify-diagnostics
//
// Shardings that are written on functions and operations.

comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{'comm.sharding' on argument 0 of 'argument_number': expected a #comm.sharding, but got 5 : i64}}
func.func @argument_number(%x: tensor<8x3xf32> {comm.sharding = 5}) { return }
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{'comm.sharding' on argument 1 of 'argument_index': expected a sharding of a value with dimensions, but got one of a 'index'}}
func.func @argument_index(%x: tensor<8x3xf32>, %n: index {comm.sharding = #comm.sharding<@mesh, [{"ep"}]>}) { return }
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{expected a sharding of a value with dimensions, but got one of a 'tensor<*xf32>'}}
func.func @argument_unranked(%x: tensor<*xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}]>}) { return }
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{'comm.sharding' on argument 0 of 'argument_mesh': expected a mesh named @other}}
func.func @argument_mesh(%x: tensor<8x3xf32> {comm.sharding = #comm.sharding<@other, [{"ep"}, {}]>}) { return }
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{expected a sharding of 2 dimensions, but got #comm.sharding<@mesh, [{"ep"}]>}}
func.func @argument_rank(%x: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}]>}) { return }
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{'comm.sharding' on argument 0 of 'argument_axis_twice': expected each axis once, but got "ep" twice in #comm.axes<{"ep","ep"}>}}
func.func @argument_axis_twice(%x: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {"ep"}]>}) { return }
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{expected each axis once, but got "ep" twice in #comm.axes<{"ep","ep":(1)2}>}}
func.func @argument_axis_and_its_part(%x: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {"ep":(1)2}]>}) { return }
// -----

// expected-note@+1 {{the mesh is here}}
comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{expected axes of mesh @mesh, but got "tp"}}
func.func @argument_axis_absent(%x: tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"tp"}, {}]>}) { return }
// -----

// expected-note@+1 {{the mesh is here}}
comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{expected axes of mesh @mesh, but got "ep" with sizes that do not divide it}}
func.func private @argument_sub_axis(tensor<8x3xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep":(1)3}, {}]>})
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
// expected-error@+1 {{'comm.sharding' on result 1 of 'result_rank': expected a sharding of 1 dimensions, but got #comm.sharding<@mesh, [{"ep"}, {}]>}}
func.func private @result_rank() -> (tensor<8x3xf32>, tensor<8xf32> {comm.sharding = #comm.sharding<@mesh, [{"ep"}, {}]>})
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @operation_no_list(%n: index) {
  // expected-error@+1 {{'comm.result_shardings': expected a list of 1 entries, but got #comm.sharding<@mesh, [{"ep"}, {}]>}}
  %0 = tensor.empty(%n) {comm.result_shardings = #comm.sharding<@mesh, [{"ep"}, {}]>} : tensor<?x3xf32>
  return
}
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @operation_other_count(%n: index) {
  // expected-error@+1 {{'comm.result_shardings': expected a list of 1 entries, but got [unit, unit]}}
  %0 = tensor.empty(%n) {comm.result_shardings = [unit, unit]} : tensor<?x3xf32>
  return
}
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @operation_rank(%n: index) {
  // expected-error@+1 {{'comm.result_shardings', entry 0: expected a sharding of 2 dimensions, but got #comm.sharding<@mesh, [{"ep"}]>}}
  %0 = tensor.empty(%n) {comm.result_shardings = [#comm.sharding<@mesh, [{"ep"}]>]} : tensor<?x3xf32>
  return
}
// -----

comm.mesh @mesh <["dp"=2, "ep"=4]>
func.func @operation_arguments(%n: index) {
  // expected-error@+1 {{'comm.argument_shardings': expected a list of 0 entries, but got [unit]}}
  %0 = tensor.empty(%n) {comm.argument_shardings = [unit]} : tensor<?x3xf32>
  return
}
// -----

// expected-error@+1 {{'comm.sharding_rule' of 'rule_short': expected lists of factors for 2 values, but got}}
func.func private @rule_short(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_rule = [[0, -1]]}
// -----

// expected-error@+1 {{'comm.sharding_rule' of 'rule_rank': expected entry 1 to have 2 dimensions, but got 1}}
func.func private @rule_rank(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_rule = [[0, -1], [0]]}
// -----

// expected-error@+1 {{'comm.sharding_rule' of 'rule_many_factors': expected entry 0 to be a list of factors from -1 to 3, but got [4, -1]}}
func.func private @rule_many_factors(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_rule = [[4, -1], [0, -1]]}
// -----

// expected-error@+1 {{expected entry 0 to be a list of factors from -1 to 3, but got "rows"}}
func.func private @rule_text(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_rule = ["rows", [0, -1]]}
// -----

// expected-error@+1 {{'comm.sharding_granules' of 'granules_short': expected a positive number for each of the 2 factors of its rule, but got array<i64: 8>}}
func.func private @granules_short(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_granules = array<i64: 8>, comm.sharding_rule = [[0, 1], [0, -1]]}
// -----

// expected-error@+1 {{expected a positive number for each of the 1 factors of its rule, but got array<i64: 0>}}
func.func private @granules_zero(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_granules = array<i64: 0>, comm.sharding_rule = [[0, -1], [0, -1]]}
// -----

// expected-error@+1 {{expected a positive number for each of the 0 factors of its rule, but got 8 : i64}}
func.func private @granules_alone(tensor<8x3xf32>) -> tensor<8x3xf32> attributes {comm.sharding_granules = 8 : i64}

// -----

comm.mesh @mesh <["ep"=4]>
// expected-error@+1 {{'comm.varies_over' on argument 0 of 'varies_over_text': expected a #comm.axes, but got "ep"}}
func.func @varies_over_text(%n: index {comm.varies_over = "ep"}) {
  return
}

// -----

comm.mesh @mesh <["ep"=4]>
// expected-error@+2 {{'comm.varies_over' on result 0 of 'varies_over_unknown': expected axes of mesh @mesh, but got "tp"}}
// expected-note@-2 {{the mesh is here}}
func.func private @varies_over_unknown() -> (index {comm.varies_over = #comm.axes<{"tp"}>})

// -----

// expected-error@+1 {{'comm.varies_over' on argument 0 of 'varies_over_nothing': expected a mesh in the module}}
func.func @varies_over_nothing(%n: index {comm.varies_over = #comm.axes<{"ep"}>}) {
  return
}
