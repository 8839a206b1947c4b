// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: moe-opt %s --convert-moe-to-loops --split-input-file --verify-diagnostics

func.func @select_tokens(%s: memref<?x8xf32>, %e: memref<?x8xi32>, %w: memref<?x8xf32>) {
  // expected-error @below {{'moe.select_tokens' op cannot become loops: this selection has no loops yet}}
  moe.select_tokens %s into %e, %w group <tokens 16> capacity <count = 2>
      : (memref<?x8xf32>, memref<?x8xi32>, memref<?x8xf32>) -> ()
  return
}

// -----

func.func @select_masked_pair(%z: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>) {
  // expected-error @below {{'moe.select_masked_pair' op cannot become loops: this selection has no loops yet}}
  moe.select_masked_pair %z into %e, %w jitter 0.01 : (memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  return
}

// -----

func.func @select_balanced(%s: memref<?x8xf32>, %e: memref<?x1xi32>, %w: memref<?x1xf32>) {
  // expected-error @below {{'moe.select_balanced' op cannot become loops: this selection has no loops yet}}
  moe.select_balanced %s into %e, %w group <all> : (memref<?x8xf32>, memref<?x1xi32>, memref<?x1xf32>) -> ()
  return
}

// -----

func.func @select_sampling_in_groups(%s: memref<?x8xf32>, %n: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>) {
  // expected-error @below {{cannot become loops: sampling the second choice is not defined together with a limit on groups}}
  moe.select top_k 2 %s noised by %n limit <groups = 2, keep = 1, score = max, mask = zero> second sampling into %e, %w
      : (memref<?x8xf32>, memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
  return
}

// -----

func.func @limit_capacity_best_score(%e: memref<?x2xi32>, %s: memref<?xf32>, %k: memref<?x2xi32>) {
  // expected-error @below {{cannot become loops: order best_score needs a sort of the tokens}}
  moe.limit_capacity %e priority %s into %k group <all> capacity <count = 64> order best_score experts 8
      : (memref<?x2xi32>, memref<?xf32>, memref<?x2xi32>) -> ()
  return
}

// -----

func.func @count_offsets_dynamic(%c: memref<?x3xi32>, %r: memref<?xi32>, %s: memref<4xi32>) {
  // expected-error @below {{cannot become loops: expected counts of static shape without gaps, but got memref<?x3xi32>}}
  moe.count_offsets %c into %r, %s : (memref<?x3xi32>, memref<?xi32>, memref<4xi32>) -> ()
  return
}

// -----

func.func @spread_rows_dynamic(%x: memref<?x?xbf16>, %p: memref<?x2xi32>, %y: memref<?x?xbf16>) {
  // expected-error @below {{cannot become loops: expected a static number of columns, but got memref<?x?xbf16>}}
  moe.spread_rows %x to %p into %y : (memref<?x?xbf16>, memref<?x2xi32>, memref<?x?xbf16>) -> ()
  return
}

// -----

func.func @spread_rows_with_gaps(%x: memref<?x8xbf16, strided<[16, 2]>>, %p: memref<?x2xi32>, %y: memref<?x8xbf16>) {
  // expected-error @below {{cannot become loops: expected rows without gaps, but got memref<?x8xbf16, strided<[16, 2]>>}}
  moe.spread_rows %x to %p into %y : (memref<?x8xbf16, strided<[16, 2]>>, memref<?x2xi32>, memref<?x8xbf16>) -> ()
  return
}
