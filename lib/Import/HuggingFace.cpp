// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Import/HuggingFace.h"

#include "Config.h"
#include "ModelBuilder.h"
#include "ModelDescription.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace mlir::moe;

OwningOpRef<ModuleOp>
mlir::moe::importHuggingFaceConfig(StringRef text, StringRef file,
                                   const HuggingFaceImportOptions &options,
                                   MLIRContext *context) {
  context->loadDialect<arith::ArithDialect, func::FuncDialect,
                       linalg::LinalgDialect, math::MathDialect, MoEDialect,
                       tensor::TensorDialect>();
  // One thing wrong may spoil several others: the first is what to mend.
  bool hasFailed = false;
  ScopedDiagnosticHandler onlyFirst(context, [&](Diagnostic &diagnostic) {
    bool isError = diagnostic.getSeverity() == DiagnosticSeverity::Error;
    return success(isError && std::exchange(hasFailed, true));
  });
  FailureOr<Config> config = Config::parse(text, file, context);
  if (failed(config)) {
    return {};
  }
  FailureOr<ModelDescription> model = describeModel(*config, options, context);
  if (failed(model)) {
    return {};
  }
  OwningOpRef<ModuleOp> module = buildModel(*model);
  // Our own fault, not the configuration's: still reported rather than written.
  return succeeded(verify(*module)) ? std::move(module)
                                    : OwningOpRef<ModuleOp>();
}
