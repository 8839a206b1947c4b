// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows a program along all its paths and compares what it does for the
// layers of its model with what is recorded of them.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_LAYERORDERCHECKER_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_LAYERORDERCHECKER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::moe {

/// Checks C10 and C11 of moe-verify-communication.
LogicalResult checkLayerOrder(ModuleOp module, SymbolUserMap &users);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_LAYERORDERCHECKER_H
