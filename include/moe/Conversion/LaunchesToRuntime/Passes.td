// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_CONVERSION_LAUNCHESTORUNTIME_PASSES
#define MOE_CONVERSION_LAUNCHESTORUNTIME_PASSES

include "mlir/Pass/PassBase.td"

def ConvertLaunchesToRuntimePass : Pass<"convert-launches-to-runtime", "::mlir::ModuleOp"> {
  let summary = "Turn launches, and memory of a device, into calls of the runtime";
  let description = [{
    Purpose: make a plain program of the host out of the host part of a program
    whose kernels and buffers are on a device.

    Before: a module after `convert-comm-to-runtime{on-device=true}`: functions
    take a frame. Launches are of one dimension, by constants of 1, without
    tokens; their operands are pointers and numbers of 64 bits. Buffers have the
    identity layout where they are allocated, freed and copied.

    After: launches are calls of `@moert_frame_launch`, with the kernel's index
    in the module's `moe.kernels` and its operands as an array of 64-bit words
    on the stack; `memref.alloc`, `memref.dealloc` and `memref.copy` are calls
    of `@moert_frame_allocate`, `_deallocate` and `_copy`. No operation of the
    host reads or writes an element of a buffer: one that would is an error.
    `gpu.module`s are left as they are.

    Before and after:
    ```mlir
    gpu.launch_func @kernels::@scale blocks in (%n, %one, %one) threads in (%c128, %one, %one) args(%p : !llvm.ptr<1>)
    call @moert_frame_launch(%frame, %kernel, %blocks, %threads, %shared, %words, %count) : …
    ```

    Leaves to later passes: taking the `gpu.module`s away for the device, and
    lowering the rest to LLVM.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

#endif // MOE_CONVERSION_LAUNCHESTORUNTIME_PASSES
