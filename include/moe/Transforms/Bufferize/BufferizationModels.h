// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the operations of both dialects become operations on buffers.

#ifndef MOE_TRANSFORMS_BUFFERIZE_BUFFERIZATIONMODELS_H
#define MOE_TRANSFORMS_BUFFERIZE_BUFFERIZATIONMODELS_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::moe {

/// Attaches BufferizableOpInterface to every operation with tensors:
/// - a BufferFormOpInterface operation gets freshly allocated destinations;
/// - a collective writes its destination in place, and reads everything else;
/// - `comm.start` ties its destination although it has another result;
/// - `moe.use_weight` of a tensor is a read-only buffer.
void registerBufferizationExternalModels(DialectRegistry &registry);

/// One-shot bufferization of destination-style functions, ownership and
/// deallocation: after it the module has no tensors, functions return nothing.
void addBufferizationPasses(OpPassManager &pm);

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_BUFFERIZE_BUFFERIZATIONMODELS_H
