// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs passes and pipelines on modules of our dialects. What MLIR's own main
// does, with errors and outputs as docs/Decisions/0012-errors-of-tools.md says.

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Formats/FileError.h"
#include "moe/Formats/OutputFile.h"
#include "moe/Registration.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"

using mlir::MlirOptMainConfig;

/// Whether the pipeline of the command line writes a report to standard output.
/// Fails, having said so, where it is no pipeline.
static mlir::FailureOr<bool> printsReport(const MlirOptMainConfig &config) {
  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler handler(&context, mlir::moe::printOnOneLine);
  mlir::PassManager manager(&context);
  if (mlir::failed(config.setupPassPipeline(manager))) {
    return mlir::failure();
  }
  return mlir::moe::printsReport(manager);
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

/// Prints errors in other files than the module, and errors of no place, on one
/// line. MLIR would show the line of the file, which may be all of it, and
/// print what is unknown of a place (`<unknown>:0`, `:0:0`).
static void printOtherFilesOnOneLine(MlirOptMainConfig &config,
                                     llvm::StringRef module) {
  // Those that test passes expect what MLIR does.
  if (config.shouldVerifyDiagnostics() || !config.inputSplitMarker().empty()) {
    return;
  }
  auto print = [module = module.str()](
                   mlir::Diagnostic &diagnostic) -> mlir::LogicalResult {
    mlir::Location location = diagnostic.getLocation();
    auto place = mlir::dyn_cast<mlir::FileLineColLoc>(location);
    bool isElsewhere = place ? place.getFilename() != module
                             : mlir::isa<mlir::UnknownLoc>(location);
    bool isError = diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
    return isError && isElsewhere ? mlir::moe::printOnOneLine(diagnostic)
                                  : mlir::failure();
  };
  config.setPassPipelineSetupFn(
      [plain = config, print](mlir::PassManager &manager) {
        manager.getContext()->getDiagEngine().registerHandler(print);
        return plain.setupPassPipeline(manager);
      });
}

static mlir::LogicalResult fail(llvm::Error error) {
  llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
  return mlir::failure();
}

static mlir::LogicalResult checkDepth(const llvm::MemoryBuffer &file) {
  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler handler(&context, mlir::moe::printOnOneLine);
  return mlir::moe::checkBracketDepth(&context, file.getBuffer(),
                                      file.getBufferIdentifier());
}

/// Writes nothing when a pass fails, and the whole module or nothing otherwise.
static mlir::LogicalResult optimize(llvm::StringRef input,
                                    llvm::StringRef output,
                                    mlir::DialectRegistry &registry) {
  auto config = MlirOptMainConfig::createFromCLOptions();
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFileOrSTDIN(input, /*IsText=*/true);
  if (!file) {
    return fail(
        moe::formats::inFile(input, llvm::errorCodeToError(file.getError())));
  }
  if (mlir::failed(checkDepth(**file))) {
    return mlir::failure();
  }
  mlir::FailureOr<bool> isReport = printsReport(config);
  if (mlir::failed(isReport)) {
    return mlir::failure();
  }
  printOtherFilesOnOneLine(config, (*file)->getBufferIdentifier());
  std::string text;
  llvm::raw_string_ostream stream(text);
  mlir::LogicalResult done =
      mlir::MlirOptMain(stream, std::move(*file), registry, config);
  // Of an input in parts, those that succeeded are shown.
  bool isComplete = mlir::succeeded(done) ||
                    (output == "-" && !config.inputSplitMarker().empty());
  if (!isComplete || (output == "-" && *isReport)) {
    return done;
  }
  llvm::Error error = moe::formats::writeFile(
      output, [&](llvm::raw_ostream &os) { os << text; });
  return error ? fail(std::move(error)) : done;
}

int main(int argc, char **argv) {
  hideBackendFlags();
  mlir::DialectRegistry registry;
  mlir::moe::registerAllDialects(registry);
  mlir::moe::registerAllPasses();
  auto [input, output] = mlir::registerAndParseCLIOptions(
      argc, argv, mlir::moe::getOverview(), registry);
  shortenErrors();
  auto config = MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses()) {
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, input, output, registry));
  }
  llvm::InitLLVM init(argc, argv);
  return mlir::asMainReturnCode(optimize(input, output, registry));
}
