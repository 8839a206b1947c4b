// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the one `moe.experts` of a module out to the public function, so that
// values can be handed in or out along the calls.

#ifndef MOE_LIB_TRANSFORMS_EXTRACT_FUNCTIONCHAIN_H
#define MOE_LIB_TRANSFORMS_EXTRACT_FUNCTIONCHAIN_H

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::moe {

/// The only `moe.experts` of the module; an error when there are none or many.
FailureOr<ExpertsOp> findOnlyExperts(ModuleOp module);

/// Makes `function`, and every function that calls it, return `values` (of
/// `function`) too, after the other results. Gives the public function, whose
/// last results they are.
FailureOr<func::FuncOp> returnToPublic(func::FuncOp function,
                                       ArrayRef<Value> values);

/// Appends arguments of `types` to `function` and to every function that calls
/// it, and passes them on. Gives the public function, whose last arguments they
/// are.
FailureOr<func::FuncOp> passFromPublic(func::FuncOp function,
                                       ArrayRef<Type> types);

/// The sharding of a [tokens, K] value beside one sharded as `tokens`: split
/// by token alone. Null without one.
Attribute shardByToken(Attribute tokens);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXTRACT_FUNCTIONCHAIN_H
