// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that turn a planned program into the program of one rank.

#ifndef MOE_TRANSFORMS_PARTITION_PASSES_H
#define MOE_TRANSFORMS_PARTITION_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "moe/Transforms/Partition/Passes.h.inc"

/// Gives upstream operations (linalg, tensor, arith) their sharding rules and
/// local forms.
void registerPartitionExternalModels(DialectRegistry &registry);

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_PARTITION_PASSES_H
