// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From modules to plain data.
#ifndef MOE_LIB_RUNNER_READLAYOUT_H
#define MOE_LIB_RUNNER_READLAYOUT_H

#include "PrepareModule.h"

namespace moe::runner {

/// Everything but handles and groups, which are known once it is lowered.
llvm::Expected<PlannedProgram> readPlan(const PreparedModule &prepared);

/// Reads handles and groups of a lowered module into `layout`.
llvm::Error readHandles(mlir::ModuleOp lowered, ProgramLayout &layout);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_READLAYOUT_H
