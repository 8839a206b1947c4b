// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_PREPAREMODULE_H
#define MOE_LIB_RUNNER_PREPAREMODULE_H

#include "moe/Runner/RunLimits.h"
#include "moe/Runner/Session.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace moe::runner {

/// What of a module a session runs.
enum class ModuleScope {
  /// One layer, taken out of a model, with its routing as a result.
  Layer,
  /// The public function, as it is.
  Function
};

/// A planned module with one public function, which takes and gives what the
/// session's options ask for.
struct PreparedModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  /// Empty for a function.
  std::string layer;
};

/// Reads the module, takes its layer and opens the routing where a layer is
/// asked for, and plans it as asked; a plan that was there must be what is
/// asked for. What the limits do not allow is refused as early as it is known.
llvm::Expected<PreparedModule> prepareModule(mlir::MLIRContext &context,
                                             const SessionOptions &options,
                                             const RunLimits &limits,
                                             ModuleScope scope);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_PREPAREMODULE_H
