// RUN: moe-opt %s --convert-moe-to-kernels="cpu=x86-64-v3" | FileCheck %s --implicit-check-not=moe.grouped_matmul
// RUN: moe-opt %s --convert-moe-to-kernels="cpu=x86-64" | FileCheck %s --check-prefix=ANY
// RUN: not moe-opt %s --convert-moe-to-kernels="cpu=no-such-cpu" 2>&1 | FileCheck %s --check-prefix=CPU

// ANY: call @moe_matmul_11x40_f32_f32
// CPU: error: {{.*}}no-such-cpu

// Products of one shape and type share a kernel, which gets every panel.
// CHECK-LABEL: @shared(
// CHECK-SAME: %[[A:.+]]: memref<?x11xf32>, %[[W:.+]]: !moe.weights<3x11x40xf32>, %[[U:.+]]: !moe.weights<9x11x40xf32>, %[[O:.+]]: memref<?xi32>, %[[OUT:.+]]: memref<?x40xf32>
func.func @shared(%a: memref<?x11xf32>, %w: !moe.weights<3x11x40xf32>, %u: !moe.weights<9x11x40xf32>, %o: memref<?xi32>, %out: memref<?x40xf32>) {
  // CHECK: %[[P:.+]] = builtin.unrealized_conversion_cast %[[W]] : !moe.weights<3x11x40xf32> to !llvm.ptr
  // CHECK: %[[FIRST:.+]] = arith.constant 0 : index
  // CHECK: %[[PANELS:.+]] = arith.constant 2 : index
  // CHECK: call @moe_matmul_11x40_f32_f32(%[[A]], %[[P]], %[[O]], %[[OUT]], %[[FIRST]], %[[PANELS]])
  moe.grouped_matmul %a by %w at %o into %out : (memref<?x11xf32>, !moe.weights<3x11x40xf32>, memref<?xi32>, memref<?x40xf32>) -> ()
  // CHECK: call @moe_matmul_11x40_f32_f32(
  moe.grouped_matmul %a by %u at %o into %out : (memref<?x11xf32>, !moe.weights<9x11x40xf32>, memref<?xi32>, memref<?x40xf32>) -> ()
  return
}

// A static number of rows is no other kernel.
// CHECK-LABEL: @static_rows(
// CHECK: memref.cast %{{.+}} : memref<6x11xf32> to memref<?x11xf32>
// CHECK: memref.cast %{{.+}} : memref<4xi32> to memref<?xi32>
// CHECK: memref.cast %{{.+}} : memref<6x40xf32> to memref<?x40xf32>
// CHECK: call @moe_matmul_11x40_f32_f32(
func.func @static_rows(%a: memref<6x11xf32>, %w: !moe.weights<3x11x40xf32>, %o: memref<4xi32>, %out: memref<6x40xf32>) {
  moe.grouped_matmul %a by %w at %o into %out : (memref<6x11xf32>, !moe.weights<3x11x40xf32>, memref<4xi32>, memref<6x40xf32>) -> ()
  return
}

// Another output type, another kernel.
// CHECK-LABEL: @types(
// CHECK: call @moe_matmul_12x40_bf16_bf16(
// CHECK: call @moe_matmul_12x40_bf16_f32(
func.func @types(%a: memref<?x12xbf16>, %w: !moe.weights<3x12x40xbf16>, %o: memref<?xi32>, %out: memref<?x40xbf16>, %wide: memref<?x40xf32>) {
  moe.grouped_matmul %a by %w at %o into %out : (memref<?x12xbf16>, !moe.weights<3x12x40xbf16>, memref<?xi32>, memref<?x40xbf16>) -> ()
  moe.grouped_matmul %a by %w at %o into %wide : (memref<?x12xbf16>, !moe.weights<3x12x40xbf16>, memref<?xi32>, memref<?x40xf32>) -> ()
  return
}

// Epilogues that compute the same share a kernel; others do not.
// CHECK-LABEL: @epilogues(
// CHECK: call @moe_matmul_11x40_f32_f32_by2(
// CHECK: call @moe_matmul_11x40_f32_f32_by2(
// CHECK: call @moe_matmul_11x40_f32_f32_by2_v2(
// CHECK: call @moe_matmul_11x40_f32_f32_by2_v3(
func.func @epilogues(%a: memref<?x11xf32>, %w: !moe.weights<3x11x40xf32>, %u: !moe.weights<3x11x40xf32>, %o: memref<?xi32>, %out: memref<?x40xf32>) {
  %two = arith.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  moe.grouped_matmul %a by %w, %u at %o into %out : (memref<?x11xf32>, !moe.weights<3x11x40xf32>, !moe.weights<3x11x40xf32>, memref<?xi32>, memref<?x40xf32>) -> () epilogue {
  ^bb0(%p: f32, %q: f32):
    %0 = arith.mulf %p, %two : f32
    %1 = arith.subf %0, %q : f32
    moe.yield %1 : f32
  }
  moe.grouped_matmul %a by %u, %w at %o into %out : (memref<?x11xf32>, !moe.weights<3x11x40xf32>, !moe.weights<3x11x40xf32>, memref<?xi32>, memref<?x40xf32>) -> () epilogue {
  ^bb0(%p: f32, %q: f32):
    %0 = arith.mulf %p, %two : f32
    %1 = arith.subf %0, %q : f32
    moe.yield %1 : f32
  }
  moe.grouped_matmul %a by %w, %u at %o into %out : (memref<?x11xf32>, !moe.weights<3x11x40xf32>, !moe.weights<3x11x40xf32>, memref<?xi32>, memref<?x40xf32>) -> () epilogue {
  ^bb0(%p: f32, %q: f32):
    %0 = arith.mulf %p, %three : f32
    %1 = arith.subf %0, %q : f32
    moe.yield %1 : f32
  }
  moe.grouped_matmul %a by %w, %u at %o into %out : (memref<?x11xf32>, !moe.weights<3x11x40xf32>, !moe.weights<3x11x40xf32>, memref<?xi32>, memref<?x40xf32>) -> () epilogue {
  ^bb0(%p: f32, %q: f32):
    %0 = arith.mulf %p, %two : f32
    %1 = arith.subf %q, %0 : f32
    moe.yield %1 : f32
  }
  return
}

// CHECK: func.func private @moe_matmul_11x40_f32_f32({{.*}} attributes {{{.*}}moe.kernel
