// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_CONVERSION_COMMTORUNTIME_PASSES
#define MOE_CONVERSION_COMMTORUNTIME_PASSES

include "mlir/Pass/PassBase.td"

def ConvertCommToRuntimePass : Pass<"convert-comm-to-runtime", "::mlir::ModuleOp"> {
  let summary = "Turn collectives and handles into calls of the runtime";
  let description = [{
    Purpose: connect a bufferized program to `moert`.

    Before: a module on buffers without `moe.grouped_matmul`.

    After: every function takes a `moert_frame *` first and hands it on;
    collectives, ranks, phases and layers are calls of `@moert_frame_…`;
    handles are loads from the frame; symbols of both dialects are gone. The
    module carries what the caller must supply: `moe.handles`, what each entry
    of the frame's handle table stands for, and `moe.groups`, the axes of each
    group index. Entries get a C interface, and so do functions without a body,
    which the host brings; they take buffers and numbers only.

    Before and after:
    ```mlir
    comm.all_to_all %a into %b over {"ep"} of @mesh : …
    call @moert_frame_all_to_all(%frame, %group, %id, %a, %b, %bytes) : …
    ```

    With `on-device`, buffers are in the memory of a device, which the host
    cannot touch: `comm.host_extent` is a call that waits for the device, and
    what works on a buffer's elements here is refused.

    Leaves to later passes: lowering to LLVM.
  }];
  let options = [
    Option<"onDevice", "on-device", "bool", "false",
           "Buffers are in the memory of a device">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::arith::ArithDialect"];
}

#endif // MOE_CONVERSION_COMMTORUNTIME_PASSES
