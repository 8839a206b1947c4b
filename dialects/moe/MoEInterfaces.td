// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_INTERFACES
#define MOE_INTERFACES

include "mlir/IR/OpBase.td"

def MoE_BufferFormOpInterface : OpInterface<"BufferFormOpInterface"> {
  let cppNamespace = "::mlir::moe";
  let description = [{
    An operation that returns tensors and, on buffers, writes its `outs`
    instead. Bufferization allocates the outs; one model serves all such ops.
    Tensors and buffers never meet in one operation.
  }];
  let verify = "return ::mlir::moe::verifyBufferForm($_op);";
  let methods = [
    InterfaceMethod<"Extents of each result, in order; constants where static.",
      "::llvm::SmallVector<::llvm::SmallVector<::mlir::OpFoldResult>>",
      "getResultExtents", (ins "::mlir::OpBuilder &":$builder)>,
    InterfaceMethod<"The destinations; none on tensors.",
      "::mlir::MutableOperandRange", "getOutsMutable">
  ];
}

#endif // MOE_INTERFACES
