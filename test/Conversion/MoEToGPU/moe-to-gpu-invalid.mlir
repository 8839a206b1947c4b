// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-gpu --split-input-file --verify-diagnostics

func.func @rows_with_gaps(%x: memref<?x64xbf16, strided<[72, 1]>>, %p: memref<?x3xi32>, %y: memref<?x64xbf16>) {
  // expected-error @+1 {{cannot become a kernel: expected buffers without gaps, but got 'memref<?x64xbf16, strided<[72, 1]>>'}}
  moe.spread_rows %x to %p into %y : (memref<?x64xbf16, strided<[72, 1]>>, memref<?x3xi32>, memref<?x64xbf16>) -> ()
  return
}

// -----

func.func @unknown_counts(%c: memref<?x3xi32>) {
  // expected-error @+1 {{cannot become a kernel: expected a matrix of counts of static shape, but got 'memref<?x3xi32>'}}
  comm.check_bound %c bound(8) : (memref<?x3xi32>) -> ()
  return
}

// -----

func.func @captured_number(%y: memref<8xf32>, %v: f32) {
  // expected-error @+1 {{cannot become a kernel: expected operands that are buffers or constants, but got one of type 'f32'}}
  linalg.fill ins(%v : f32) outs(%y : memref<8xf32>)
  return
}

// -----

func.func @best_score_first(%e: memref<?x2xi32>, %p: memref<?xf32>, %k: memref<?x2xi32>) {
  // expected-error @+1 {{cannot become a kernel: order best_score needs a sort of the tokens}}
  moe.limit_capacity %e priority %p into %k group <all> capacity <count = 7> order best_score experts 5 : (memref<?x2xi32>, memref<?xf32>, memref<?x2xi32>) -> ()
  return
}

// -----

func.func @half_words(%rows: memref<8x25xbf16>, %w: !moe.weights<1x25x8xbf16>, %o: memref<2xi32>, %y: memref<8x8xf32>) {
  // expected-error @+1 {{cannot become a kernel: expected rows of a multiple of 4 bytes}}
  moe.grouped_matmul %rows by %w at %o into %y : (memref<8x25xbf16>, !moe.weights<1x25x8xbf16>, memref<2xi32>, memref<8x8xf32>) -> ()
  return
}

// -----

func.func @f16_rows(%rows: memref<8x32xf16>, %w: !moe.weights<1x32x8xf16>, %o: memref<2xi32>, %y: memref<8x8xf32>) {
  // expected-error @+1 {{cannot become a kernel: expected rows of f32 or bf16}}
  moe.grouped_matmul %rows by %w at %o into %y : (memref<8x32xf16>, !moe.weights<1x32x8xf16>, memref<2xi32>, memref<8x8xf32>) -> ()
  return
}

// -----

func.func @captured_scale(%rows: memref<8x32xf32>, %w: !moe.weights<1x32x8xf32>, %o: memref<2xi32>, %y: memref<8x8xf32>, %s: f32) {
  moe.grouped_matmul %rows by %w at %o into %y : (memref<8x32xf32>, !moe.weights<1x32x8xf32>, memref<2xi32>, memref<8x8xf32>) -> () epilogue {
  ^bb0(%a: f32):
    // expected-error @+1 {{expected operands of an epilogue to come from it or to be constants, but got one of type 'f32'}}
    %t = arith.mulf %a, %s : f32
    moe.yield %t : f32
  }
  return
}

// -----

func.func @third_norm(%s: memref<?x4xf32>, %w: memref<?x4xf32>) {
  // expected-error @+1 {{cannot become a kernel: a p-norm needs powers, unless p is 1 or 2}}
  moe.weigh p_norm %s into %w p 3.000000e+00 : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  return
}
