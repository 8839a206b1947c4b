// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The signature of local functions: their own arguments, `%tokens : index`,
// then one destination for each shaped result.

#ifndef MOE_LIB_TRANSFORMS_PARTITION_LOCALFUNCTIONS_H
#define MOE_LIB_TRANSFORMS_PARTITION_LOCALFUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "moe/Dialect/Comm/Comm.h"

namespace mlir::moe {

/// Creates the local form of a function, without a body, where the builder is.
/// Its name is the global one's; the module has both until the latter goes.
func::FuncOp createLocalFunction(func::FuncOp global,
                                 const comm::Partitioner &partitioner,
                                 OpBuilder &builder);

/// Emits the local form of a call, destinations included, and maps its results.
void createLocalCall(func::CallOp call, comm::Partitioner &partitioner);

/// Ends a local function: puts each value into its destination, the arguments
/// from `firstDestination` on.
void createDestinationReturn(func::FuncOp local, unsigned firstDestination,
                             ValueRange values, OpBuilder &builder,
                             Location loc);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_PARTITION_LOCALFUNCTIONS_H
