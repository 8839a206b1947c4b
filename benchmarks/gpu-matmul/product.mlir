// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The products of Qwen3-30B-A3B's experts, 128 on one device.
func.func @gate_and_up(%rows: memref<?x2048xbf16>, %g: !moe.weights<128x2048x768xbf16>, %u: !moe.weights<128x2048x768xbf16>, %offsets: memref<129xi32>, %out: memref<?x768xbf16>) {
  %one = arith.constant 1.0 : f32
  moe.grouped_matmul %rows by %g, %u at %offsets into %out : (memref<?x2048xbf16>, !moe.weights<128x2048x768xbf16>, !moe.weights<128x2048x768xbf16>, memref<129xi32>, memref<?x768xbf16>) -> () epilogue {
  ^bb0(%a: f32, %b: f32):
    %n = arith.negf %a : f32
    %e = math.exp %n : f32
    %d = arith.addf %e, %one : f32
    %q = arith.divf %a, %d : f32
    %p = arith.mulf %q, %b : f32
    %t = arith.truncf %p : f32 to bf16
    moe.yield %t : bf16
  }
  return
}
func.func @down(%rows: memref<?x768xbf16>, %d: !moe.weights<128x768x2048xbf16>, %offsets: memref<129xi32>, %out: memref<?x2048xbf16>) {
  moe.grouped_matmul %rows by %d at %offsets into %out : (memref<?x768xbf16>, !moe.weights<128x768x2048xbf16>, memref<129xi32>, memref<?x2048xbf16>) -> ()
  return
}
