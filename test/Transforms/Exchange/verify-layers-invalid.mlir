// RUN: moe-opt %s --split-input-file --moe-verify-communication --verify-diagnostics -o /dev/null

// What a program does for its layers, against what is recorded of them. Layers
// that exchange rows are in verify-layers.test.

// C10
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
// expected-note @below {{'layer_missing' records what was planned}}
func.func @layer_missing(%x: tensor<4x3xf32>) -> tensor<4x3xf32>
    attributes {moe.layers = [#moe.planned_layer<0>, #moe.planned_layer<1>]} {
  moe.enter_layer 0
  %0 = call @dense(%x) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  // expected-error @below {{expected #moe.planned_layer<1> before, as was planned}}
  return %0 : tensor<4x3xf32>
}

// -----

// C10
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
// expected-note @below {{'layer_twice' records what was planned}}
func.func @layer_twice(%x: tensor<4x3xf32>) -> tensor<4x3xf32>
    attributes {moe.layers = [#moe.planned_layer<0>]} {
  moe.enter_layer 0
  %0 = call @dense(%x) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  moe.enter_layer 0
  // expected-error @below {{expected no layer any more, as was planned, but got #moe.planned_layer<0>}}
  %1 = call @dense(%0) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %1 : tensor<4x3xf32>
}

// -----

// C10: layers below a function that is called for several.
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
func.func private @half(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // expected-error @below {{expected #moe.planned_layer<"encoder.1"> here, as was planned, but got #moe.planned_layer<"encoder.0">}}
  %0 = call @dense(%x) {moe.layer = "encoder.0"} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}
// expected-note @below {{'layers_below' records what was planned}}
func.func @layers_below(%x: tensor<4x3xf32>) -> tensor<4x3xf32>
    attributes {moe.layers = [#moe.planned_layer<"encoder.0">, #moe.planned_layer<"encoder.1">]} {
  %0 = call @half(%x) : (tensor<4x3xf32>) -> tensor<4x3xf32>
  // expected-note @below {{called from here}}
  %1 = call @half(%0) : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %1 : tensor<4x3xf32>
}

// -----

// C10: even where all ranks take one path.
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
// expected-note @below {{'some_paths' records what was planned}}
func.func @some_paths(%x: tensor<4x3xf32>, %c: i1) -> tensor<4x3xf32>
    attributes {moe.layers = [#moe.planned_layer<0>]} {
  %0 = scf.if %c -> tensor<4x3xf32> {
    moe.enter_layer 0
    %1 = func.call @dense(%x) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
    scf.yield %1 : tensor<4x3xf32>
  } else {
    // expected-error @below {{expected the same layers on all paths, as was planned, but only some have #moe.planned_layer<0>}}
    scf.yield %x : tensor<4x3xf32>
  }
  return %0 : tensor<4x3xf32>
}

// -----

// C10
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
// expected-note @below {{'loop' records what was planned}}
func.func @loop(%x: tensor<4x3xf32>) -> tensor<4x3xf32>
    attributes {moe.layers = [#moe.planned_layer<0>]} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = scf.for %i = %c0 to %c1 step %c1 iter_args(%a = %x) -> tensor<4x3xf32> {
    moe.enter_layer 0
    %1 = func.call @dense(%a) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
    // expected-error @below {{expected the same layers on all paths, as was planned, but only some have #moe.planned_layer<0>}}
    scf.yield %1 : tensor<4x3xf32>
  }
  return %0 : tensor<4x3xf32>
}

// -----

// C10: blocks that end at different places.
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
// expected-note @below {{'blocks' records what was planned}}
func.func @blocks(%x: tensor<4x3xf32>, %c: i1) -> tensor<4x3xf32>
    attributes {moe.layers = [#moe.planned_layer<0>]} {
  cf.cond_br %c, ^some, ^none
^some:
  moe.enter_layer 0
  %0 = call @dense(%x) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
^none:
  // expected-error @below {{expected the same layers on all paths, as was planned, but only some have #moe.planned_layer<0>}}
  return %x : tensor<4x3xf32>
}

// -----

// C10
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
// expected-note @below {{'nothing_recorded' records what was planned}}
func.func @nothing_recorded(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  moe.enter_layer 0
  // expected-error @below {{expected no layer any more, as was planned, but got #moe.planned_layer<0>}}
  %0 = call @dense(%x) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// C11
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
// expected-note @below {{'told_of_another' records what was planned}}
func.func @told_of_another(%x: tensor<4x3xf32>) -> tensor<4x3xf32>
    attributes {moe.layers = [#moe.planned_layer<0>]} {
  // expected-error @below {{expected the call of layer 1 to follow}}
  moe.enter_layer 1
  %0 = call @dense(%x) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// C11
func.func private @dense(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
// expected-note @below {{'not_told' records what was planned}}
func.func @not_told(%x: tensor<4x3xf32>) -> tensor<4x3xf32>
    attributes {moe.layers = [#moe.planned_layer<0>]} {
  // expected-error @below {{expected moe.enter_layer 0 before}}
  %0 = call @dense(%x) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}

// -----

// C10
func.func @recursion(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  // expected-error @below {{expected no recursion, but got a call of 'recursion' inside itself}}
  %0 = call @recursion(%x) {moe.layer = 0 : i64} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %0 : tensor<4x3xf32>
}
