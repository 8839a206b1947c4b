// RUN: moe-opt %s --pass-pipeline='builtin.module(gpu.module(convert-kernels-to-nvvm))' --split-input-file | FileCheck %s

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @thread_indices
  // CHECK-SAME: nvvm.kernel
  // CHECK-SAME: nvvm.reqntid = array<i32: 96, 1, 1>
  gpu.func @thread_indices(%to: !llvm.ptr<1>) kernel
      attributes {known_block_size = array<i32: 96, 1, 1>} {
    // CHECK: nvvm.read.ptx.sreg.tid.x
    %thread = gpu.thread_id x
    %value = arith.index_cast %thread : index to i64
    // CHECK: llvm.store
    llvm.store %value, %to : i64, !llvm.ptr<1>
    // CHECK: nvvm.barrier
    gpu.barrier
    gpu.return
  }
}

// -----

gpu.module @kernels {
  // CHECK-NOT: llvm.func @__nv
  // CHECK-LABEL: llvm.func @math_stays
  gpu.func @math_stays(%x: f32, %to: !llvm.ptr<1>) kernel {
    // CHECK: math.sqrt
    %root = math.sqrt %x : f32
    // CHECK: math.rsqrt
    %inverse = math.rsqrt %root : f32
    llvm.store %inverse, %to : f32, !llvm.ptr<1>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  // No bytes of its own: what the launch asked for.
  // CHECK: llvm.mlir.global external @[[SHARED:.+]]() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
  // CHECK-LABEL: llvm.func @dynamic_shared_memory
  gpu.func @dynamic_shared_memory(%x: f32) kernel {
    // CHECK: llvm.mlir.addressof @[[SHARED]] : !llvm.ptr<3>
    %bytes = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %zero = arith.constant 0 : index
    %view = memref.view %bytes[%zero][] : memref<?xi8, #gpu.address_space<workgroup>> to memref<24xf32, #gpu.address_space<workgroup>>
    // CHECK: llvm.store %{{.*}}, %{{.*}} : f32, !llvm.ptr<3>
    memref.store %x, %view[%zero] : memref<24xf32, #gpu.address_space<workgroup>>
    gpu.return
  }
}
