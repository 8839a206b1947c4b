// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values that are handed in or out along the calls of a module.

#ifndef MOE_LIB_TRANSFORMS_EXTRACT_FUNCTIONCHAIN_H
#define MOE_LIB_TRANSFORMS_EXTRACT_FUNCTIONCHAIN_H

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::moe {

/// The only `moe.experts` of the module; an error when there are none or many.
FailureOr<ExpertsOp> findOnlyExperts(ModuleOp module);

/// Puts a call of the same function with other results or operands in the place
/// of `call`, whose results are the first ones of the new call.
func::CallOp replaceCall(func::CallOp call, TypeRange results,
                         ValueRange operands);

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
