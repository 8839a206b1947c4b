// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MOE_TARGET_GPU_PASSES
#define MOE_TARGET_GPU_PASSES

include "mlir/Pass/PassBase.td"

def ConvertKernelsToNVVMPass
    : Pass<"convert-kernels-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Convert a module of kernels to nvvm and llvm, without libdevice";
  let description = [{
    Purpose: upstream's `convert-gpu-to-nvvm` turns each function of `math` into
    a call of NVIDIA's libdevice: the code then needs a CUDA toolkit where it is
    compiled, and has bits that only that library can give. Here `math` ops
    stay; by now they are exact instructions (`moe-approximate-math`).

    Before: `gpu` ops on scalars and vectors, and dialects that have patterns
    for `convert-to-llvm`; structured control flow is gone.
    After: `nvvm` and `llvm` ops and `math`. Kernels are `llvm.func`s; dynamic
    shared memory is an external global array without a size, as PTX has it.

    Example: `gpu.thread_id x` becomes `nvvm.read.ptx.sreg.tid.x`;
    `gpu.dynamic_shared_memory` the address of
    `llvm.mlir.global external @__dynamic_shmem__0() {addr_space = 3} : !llvm.array<0 x i8>`.

    Left to later passes: `math`.
  }];
  let dependentDialects = ["cf::ControlFlowDialect", "LLVM::LLVMDialect",
                           "memref::MemRefDialect", "NVVM::NVVMDialect"];
}

#endif // MOE_TARGET_GPU_PASSES
