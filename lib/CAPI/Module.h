// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_CAPI_MODULE_H
#define MOE_LIB_CAPI_MODULE_H

#include "Diagnostic.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

struct moe_context {
  moe_context(const moe_context_options &options,
              const mlir::DialectRegistry &registry);

  mlir::MLIRContext context;
};

struct moe_module {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// As its owner named it.
  std::string name;
};

namespace moe::capi {

/// The module as MLIR's text or bytecode.
std::string serialize(mlir::ModuleOp module, moe_format format);

} // namespace moe::capi

#endif // MOE_LIB_CAPI_MODULE_H
