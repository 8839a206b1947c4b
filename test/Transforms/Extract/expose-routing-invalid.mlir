// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --moe-expose-routing --split-input-file --verify-diagnostics

func.func @layer_in_a_loop(%x: tensor<?x64xf32>, %e: tensor<?x1xi32>, %s: tensor<?x1xf32>, %n: index) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> tensor<?x64xf32> {
    // expected-error @+1 {{expected layers of experts to run once, outside of loops and conditions, so that 'layer_in_a_loop' can return their routing}}
    %y = moe.experts %a routed by %e weighted by %s
        : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32> {
    ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
      moe.yield %rows : tensor<?x64xf32>
    }
    scf.yield %y : tensor<?x64xf32>
  }
  return %r : tensor<?x64xf32>
}

// -----

func.func private @block(%x: tensor<?x64xf32>, %e: tensor<?x1xi32>, %s: tensor<?x1xf32>) -> tensor<?x64xf32> {
  %y = moe.experts %x routed by %e weighted by %s
      : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return %y : tensor<?x64xf32>
}
func.func @call_under_a_condition(%x: tensor<?x64xf32>, %e: tensor<?x1xi32>, %s: tensor<?x1xf32>, %c: i1) -> tensor<?x64xf32> {
  %r = scf.if %c -> tensor<?x64xf32> {
    // expected-error @+1 {{so that 'call_under_a_condition' can return their routing}}
    %y = func.call @block(%x, %e, %s) : (tensor<?x64xf32>, tensor<?x1xi32>, tensor<?x1xf32>) -> tensor<?x64xf32>
    scf.yield %y : tensor<?x64xf32>
  } else {
    scf.yield %x : tensor<?x64xf32>
  }
  return %r : tensor<?x64xf32>
}

// -----

func.func private @again(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // expected-error @+1 {{expected no recursion, but got a call of 'again' inside itself}}
  %y = call @again(%x) : (tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
