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
