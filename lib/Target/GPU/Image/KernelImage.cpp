// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/KernelImage.h"
#include "moe/Target/CPU/CPUTarget.h"

#include "../TranslateKernels.h"
#include "ImageDatum.h"
#include "LinkImage.h"
#include "Rewrites.h"
#include "Sites.h"

#include "emulator/KernelImage.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/PassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
/// LLVM's passes over a module for one machine. No library function is known: a
/// loop must not become a call of memcpy.
struct Optimizer {
  explicit Optimizer(llvm::TargetMachine &machine)
      : builder(&machine, withoutVectors()), library(noLibrary(machine)) {
    functions.registerPass(
        [&] { return llvm::TargetLibraryAnalysis(library); });
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(graphs);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, graphs, modules);
  }

  static llvm::PipelineTuningOptions withoutVectors() {
    // Threads of a kernel do little each; wide loops only take time to compile.
    llvm::PipelineTuningOptions options;
    options.LoopVectorization = false;
    options.SLPVectorization = false;
    options.LoopInterleaving = false;
    options.LoopUnrolling = false;
    return options;
  }

  static llvm::TargetLibraryInfoImpl noLibrary(llvm::TargetMachine &machine) {
    llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
    library.disableAllFunctions();
    return library;
  }

  llvm::PassBuilder builder;
  llvm::TargetLibraryInfoImpl library;
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
};
} // namespace

/// Brings variables into registers and functions into kernels, and nothing
/// else: accesses are to be seen as they were written.
static void simplify(llvm::Module &module, Optimizer &optimizer) {
  for (llvm::Function &function : module) {
    if (!function.isDeclaration() &&
        function.getCallingConv() != llvm::CallingConv::PTX_Kernel) {
      function.removeFnAttr(llvm::Attribute::NoInline);
      function.removeFnAttr(llvm::Attribute::OptimizeNone);
      function.addFnAttr(llvm::Attribute::AlwaysInline);
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
    }
  }
  llvm::FunctionPassManager functions;
  functions.addPass(llvm::SROAPass(llvm::SROAOptions::PreserveCFG));
  functions.addPass(llvm::EarlyCSEPass());
  functions.addPass(llvm::SimplifyCFGPass());
  llvm::ModulePassManager passes;
  passes.addPass(llvm::AlwaysInlinerPass());
  passes.addPass(llvm::GlobalDCEPass());
  passes.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(functions)));
  passes.run(module, optimizer.modules);
}

/// Everything that is a device's in the bodies becomes calls of the table.
static llvm::Error rewriteBodies(std::vector<KernelBody> &bodies) {
  for (KernelBody &body : bodies) {
    expandRounding(body);
    rewriteMatrices(body);
    if (llvm::Error error = rewriteIntrinsics(body)) {
      return error;
    }
    placeSharedMemory(body);
    if (llvm::Error error = rewriteMemory(body)) {
      return error;
    }
  }
  return llvm::Error::success();
}

/// Drops what was only NVPTX's: its attributes, its variables, line numbers.
static void dropDeviceParts(llvm::Module &module) {
  for (llvm::Function &function : module) {
    function.setAttributes(llvm::AttributeList());
    if (!function.isDeclaration()) {
      function.addFnAttr(llvm::Attribute::NoUnwind);
      function.addFnAttr("target-cpu", imageCPU);
    }
  }
  for (llvm::GlobalVariable &global :
       llvm::make_early_inc_range(module.globals())) {
    global.removeDeadConstantUsers();
    if (global.use_empty()) {
      global.eraseFromParent();
    }
  }
  llvm::StripDebugInfo(module);
}

static llvm::Expected<llvm::SmallString<0>>
compile(llvm::Module &module, llvm::TargetMachine &machine,
        Optimizer &optimizer) {
  optimizer.builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O1)
      .run(module, optimizer.modules);
  llvm::SmallString<0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr,
                                  llvm::CodeGenFileType::ObjectFile)) {
    return llvm::createStringError("this LLVM writes no x86-64 objects");
  }
  passes.run(module);
  return object;
}

/// A TargetMachine for any x86-64 Linux, whatever this process runs on.
static llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createMachine() {
  CPUTarget target;
  target.triple = "x86_64-unknown-linux-gnu";
  target.cpu = imageCPU;
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      target.createTargetMachine();
  if (machine) {
    (*machine)->setOptLevel(llvm::CodeGenOptLevel::Less);
  }
  return machine;
}

/// From translated kernels to the image's bytes.
static llvm::Expected<std::string> buildImage(llvm::Module &module,
                                              ArrayRef<std::string> sites,
                                              StringRef sourceHash) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createMachine();
  if (!machine) {
    return machine.takeError();
  }
  module.setDataLayout((*machine)->createDataLayout());
  module.setTargetTriple((*machine)->getTargetTriple());
  Optimizer optimizer(**machine);
  simplify(module, optimizer);
  llvm::Expected<std::vector<KernelBody>> bodies = takeKernelBodies(module);
  if (!bodies) {
    return bodies.takeError();
  }
  if (llvm::Error error = rewriteBodies(*bodies)) {
    return std::move(error);
  }
  dropDeviceParts(module);
  addImageDatum(module, *bodies, sites, sourceHash);
  assert(!llvm::verifyModule(module, &llvm::errs()) && "rewriting went wrong");
  optimizer.modules.clear();
  llvm::Expected<llvm::SmallString<0>> object =
      compile(module, **machine, optimizer);
  if (!object) {
    return object.takeError();
  }
  return linkImage({*object, "kernels"}, MOERT_KERNEL_IMAGE_SYMBOL);
}

/// Instructions that are only written as PTX have no intrinsic to rewrite.
static LogicalResult verifyNoInlinePTX(gpu::GPUModuleOp kernels) {
  WalkResult result = kernels.walk([](NVVM::BasicPtxBuilderInterface op) {
    if (!op.hasIntrinsic()) {
      op.emitError("the emulated device has no '") << op->getName() << "'";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

FailureOr<std::string>
mlir::moe::emitKernelImage(const LoweredKernels &kernels) {
  if (failed(verifyNoInlinePTX(kernels.getKernels()))) {
    return failure();
  }
  // Places become numbers in a copy.
  OwningOpRef<ModuleOp> copy = kernels.module.get().clone();
  std::vector<std::string> sites = numberSites(*copy);
  llvm::LLVMContext context;
  FailureOr<std::unique_ptr<llvm::Module>> module =
      translateKernels(*copy->getOps<gpu::GPUModuleOp>().begin(), context);
  if (failed(module)) {
    return failure();
  }
  llvm::Expected<std::string> image =
      buildImage(**module, sites, kernels.sourceHash);
  if (image) {
    return std::move(*image);
  }
  llvm::handleAllErrors(
      image.takeError(),
      [&](const UnsupportedInstruction &error) {
        std::string place =
            error.getSite() < sites.size() ? sites[error.getSite()] + ": " : "";
        kernels.getKernels().emitError(place + error.message());
      },
      [&](const llvm::ErrorInfoBase &error) {
        kernels.getKernels().emitError(error.message());
      });
  return failure();
}
