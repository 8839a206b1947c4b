// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the host part of a program for devices asks of the runtime.

#ifndef MOE_CONVERSION_LAUNCHESTORUNTIME_PASSES_H
#define MOE_CONVERSION_LAUNCHESTORUNTIME_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "moe/Conversion/LaunchesToRuntime/Passes.h.inc"

} // namespace mlir::moe

#endif // MOE_CONVERSION_LAUNCHESTORUNTIME_PASSES_H
