// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_PREPAREMODULE_H
#define MOE_LIB_RUNNER_PREPAREMODULE_H

#include "moe/Runner/RunLimits.h"
#include "moe/Runner/Session.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace moe::runner {

/// A planned module with one public function: a layer that takes and gives
/// what the session's options ask for.
struct PreparedModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  std::string layer;
};

/// Reads the module, takes its layer, opens the routing, plans, and checks the
/// plan against the flags. What the limits do not allow is refused as early as
/// it is known.
llvm::Expected<PreparedModule> prepareModule(mlir::MLIRContext &context,
                                             const SessionOptions &options,
                                             const RunLimits &limits);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_PREPAREMODULE_H
