// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @limit_capacity_groups
// CHECK: group <all> capacity
// CHECK: group <tokens 16> capacity
// CHECK: group <sequence 128> capacity
func.func @limit_capacity_groups(%e: tensor<?x2xi32>) -> tensor<?x2xi32> {
  %0 = moe.limit_capacity %e group <all> capacity <count = 64> order choice_then_token experts 8
      : (tensor<?x2xi32>) -> tensor<?x2xi32>
  %1 = moe.limit_capacity %0 group <tokens 16> capacity <count = 4> order choice_then_token experts 8
      : (tensor<?x2xi32>) -> tensor<?x2xi32>
  %2 = moe.limit_capacity %1 group <sequence 128> capacity <factor = 1.25 : f64> order survivors_then_token experts 8
      : (tensor<?x2xi32>) -> tensor<?x2xi32>
  return %2 : tensor<?x2xi32>
}
