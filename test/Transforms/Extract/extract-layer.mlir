// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --moe-extract-layer | FileCheck %s
// RUN: moe-opt %s --moe-extract-layer=layer=1 | FileCheck %s
// RUN: moe-opt %s --moe-extract-layer=layer=2 | FileCheck %s --check-prefix=SECOND

// One function for both layers, called with the weights of each.

// CHECK: module attributes {moe.dtype = f32, moe.max_tokens = 128 : i64}
// CHECK: moe.weight @layers.1.router
// CHECK-NOT: @layers.2
// CHECK: func.func private @moe_block(
// CHECK-NOT: @decoder_layer
// CHECK-NOT: @attention
// CHECK: func.func @layer(%[[X:.*]]: tensor<?x64xf32>) -> tensor<?x64xf32>
// CHECK-SAME: moe.layer = 1 : i64, moe.role = "layer"
// CHECK: %[[R:.*]] = moe.use_weight @layers.1.router : tensor<8x64xf32>
// CHECK: %[[W:.*]] = moe.use_weight @layers.1.experts : !moe.weights<8x64x64xf32>
// CHECK: %[[P:.*]] = moe.use_placement layer 1
// CHECK: %[[Y:.*]] = call @moe_block(%[[X]], %[[R]], %[[W]], %[[P]])
// CHECK: return %[[Y]] : tensor<?x64xf32>
// CHECK-NOT: @model

// SECOND: moe.weight @layers.2.router
// SECOND: moe.use_placement layer 2
module attributes {moe.dtype = f32, moe.max_tokens = 128 : i64} {
  moe.weight @layers.0.down "model.layers.0.mlp.down_proj.weight" : tensor<64x64xf32>
  moe.weight @layers.1.norm "model.layers.1.norm.weight" : tensor<64xf32>
  moe.weight @layers.1.router "model.layers.1.mlp.gate.weight" : tensor<8x64xf32>
  moe.weight @layers.1.experts "model.layers.1.mlp.experts.{e}.proj.weight" : !moe.weights<8x64x64xf32>
  moe.weight @layers.2.norm "model.layers.2.norm.weight" : tensor<64xf32>
  moe.weight @layers.2.router "model.layers.2.mlp.gate.weight" : tensor<8x64xf32>
  moe.weight @layers.2.experts "model.layers.2.mlp.experts.{e}.proj.weight" : !moe.weights<8x64x64xf32>

  func.func private @attention(tensor<?x64xf32>) -> tensor<?x64xf32> attributes {moe.role = "attention"}

  func.func private @dense_block(%x: tensor<?x64xf32>, %w: tensor<64x64xf32>) -> tensor<?x64xf32>
      attributes {moe.role = "dense_block"} {
    return %x : tensor<?x64xf32>
  }

  func.func private @moe_block(%x: tensor<?x64xf32>, %router: tensor<8x64xf32>,
      %w: !moe.weights<8x64x64xf32>, %p: !moe.placement_ref<8 experts>) -> tensor<?x64xf32>
      attributes {moe.role = "moe_block"} {
    return %x : tensor<?x64xf32>
  }

  func.func private @dense_layer(%x: tensor<?x64xf32>, %w: tensor<64x64xf32>) -> tensor<?x64xf32>
      attributes {moe.role = "decoder_layer"} {
    %a = call @attention(%x) : (tensor<?x64xf32>) -> tensor<?x64xf32>
    %y = call @dense_block(%a, %w) : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }

  func.func private @decoder_layer(%x: tensor<?x64xf32>, %norm: tensor<64xf32>, %w: !moe.weights<8x64x64xf32>,
      %router: tensor<8x64xf32>, %p: !moe.placement_ref<8 experts>) -> tensor<?x64xf32>
      attributes {moe.role = "decoder_layer"} {
    %a = call @attention(%x) : (tensor<?x64xf32>) -> tensor<?x64xf32>
    %y = call @moe_block(%a, %router, %w, %p)
        : (tensor<?x64xf32>, tensor<8x64xf32>, !moe.weights<8x64x64xf32>, !moe.placement_ref<8 experts>) -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }

  func.func @model(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {moe.role = "model"} {
    %w0 = moe.use_weight @layers.0.down : tensor<64x64xf32>
    %n1 = moe.use_weight @layers.1.norm : tensor<64xf32>
    %r1 = moe.use_weight @layers.1.router : tensor<8x64xf32>
    %w1 = moe.use_weight @layers.1.experts : !moe.weights<8x64x64xf32>
    %p1 = moe.use_placement layer 1 : !moe.placement_ref<8 experts>
    %n2 = moe.use_weight @layers.2.norm : tensor<64xf32>
    %r2 = moe.use_weight @layers.2.router : tensor<8x64xf32>
    %w2 = moe.use_weight @layers.2.experts : !moe.weights<8x64x64xf32>
    %p2 = moe.use_placement layer 2 : !moe.placement_ref<8 experts>
    %x0 = call @dense_layer(%x, %w0) {moe.layer = 0 : i64} : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
    %x1 = call @decoder_layer(%x0, %n1, %w1, %r1, %p1) {moe.layer = 1 : i64}
        : (tensor<?x64xf32>, tensor<64xf32>, !moe.weights<8x64x64xf32>, tensor<8x64xf32>, !moe.placement_ref<8 experts>) -> tensor<?x64xf32>
    %x2 = call @decoder_layer(%x1, %n2, %w2, %r2, %p2) {moe.layer = 2 : i64}
        : (tensor<?x64xf32>, tensor<64xf32>, !moe.weights<8x64x64xf32>, tensor<8x64xf32>, !moe.placement_ref<8 experts>) -> tensor<?x64xf32>
    return %x2 : tensor<?x64xf32>
  }
}
