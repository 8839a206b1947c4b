// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Import/HuggingFace.h"

#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
struct ImportFlags {
  llvm::cl::OptionCategory category{
      "Import of a Hugging Face config.json (--import-hf-config)"};
  llvm::cl::opt<long long> layers{
      "layers", llvm::cl::value_desc("N"), llvm::cl::cat(category),
      llvm::cl::desc("Import only the first N layers of each stack")};
  llvm::cl::opt<long long> tokens{
      "tokens", llvm::cl::value_desc("N"), llvm::cl::cat(category),
      llvm::cl::desc("Number of tokens: makes the dimension static and bounds "
                     "it (default: dynamic, at most 8192)")};
  llvm::cl::opt<long long> sequenceLength{
      "sequence-length", llvm::cl::value_desc("S"), llvm::cl::cat(category),
      llvm::cl::desc("Tokens of a sequence, for capacities per sequence "
                     "(default: the input is one sequence)")};
  llvm::cl::opt<std::string> dtype{
      "dtype", llvm::cl::value_desc("bf16|f32|f16"), llvm::cl::cat(category),
      llvm::cl::desc("Type of weights and tokens (default: the "
                     "configuration's torch_dtype, else bf16). Code for CPUs "
                     "takes bf16 and f32, plans take f16 too")};

  HuggingFaceImportOptions getOptions() const {
    HuggingFaceImportOptions options;
    auto read = [](const auto &flag, auto &option) {
      if (flag.getNumOccurrences() > 0) {
        option = flag.getValue();
      }
    };
    read(layers, options.layers);
    read(tokens, options.tokens);
    read(sequenceLength, options.sequenceLength);
    read(dtype, options.dtype);
    return options;
  }
};
} // namespace

void mlir::moe::registerHuggingFaceImport() {
  // Created here, so that only tools that register the import have its flags.
  static ImportFlags flags;
  auto translate = [](const std::shared_ptr<llvm::SourceMgr> &sources,
                      raw_ostream &output,
                      MLIRContext *context) -> LogicalResult {
    ScopedDiagnosticHandler handler(context, printOnOneLine);
    const llvm::MemoryBuffer *buffer =
        sources->getMemoryBuffer(sources->getMainFileID());
    OwningOpRef<ModuleOp> module = importHuggingFaceConfig(
        buffer->getBuffer(), buffer->getBufferIdentifier(), flags.getOptions(),
        context);
    if (!module) {
      return failure();
    }
    module->print(output, OpPrintingFlags().printNameLocAsPrefix());
    return success();
  };
  static TranslateRegistration registration(
      "import-hf-config", "Hugging Face config.json to a module of the model",
      translate);
}
