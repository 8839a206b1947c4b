// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Translates between our modules and the files of other programs.

#include "moe/Import/HuggingFace.h"

#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

static constexpr char overview[] =
    R"(moe-translate: modules from, and to, the files of other programs

  moe-translate --import-hf-config config.json [--layers=N] [--tokens=N]
                [--sequence-length=S] [--dtype=bf16|f32|f16] [-o model.mlir]

Reads the configuration of a Hugging Face model and writes its decoder as a
module of the model level: one function for each distinct block, called for each
layer with the checkpoint names of its weights. Families: Mixtral, Qwen2-MoE,
Qwen3-MoE, OLMoE, DeepSeek-V2, DeepSeek-V3, Kimi-K2, GLM-4.x, Switch
Transformers. Unknown keys are ignored, unknown values of known keys are errors.

Without -o the module goes to the standard output; '-' reads the standard input.
Exit status: 0 done, 1 bad input; then nothing is written.
)";

int main(int argc, char **argv) {
  if (argc == 1) {
    llvm::outs() << overview << "\nAll flags: moe-translate --help\n";
    return 0;
  }
  // Options that libraries brought along say nothing to our user.
  for (auto &[name, option] : llvm::cl::getRegisteredOptions()) {
    option->setHiddenFlag(llvm::cl::ReallyHidden);
  }
  mlir::moe::registerHuggingFaceImport();
  llvm::LogicalResult done = mlir::mlirTranslateMain(argc, argv, overview);
  return llvm::succeeded(done) ? 0 : 1;
}
