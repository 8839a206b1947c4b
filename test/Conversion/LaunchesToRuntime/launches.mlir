// RUN: moe-opt %s --convert-launches-to-runtime | FileCheck %s --implicit-check-not="gpu.launch_func"

// Kernels are numbered as they are launched first; their module stays.
// CHECK: module attributes {{{.*}}moe.kernels = ["second", "first"]}
module attributes {gpu.container_module} {

// CHECK: gpu.module @kernels
gpu.module @kernels {
  llvm.func @first() attributes {gpu.kernel, nvvm.kernel}
  // What kernels do with buffers is not the host's.
  func.func @inner(%x: memref<4xf32, 1>, %i: index) -> f32 {
    %value = memref.load %x[%i] : memref<4xf32, 1>
    return %value : f32
  }
  llvm.func @second(%p: !llvm.ptr<1>, %n: i64) attributes {gpu.kernel, nvvm.kernel} {
    llvm.return
  }
}

// CHECK-LABEL: func.func @blocks(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr, %[[P:.+]]: !llvm.ptr<1>, %[[N:.+]]: index)
func.func @blocks(%frame: !llvm.ptr, %p: !llvm.ptr<1>, %n: index) {
  // The words are on the stack of the function, not of a loop.
  // CHECK: %[[TWO:.+]] = arith.constant 2 : i64
  // CHECK: %[[WORDS:.+]] = llvm.alloca %[[TWO]] x i64
  // CHECK: scf.for
  %one = arith.constant 1 : index
  %threads = arith.constant 96 : index
  %shared = arith.constant 4096 : i32
  scf.for %i = %one to %n step %one {
    %word = arith.index_cast %i : index to i64
    // CHECK: %[[WORD:.+]] = arith.index_cast %{{.+}} : index to i64
    // CHECK-DAG: %[[KERNEL:.+]] = arith.constant 0 : i32
    // CHECK-DAG: %[[BLOCKS:.+]] = arith.index_cast %[[N]] : index to i64
    // CHECK-DAG: %[[THREADS:.+]] = arith.index_cast %{{.+}} : index to i32
    // CHECK: %[[ADDRESS:.+]] = llvm.ptrtoint %[[P]] : !llvm.ptr<1> to i64
    // CHECK: llvm.store %[[ADDRESS]], %{{.+}} : i64, !llvm.ptr
    // CHECK: %[[PLACE:.+]] = llvm.getelementptr %[[WORDS]][1]
    // CHECK: llvm.store %[[WORD]], %[[PLACE]] : i64, !llvm.ptr
    // CHECK: %[[COUNT:.+]] = arith.constant 2 : i32
    // CHECK: call @moert_frame_launch(%[[F]], %[[KERNEL]], %[[BLOCKS]], %[[THREADS]], %{{.+}}, %[[WORDS]], %[[COUNT]]) : (!llvm.ptr, i32, i64, i32, i32, !llvm.ptr, i32) -> ()
    gpu.launch_func @kernels::@second blocks in (%n, %one, %one) threads in (%threads, %one, %one) dynamic_shared_memory_size %shared args(%p : !llvm.ptr<1>, %word : i64)
  }
  return
}

// As many blocks as are resident; no operands, no shared memory.
// CHECK-LABEL: func.func @resident(
// CHECK-SAME: %[[F:.+]]: !llvm.ptr)
func.func @resident(%frame: !llvm.ptr) {
  %one = arith.constant 1 : i64
  // CHECK: %[[ALL:.+]] = arith.constant -1 : i64
  %all = arith.constant -1 : i64
  %threads = arith.constant 32 : i64
  // CHECK: %[[KERNEL:.+]] = arith.constant 1 : i32
  // CHECK: %[[NONE:.+]] = arith.constant 0 : i32
  // CHECK: call @moert_frame_launch(%[[F]], %[[KERNEL]], %[[ALL]], %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}})
  gpu.launch_func @kernels::@first blocks in (%all, %one, %one) threads in (%threads, %one, %one) : i64
  return
}

}
