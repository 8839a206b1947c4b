// RUN: moe-opt %s --split-input-file --verify-diagnostics --convert-moe-to-kernels="cpu=x86-64-v3"

func.func @strided_rows(%a: memref<?x11xf32, strided<[16, 1]>>, %w: !moe.weights<3x11x40xf32>, %o: memref<?xi32>, %out: memref<?x40xf32>) {
  // expected-error @below {{expected contiguous rows, but got 'memref<?x11xf32, strided<[16, 1]>>' and 'memref<?x40xf32>'}}
  moe.grouped_matmul %a by %w at %o into %out : (memref<?x11xf32, strided<[16, 1]>>, !moe.weights<3x11x40xf32>, memref<?xi32>, memref<?x40xf32>) -> ()
  return
}

// -----

func.func @epilogue_from_outside(%a: memref<?x11xf32>, %w: !moe.weights<3x11x40xf32>, %o: memref<?xi32>, %out: memref<?x40xf32>, %v: f32) {
  moe.grouped_matmul %a by %w at %o into %out : (memref<?x11xf32>, !moe.weights<3x11x40xf32>, memref<?xi32>, memref<?x40xf32>) -> () epilogue {
  ^bb0(%p: f32):
    // expected-error @below {{expected operands of an epilogue to come from it or to be constants, but got one of type 'f32'}}
    %0 = arith.mulf %p, %v : f32
    moe.yield %0 : f32
  }
  return
}

// -----

func.func @half_precision(%a: memref<?x11xf16>, %w: !moe.weights<3x11x40xf16>, %o: memref<?xi32>, %out: memref<?x40xf16>) {
  // expected-error @below {{expected rows of f32 or bf16, but got 'f16'}}
  moe.grouped_matmul %a by %w at %o into %out : (memref<?x11xf16>, !moe.weights<3x11x40xf16>, memref<?xi32>, memref<?x40xf16>) -> ()
  return
}

// -----

func.func @tensors(%a: tensor<?x11xf32>, %w: !moe.weights<3x11x40xf32>, %o: tensor<?xi32>) -> tensor<?x40xf32> {
  // expected-error @below {{expected buffers, but got tensors; bufferize before}}
  %0 = moe.grouped_matmul %a by %w at %o : (tensor<?x11xf32>, !moe.weights<3x11x40xf32>, tensor<?xi32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}
