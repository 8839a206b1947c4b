// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the operations with a buffer form share.

#ifndef MOE_DIALECT_MOE_BUFFERFORM_H
#define MOE_DIALECT_MOE_BUFFERFORM_H

#include "moe/Dialect/MoE/MoE.h"

namespace mlir::moe {

/// The extents of a ranked tensor; `tensor.dim` where dynamic.
SmallVector<OpFoldResult> getExtents(OpBuilder &builder, Location loc,
                                     Value tensor);

/// Reads of every memref operand that is not an out, writes of the outs.
void addBufferFormEffects(
    BufferFormOpInterface op,
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects);

} // namespace mlir::moe

#endif // MOE_DIALECT_MOE_BUFFERFORM_H
