// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --moe-inject-routing --split-input-file --verify-diagnostics

// expected-error @+1 {{expected one 'moe.experts' in the module, but got 0; take one layer by moe-extract-layer}}
module {}

// -----

// expected-error @+1 {{expected one call of 'block', but got 2; take one layer by moe-extract-layer}}
func.func private @block(%x: tensor<?x64xf32>, %e: tensor<?x1xi32>, %s: tensor<?x1xf32>) -> tensor<?x64xf32> {
  %y = moe.experts %x routed by %e weighted by %s
      : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return %y : tensor<?x64xf32>
}
func.func @layer(%x: tensor<?x64xf32>, %e: tensor<?x1xi32>, %s: tensor<?x1xf32>) -> tensor<?x64xf32> {
  %y = call @block(%x, %e, %s) : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32>
  %z = call @block(%y, %e, %s) : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}
