// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/PTX.h"

#include "TranslateKernels.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::moe;

/// A global that no kernel reads: visible, so that assemblers keep it.
static void addSourceHash(llvm::Module &module, StringRef mark) {
  llvm::Constant *text =
      llvm::ConstantDataArray::getString(module.getContext(), mark);
  // Not constant: NVPTX would put it where nobody looks.
  new llvm::GlobalVariable(
      module, text->getType(), /*isConstant=*/false,
      llvm::GlobalValue::ExternalLinkage, text, sourceHashSymbol, nullptr,
      llvm::GlobalValue::NotThreadLocal,
      static_cast<unsigned>(NVVM::NVVMMemorySpace::Global));
}

static llvm::Error optimize(llvm::Module &module,
                            llvm::TargetMachine &machine) {
  module.setDataLayout(machine.createDataLayout());
  module.setTargetTriple(machine.getTargetTriple());
  return makeOptimizingTransformer(/*optLevel=*/3, /*sizeLevel=*/0,
                                   &machine)(&module);
}

FailureOr<std::string> mlir::moe::emitPTX(const LoweredKernels &kernels,
                                          const GPUTarget &target) {
  gpu::GPUModuleOp source = kernels.getKernels();
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      target.createTargetMachine();
  if (!machine) {
    return source.emitError(llvm::toString(machine.takeError()));
  }
  // Some instructions have no intrinsic in LLVM and are written as PTX here.
  OwningOpRef<ModuleOp> copy = kernels.module.get().clone();
  PassManager inlinePTX(copy->getContext());
  inlinePTX.addNestedPass<gpu::GPUModuleOp>(createConvertNVVMToLLVMPass());
  if (failed(inlinePTX.run(*copy))) {
    return failure();
  }
  llvm::LLVMContext context;
  FailureOr<std::unique_ptr<llvm::Module>> module =
      translateKernels(*copy->getOps<gpu::GPUModuleOp>().begin(), context);
  if (failed(module)) {
    return failure();
  }
  std::string mark = sourceHashMark.str() + kernels.sourceHash;
  addSourceHash(**module, mark);
  if (llvm::Error error = optimize(**module, **machine)) {
    return source.emitError(llvm::toString(std::move(error)));
  }
  llvm::SmallString<0> text("// " + mark + "\n");
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile)) {
    return source.emitError("this LLVM writes no PTX");
  }
  passes.run(**module);
  return text.str().str();
}
