// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs passes and pipelines on modules of our dialects.

#include "moe/Registration.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

/// Whether the pipeline of the command line writes a report to standard output.
static bool printsReport() {
  mlir::MLIRContext context;
  // What is wrong with the pipeline is reported when it runs.
  mlir::ScopedDiagnosticHandler quiet(
      &context, [](mlir::Diagnostic &) { return mlir::success(); });
  mlir::PassManager manager(&context);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  return mlir::succeeded(config.setupPassPipeline(manager)) &&
         mlir::moe::printsReport(manager);
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::moe::registerAllDialects(registry);
  mlir::moe::registerAllPasses();
  auto [input, output] = mlir::registerAndParseCLIOptions(
      argc, argv, mlir::moe::getOverview(), registry);
  if (output == "-" && printsReport()) {
    output = "/dev/null";
  }
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, input, output, registry));
}
