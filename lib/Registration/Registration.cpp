// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Registration.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

using namespace mlir;

void mlir::moe::registerAllDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<comm::CommDialect, MoEDialect>();
}

void mlir::moe::registerAllPasses() { mlir::registerAllPasses(); }
