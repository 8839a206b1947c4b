// RUN: moe-opt %s --split-input-file --verify-diagnostics --convert-launches-to-runtime

func.func @reads(%frame: !llvm.ptr, %counts: memref<4xi32>, %i: index) -> i32 {
  // expected-error @below {{'memref.load' would work on the host, but its buffers are in a device's memory}}
  %count = memref.load %counts[%i] : memref<4xi32>
  return %count : i32
}

// -----

func.func @computes(%frame: !llvm.ptr, %x: memref<4xf32>, %y: memref<4xf32>) {
  // expected-error @below {{'linalg.exp' would work on the host, but its buffers are in a device's memory}}
  linalg.exp ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
  return
}

// -----

memref.global "private" constant @table : memref<2xi32> = dense<[3, 5]>
func.func @constant(%frame: !llvm.ptr) -> memref<2xi32> {
  // expected-error @below {{'memref.get_global' would work on the host}}
  %table = memref.get_global @table : memref<2xi32>
  return %table : memref<2xi32>
}

// -----

func.func @gaps(%frame: !llvm.ptr, %x: memref<4x5xf32, strided<[8, 1]>>, %y: memref<4x5xf32>) {
  // expected-error @below {{expected buffers without gaps, but got 'memref<4x5xf32, strided<[8, 1]>>'}}
  memref.copy %x, %y : memref<4x5xf32, strided<[8, 1]>> to memref<4x5xf32>
  return
}

// -----

module attributes {gpu.container_module} {
gpu.module @kernels {
  llvm.func @k(%n: i64) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
func.func @planes(%frame: !llvm.ptr, %n: i64) {
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  // expected-error @below {{expected blocks and threads of one dimension}}
  gpu.launch_func @kernels::@k blocks in (%one, %two, %one) threads in (%one, %one, %one) args(%n : i64)
  return
}
}

// -----

module attributes {gpu.container_module} {
gpu.module @kernels {
  llvm.func @k(%n: i32) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
func.func @narrow(%frame: !llvm.ptr, %n: i32) {
  %one = arith.constant 1 : index
  // expected-error @below {{expected operands that are pointers or 'i64', but got 'i32'}}
  gpu.launch_func @kernels::@k blocks in (%one, %one, %one) threads in (%one, %one, %one) args(%n : i32)
  return
}
}

// -----

module attributes {gpu.container_module} {
gpu.module @kernels {
  llvm.func @k() attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}
func.func @tokens(%frame: !llvm.ptr) {
  %one = arith.constant 1 : index
  // expected-error @below {{expected neither tokens nor clusters}}
  %token = gpu.launch_func async @kernels::@k blocks in (%one, %one, %one) threads in (%one, %one, %one)
  return
}
}
