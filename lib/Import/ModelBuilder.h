// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes a whole model: blocks, layers, the function that calls them, and the
// names of the weights.

#ifndef MOE_LIB_IMPORT_MODELBUILDER_H
#define MOE_LIB_IMPORT_MODELBUILDER_H

#include "ModelDescription.h"

#include "mlir/IR/OwningOpRef.h"

namespace mlir::moe {

/// The module that `model` describes.
OwningOpRef<ModuleOp> buildModel(const ModelDescription &model);

} // namespace mlir::moe

#endif // MOE_LIB_IMPORT_MODELBUILDER_H
