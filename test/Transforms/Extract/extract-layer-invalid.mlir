// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not moe-opt %s --moe-extract-layer=layer=0 2>&1 | FileCheck %s --check-prefix=DENSE
// RUN: not moe-opt %s --moe-extract-layer=layer=7 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not moe-opt %s --moe-extract-layer=layer=all 2>&1 | FileCheck %s --check-prefix=ALL
// RUN: moe-opt %s --symbol-dce --moe-extract-layer=layer=1 | not moe-opt --moe-extract-layer 2>&1 | FileCheck %s --check-prefix=NO-MODEL

// DENSE: extract-layer-invalid.mlir:[[#]]:3: error: expected a layer with experts (1-2, 4), but layer 0 is dense
// UNKNOWN: error: expected a layer with experts (1-2, 4), but the model has no layer '7'
// ALL: error: expected the number or the name of one layer, but got 'all'
// NO-MODEL: error: expected a function with moe.role "model", but the module has none
module {
  func.func private @dense_block(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {moe.role = "dense_block"} {
    return %x : tensor<?x64xf32>
  }
  func.func private @moe_block(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {moe.role = "moe_block"} {
    return %x : tensor<?x64xf32>
  }
  func.func @model(%x: tensor<?x64xf32>) -> tensor<?x64xf32> attributes {moe.role = "model"} {
    %0 = call @dense_block(%x) {moe.layer = 0 : i64} : (tensor<?x64xf32>) -> tensor<?x64xf32>
    %1 = call @moe_block(%0) {moe.layer = 1 : i64} : (tensor<?x64xf32>) -> tensor<?x64xf32>
    %2 = call @moe_block(%1) {moe.layer = 2 : i64} : (tensor<?x64xf32>) -> tensor<?x64xf32>
    %3 = call @dense_block(%2) {moe.layer = 3 : i64} : (tensor<?x64xf32>) -> tensor<?x64xf32>
    %4 = call @moe_block(%3) {moe.layer = 4 : i64} : (tensor<?x64xf32>) -> tensor<?x64xf32>
    return %4 : tensor<?x64xf32>
  }
}
