// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Translates between our modules and the files of other programs.

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Formats/FileError.h"
#include "moe/Formats/OutputFile.h"
#include "moe/Import/HuggingFace.h"
#include "moe/Import/KernelTranslations.h"
#include "moe/Import/PlacementTranslations.h"
#include "moe/Import/TopologyTranslations.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/Timing.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

static constexpr char overview[] =
    R"(moe-translate: modules from, and to, the files of other programs

  moe-translate --import-hf-config config.json [--layers=N] [--tokens=N]
                [--sequence-length=S] [--dtype=bf16|f32|f16] [-o model.mlir]
  moe-translate --import-nccl-topology topo.xml [--gpu=NAME] [--nodes=N]
                [--nic-gbps=X] [--inter-node-gbps=X] [-o cluster.mlir]
  moe-translate --import-nvidia-smi-topo topo.txt --gpu=NAME [--nodes=N]
                [--nic-gbps=X] [--inter-node-gbps=X] [-o cluster.mlir]
  moe-translate --import-astra-sim network.yml [-o cluster.mlir]
  moe-translate --export-astra-sim cluster.mlir [-o network.yml]
  moe-translate --export-placement=moe-place|eplb|vllm|vllm-ascend|sglang|
                tensorrt-llm|megatron FILE [--gpus=P] [--model-layers=N]
  moe-translate --import-placement FILE [--gpus=P] [-o placement.mlir]
  moe-translate --export-ptx kernels.mlir [--chip=sm_80|sm_90a|sm_100a|sm_120a]
                [-o kernels.ptx]
  moe-translate --export-kernel-report kernels.mlir [--chip=…]
                [--kernel-report-json]
  moe-translate --export-kernel-image kernels.mlir -o kernels.so

Reads the configuration of a Hugging Face model and writes its decoder as a
module of the model level: one function for each distinct block, called for each
layer with the checkpoint names of its weights. Families: Mixtral, Qwen2-MoE,
Qwen3-MoE, OLMoE, DeepSeek-V2, DeepSeek-V3, Kimi-K2, GLM-4.x, Switch
Transformers. Unknown keys are ignored, unknown values of known keys are errors.

Reads a machine from NCCL's topology XML (NCCL_TOPO_DUMP_FILE=topo.xml makes any
NCCL program write one), RCCL's, the text of `nvidia-smi topo -m`, or ASTRA-sim's
network file, and writes a comm.topology of N such machines. What the file does
not hold is asked for, or assumed and said.

Reads placements of experts from modules, from moe-place and in the formats of
serving engines, and writes them in those formats (docs/PlacementFormats.md).

Writes the kernels of a module (its gpu.module) as PTX for a chip, or as the
shared object that emulated devices run.

Without -o the module goes to the standard output; '-' reads the standard input.
Exit status: 0 done, 1 bad input; then nothing is written.
)";

// Actions say what comes in or goes out.
static bool namesAction(llvm::StringRef argument) {
  llvm::StringRef name = argument.ltrim('-');
  return name.starts_with("import-") || name.starts_with("export-") ||
         name.starts_with("help") || name == "version";
}

static mlir::LogicalResult fail(llvm::Error error) {
  llvm::errs() << "error: " << llvm::toString(std::move(error)) << "\n";
  return mlir::failure();
}

/// Writes nothing when the translation fails, and all or nothing otherwise.
static mlir::LogicalResult translate(const mlir::Translation &translation,
                                     llvm::StringRef input,
                                     llvm::StringRef output) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFileOrSTDIN(input);
  if (!file) {
    return fail(
        moe::formats::inFile(input, llvm::errorCodeToError(file.getError())));
  }
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(*file), llvm::SMLoc());
  mlir::MLIRContext context;
  context.printOpOnDiagnostic(false);
  mlir::ScopedDiagnosticHandler handler(&context, mlir::moe::printOnOneLine);
  mlir::DefaultTimingManager timings;
  mlir::applyDefaultTimingManagerCLOptions(timings);
  mlir::TimingScope timing = timings.getRootScope();
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (mlir::failed(translation(sources, stream, &context))) {
    return mlir::failure();
  }
  timing.stop();
  llvm::Error error = moe::formats::writeFile(
      output, [&](llvm::raw_ostream &os) { os << text; });
  return error ? fail(std::move(error)) : mlir::success();
}

namespace {
/// The flags that MLIR's own translators have as well.
struct TranslateFlags {
  llvm::cl::opt<const mlir::Translation *, false, mlir::TranslationParser>
      action{"", llvm::cl::desc("Translation to perform"), llvm::cl::Required};
  llvm::cl::opt<std::string> input{llvm::cl::Positional,
                                   llvm::cl::desc("<input file>"),
                                   llvm::cl::init("-")};
  llvm::cl::opt<std::string> output{"o", llvm::cl::desc("Output filename"),
                                    llvm::cl::value_desc("filename"),
                                    llvm::cl::init("-")};
};
} // namespace

int main(int argc, char **argv) {
  if (llvm::none_of(llvm::ArrayRef(argv + 1, argv + argc), namesAction)) {
    (argc == 1 ? llvm::outs() : llvm::errs())
        << overview << "\nAll flags: moe-translate --help\n";
    return argc == 1 ? 0 : 1;
  }
  // Options that libraries brought along say little to our user: they work, but
  // --help does not list them.
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  for (auto &[name, option] : llvm::cl::getRegisteredOptions()) {
    if (name != "help") {
      option->setHiddenFlag(llvm::cl::ReallyHidden);
    }
  }
  mlir::moe::registerHuggingFaceImport();
  mlir::moe::registerKernelTranslations();
  mlir::moe::registerPlacementTranslations();
  mlir::moe::registerTopologyTranslations();
  static TranslateFlags flags;
  std::vector<std::string> words =
      mlir::moe::separatePlacementFormat(llvm::ArrayRef(argv, argc));
  std::vector<const char *> pointers;
  for (std::string &word : words) {
    pointers.push_back(word.c_str());
  }
  llvm::InitLLVM init(argc, argv);
  llvm::cl::ParseCommandLineOptions(static_cast<int>(pointers.size()),
                                    pointers.data(), overview);
  return mlir::succeeded(translate(*flags.action, flags.input, flags.output))
             ? 0
             : 1;
}
