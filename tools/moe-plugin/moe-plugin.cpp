// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Our dialects, passes and pipelines for a stock mlir-opt:
// --load-dialect-plugin and --load-pass-plugin take this library.

#include "moe/Registration.h"

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

static void registerDialects(mlir::DialectRegistry *registry) {
  mlir::moe::registerDialects(*registry);
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "moe-mlir", MOE_VERSION, registerDialects};
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "moe-mlir", MOE_VERSION,
          mlir::moe::registerPasses};
}
