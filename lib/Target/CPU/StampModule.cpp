// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/JitEngine.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

void mlir::moe::stampModule(ModuleOp module, StringRef text) {
  std::string bytes = text.str();
  // With its end, so that a reader needs no size.
  bytes.push_back('\0');
  OpBuilder builder(module.getBodyRegion());
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size());
  LLVM::GlobalOp::create(builder, module.getLoc(), type, /*isConstant=*/true,
                         LLVM::Linkage::External, stampSymbol,
                         builder.getStringAttr(bytes));
}
