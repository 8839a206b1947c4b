// RUN: moe-opt %s --split-input-file --verify-diagnostics

// moe.experts C1
func.func @experts_other_tokens(%x: tensor<6x64xf32>, %e: tensor<5x2xi32>, %w: tensor<6x2xf32>) {
  // expected-error@+1 {{expected x, expert, weight and result of as many tokens, but got}}
  %y = moe.experts %x routed by %e weighted by %w : (tensor<6x64xf32>, tensor<5x2xi32>, tensor<6x2xf32>) -> tensor<6x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return
}

// -----

// moe.experts C1
func.func @experts_other_choices(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: tensor<?x3xf32>) {
  // expected-error@+1 {{expected one weight a choice, but got}}
  %y = moe.experts %x routed by %e weighted by %w : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x3xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return
}

// -----

// moe.experts C2
func.func @experts_other_rows(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{expected a region over 'tensor<?x64xf32>' and 'tensor<?xi32>'}}
  %y = moe.experts %x routed by %e weighted by %w : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xbf16>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xbf16>
  }
  return
}

// -----

// moe.experts C3
func.func @experts_yield_other_columns(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{expected its region to yield rows of 32 columns, but got 'tensor<?x64xf32>'}}
  %y = moe.experts %x routed by %e weighted by %w : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x32xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return
}

// -----

// moe.experts C3
func.func @experts_yield_nothing(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{expected its region to yield one value}}
  %y = moe.experts %x routed by %e weighted by %w : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield
  }
  return
}

// -----

// moe.experts C4
func.func @experts_no_mesh(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{expected a mesh named @mesh}}
  %y = moe.experts %x routed by %e weighted by %w over {"ep"} of @mesh : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return
}

// -----

// moe.experts C4
comm.mesh @mesh <["ep"=4]>
func.func @experts_mesh_without_axes(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{expected axes and mesh together}}
  %y = moe.experts %x routed by %e weighted by %w of @mesh : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return
}

// -----

// moe.experts C4
func.func @experts_no_exchange(%x: tensor<?x64xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) {
  // expected-error@+1 {{expected a moe.exchange named @x0}}
  %y = moe.experts %x routed by %e weighted by %w exchange @x0 : (tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x64xf32> {
  ^bb0(%rows: tensor<?x64xf32>, %offsets: tensor<?xi32>):
    moe.yield %rows : tensor<?x64xf32>
  }
  return
}

// -----

// moe.grouped_matmul C1
func.func @grouped_matmul_other_inner(%r: tensor<?x32xf32>, %w: !moe.weights<8x64x48xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected rows of 64 columns, but got 'tensor<?x32xf32>'}}
  %y = moe.grouped_matmul %r by %w at %o : (tensor<?x32xf32>, !moe.weights<8x64x48xf32>, tensor<?xi32>) -> tensor<?x48xf32>
  return
}

// -----

// moe.grouped_matmul C1
func.func @grouped_matmul_other_outer(%r: tensor<?x64xf32>, %w: !moe.weights<8x64x48xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected result 0 to be [?, 48] of f32, bf16 or f16, but got 'tensor<?x64xf32>'}}
  %y = moe.grouped_matmul %r by %w at %o : (tensor<?x64xf32>, !moe.weights<8x64x48xf32>, tensor<?xi32>) -> tensor<?x64xf32>
  return
}

// -----

// moe.grouped_matmul C2
func.func @grouped_matmul_two_shapes(%r: tensor<?x64xf32>, %w: !moe.weights<8x64x48xf32>, %v: !moe.weights<9x64x48xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected matrices of one shape}}
  %y = moe.grouped_matmul %r by %w, %v at %o : (tensor<?x64xf32>, !moe.weights<8x64x48xf32>, !moe.weights<9x64x48xf32>, tensor<?xi32>) -> tensor<?x48xf32>
  return
}

// -----

// moe.grouped_matmul C2
func.func @grouped_matmul_two_without_epilogue(%r: tensor<?x64xf32>, %w: !moe.weights<8x64x48xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected an epilogue for 2 matrices}}
  %y = moe.grouped_matmul %r by %w, %w at %o : (tensor<?x64xf32>, !moe.weights<8x64x48xf32>, !moe.weights<8x64x48xf32>, tensor<?xi32>) -> tensor<?x48xf32>
  return
}

// -----

func.func @grouped_matmul_without_matrix(%r: tensor<?x64xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected at least one matrix}}
  %y = "moe.grouped_matmul"(%r, %o) <{operandSegmentSizes = array<i32: 1, 0, 1, 0>}> ({}) : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x48xf32>
  return
}

// -----

// moe.grouped_matmul C3
func.func @grouped_matmul_epilogue_yields_f32(%r: tensor<?x64xbf16>, %w: !moe.weights<8x64x48xbf16>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected an epilogue from 1 f32 to one 'bf16'}}
  %y = moe.grouped_matmul %r by %w at %o : (tensor<?x64xbf16>, !moe.weights<8x64x48xbf16>, tensor<?xi32>) -> tensor<?x48xbf16> epilogue {
  ^bb0(%a: f32):
    moe.yield %a : f32
  }
  return
}

// -----

// moe.grouped_matmul C3
func.func @grouped_matmul_epilogue_takes_too_few(%r: tensor<?x64xf32>, %w: !moe.weights<8x64x48xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected an epilogue from 2 f32 to one 'f32'}}
  %y = moe.grouped_matmul %r by %w, %w at %o : (tensor<?x64xf32>, !moe.weights<8x64x48xf32>, !moe.weights<8x64x48xf32>, tensor<?xi32>) -> tensor<?x48xf32> epilogue {
  ^bb0(%a: f32):
    moe.yield %a : f32
  }
  return
}

// -----

// moe.grouped_matmul C1
func.func @grouped_matmul_other_rows(%r: tensor<5x64xf32>, %w: !moe.weights<8x64x48xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected result 0 to be [5, 48] of f32, bf16 or f16, but got 'tensor<6x48xf32>'}}
  %y = moe.grouped_matmul %r by %w at %o : (tensor<5x64xf32>, !moe.weights<8x64x48xf32>, tensor<?xi32>) -> tensor<6x48xf32>
  return
}
// -----

// moe.grouped_matmul C4
func.func @grouped_matmul_two_element_types(%r: tensor<?x64xf32>, %w: !moe.weights<8x64x48xbf16>, %o: tensor<?xi32>) {
  // expected-error@+1 {{expected rows of the matrices' 'bf16', but got 'tensor<?x64xf32>'}}
  %y = moe.grouped_matmul %r by %w at %o : (tensor<?x64xf32>, !moe.weights<8x64x48xbf16>, tensor<?xi32>) -> tensor<?x48xf32>
  return
}
// -----

// moe.grouped_matmul C5
func.func @grouped_matmul_few_offsets(%r: tensor<?x64xf32>, %w: !moe.weights<8x64x48xf32>, %o: tensor<4xi32>) {
  // expected-error@+1 {{expected offsets to be [9], but got 'tensor<4xi32>'}}
  %y = moe.grouped_matmul %r by %w at %o : (tensor<?x64xf32>, !moe.weights<8x64x48xf32>, tensor<4xi32>) -> tensor<?x48xf32>
  return
}
