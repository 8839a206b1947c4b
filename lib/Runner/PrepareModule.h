// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_PREPAREMODULE_H
#define MOE_LIB_RUNNER_PREPAREMODULE_H

#include "moe/Runner/RunLimits.h"
#include "moe/Runner/Session.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace moe::runner {

/// A planned module with one public function, which takes and gives what the
/// session's options ask for.
struct PreparedModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  ProgramScope scope = ProgramScope::Function;
  /// What the function says of itself: a layer that was taken out of a model
  /// has the model's name of it.
  std::string name;
};

/// Reads the module, takes a layer out of a model unless all are asked for,
/// opens the routing of each layer, and plans it as asked; a plan that was
/// there must be what is asked for. What the limits do not allow is refused as
/// early as it is known.
llvm::Expected<PreparedModule> prepareModule(mlir::MLIRContext &context,
                                             const SessionOptions &options,
                                             const RunLimits &limits);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_PREPAREMODULE_H
