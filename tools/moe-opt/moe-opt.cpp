// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs passes and pipelines on modules of our dialects.

#include "moe/Registration.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"

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

/// Errors are one line unless asked for more: the operation that MLIR would
/// print behind one may be the whole model.
static void shortenErrors() {
  llvm::cl::Option *option =
      llvm::cl::getRegisteredOptions().lookup("mlir-print-op-on-diagnostic");
  if (option && option->getNumOccurrences() == 0) {
    option->addOccurrence(0, option->ArgStr, "false");
  }
}

/// Hides the flags that LLVM's code generators brought along: they work, but
/// --help lists what concerns modules.
static void hideBackendFlags() {
  for (auto &[name, option] : llvm::cl::getRegisteredOptions()) {
    if (name != "help") {
      option->setHiddenFlag(llvm::cl::ReallyHidden);
    }
  }
}

int main(int argc, char **argv) {
  hideBackendFlags();
  mlir::DialectRegistry registry;
  mlir::moe::registerAllDialects(registry);
  mlir::moe::registerAllPasses();
  auto [input, output] = mlir::registerAndParseCLIOptions(
      argc, argv, mlir::moe::getOverview(), registry);
  shortenErrors();
  if (output == "-" && printsReport()) {
    output = "/dev/null";
  }
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, input, output, registry));
}
