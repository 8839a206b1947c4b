// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Import/KernelTranslations.h"

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Dialect/MoE/MoE.h"
#include "moe/Target/GPU/KernelImage.h"
#include "moe/Target/GPU/KernelReport.h"
#include "moe/Target/GPU/LowerToNVVM.h"
#include "moe/Target/GPU/PTX.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
struct KernelFlags {
  llvm::cl::OptionCategory category{
      "Kernels (--export-ptx, --export-kernel-report)"};
  llvm::cl::opt<std::string> chip{
      "chip", llvm::cl::value_desc("NAME"), llvm::cl::cat(category),
      llvm::cl::init("sm_80"),
      llvm::cl::desc("sm_80 (the default), sm_90a, sm_100a or sm_120a")};
  llvm::cl::opt<bool> json{
      "kernel-report-json", llvm::cl::cat(category),
      llvm::cl::desc("Write the report of kernels as JSON")};
};
} // namespace

/// Kernels stand beside a host program of any level.
static OwningOpRef<ModuleOp> parseModule(llvm::SourceMgr &sources,
                                         MLIRContext *context) {
  DialectRegistry registry;
  registerGPUTargetDialects(registry);
  registry.insert<bufferization::BufferizationDialect, comm::CommDialect,
                  linalg::LinalgDialect, MoEDialect, tensor::TensorDialect>();
  context->appendDialectRegistry(registry);
  context->loadAllAvailableDialects();
  const llvm::MemoryBuffer *file =
      sources.getMemoryBuffer(sources.getMainFileID());
  if (failed(checkBracketDepth(context, file->getBuffer(),
                               file->getBufferIdentifier()))) {
    return {};
  }
  return parseSourceFile<ModuleOp>(sources, context);
}

/// The one gpu.module of `module`.
static FailureOr<gpu::GPUModuleOp> findKernels(ModuleOp module) {
  SmallVector<gpu::GPUModuleOp> found(module.getOps<gpu::GPUModuleOp>());
  if (found.size() != 1) {
    return module.emitError("expected one 'gpu.module', but got ")
           << found.size();
  }
  return found.front();
}

/// The lowered kernels of the module in `sources`.
static FailureOr<LoweredKernels> readKernels(llvm::SourceMgr &sources,
                                             MLIRContext *context) {
  OwningOpRef<ModuleOp> module = parseModule(sources, context);
  if (!module) {
    return failure();
  }
  FailureOr<gpu::GPUModuleOp> kernels = findKernels(*module);
  if (failed(kernels)) {
    return failure();
  }
  return lowerKernels(*kernels);
}

static LogicalResult exportPTX(llvm::SourceMgr &sources, StringRef chip,
                               raw_ostream &output, MLIRContext *context) {
  llvm::Expected<const GPUTarget *> target = GPUTarget::parse(chip);
  if (!target) {
    return emitOptionError(context, llvm::toString(target.takeError()));
  }
  FailureOr<LoweredKernels> lowered = readKernels(sources, context);
  if (failed(lowered)) {
    return failure();
  }
  FailureOr<std::string> text = emitPTX(*lowered, **target);
  if (failed(text)) {
    return failure();
  }
  output << *text;
  return success();
}

static LogicalResult exportImage(llvm::SourceMgr &sources, raw_ostream &output,
                                 MLIRContext *context) {
  FailureOr<LoweredKernels> lowered = readKernels(sources, context);
  if (failed(lowered)) {
    return failure();
  }
  FailureOr<std::string> image = emitKernelImage(*lowered);
  if (failed(image)) {
    return failure();
  }
  output << *image;
  return success();
}

static LogicalResult exportReport(llvm::SourceMgr &sources,
                                  const KernelFlags &flags, raw_ostream &output,
                                  MLIRContext *context) {
  llvm::Expected<const GPUTarget *> target = GPUTarget::parse(flags.chip);
  if (!target) {
    return emitOptionError(context, llvm::toString(target.takeError()));
  }
  OwningOpRef<ModuleOp> module = parseModule(sources, context);
  if (!module || failed(findKernels(*module))) {
    return failure();
  }
  FailureOr<KernelReport> report =
      reportKernels(*module, **target, KernelProof::AssembledOnly);
  if (failed(report)) {
    return failure();
  }
  if (flags.json) {
    output << llvm::formatv("{0:2}\n", toJson(*report));
  } else {
    printKernelReport(*report, output);
  }
  return success();
}

void mlir::moe::registerKernelTranslations() {
  // Created here, so that only tools that register them have the flags.
  static KernelFlags flags;
  static TranslateRegistration ptx(
      "export-ptx", "A module's kernels (gpu.module) to PTX for --chip",
      [](const std::shared_ptr<llvm::SourceMgr> &sources, raw_ostream &output,
         MLIRContext *context) {
        ScopedDiagnosticHandler handler(context, printOnOneLine);
        return exportPTX(*sources, flags.chip, output, context);
      });
  static TranslateRegistration report(
      "export-kernel-report",
      "What a module's kernels (gpu.module) take of --chip: registers, shared "
      "memory, occupancy",
      [](const std::shared_ptr<llvm::SourceMgr> &sources, raw_ostream &output,
         MLIRContext *context) {
        ScopedDiagnosticHandler handler(context, printOnOneLine);
        return exportReport(*sources, flags, output, context);
      });
  static TranslateRegistration image(
      "export-kernel-image",
      "A module's kernels (gpu.module) to the shared object that emulated "
      "devices run",
      [](const std::shared_ptr<llvm::SourceMgr> &sources, raw_ostream &output,
         MLIRContext *context) {
        ScopedDiagnosticHandler handler(context, printOnOneLine);
        return exportImage(*sources, output, context);
      });
}
