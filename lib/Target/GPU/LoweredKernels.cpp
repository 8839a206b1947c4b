// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/LoweredKernels.h"
#include "moe/Target/GPU/LowerToNVVM.h"

#include "TranslateKernels.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;
using namespace mlir::moe;

std::string mlir::moe::hashKernels(gpu::GPUModuleOp kernels) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  kernels->print(stream, OpPrintingFlags().useLocalScope());
  std::array<uint8_t, 32> hash =
      llvm::SHA256::hash(llvm::arrayRefFromStringRef(text));
  return llvm::toHex(hash, /*LowerCase=*/true);
}

std::string mlir::moe::findSourceHash(llvm::StringRef deviceCode) {
  constexpr size_t digits = 64;
  size_t mark = deviceCode.find(sourceHashMark);
  if (mark == llvm::StringRef::npos) {
    return "";
  }
  StringRef hash = deviceCode.substr(mark + sourceHashMark.size(), digits);
  return hash.size() == digits && llvm::all_of(hash, llvm::isHexDigit)
             ? hash.str()
             : "";
}

gpu::GPUModuleOp LoweredKernels::getKernels() const {
  return *module.get().getOps<gpu::GPUModuleOp>().begin();
}

/// Conversions leave what they have no pattern for, and casts around it.
static LogicalResult verifyAllIsLowered(gpu::GPUModuleOp kernels) {
  Operation *left = nullptr;
  kernels.getBodyRegion().walk([&](Operation *op) {
    if (isa_and_nonnull<LLVM::LLVMDialect, NVVM::NVVMDialect>(
            op->getDialect())) {
      return WalkResult::advance();
    }
    left = op;
    return isa<UnrealizedConversionCastOp>(op) ? WalkResult::advance()
                                               : WalkResult::interrupt();
  });
  if (left) {
    return left->emitError("'")
           << left->getName() << "' cannot be lowered to a device";
  }
  return success();
}

/// A device has no library: whatever is called must be here, or an intrinsic.
static LogicalResult verifyNothingIsMissing(gpu::GPUModuleOp kernels) {
  for (LLVM::LLVMFuncOp function : kernels.getOps<LLVM::LLVMFuncOp>()) {
    if (function.isExternal() &&
        !SymbolTable::symbolKnownUseEmpty(function, kernels)) {
      return function.emitError("kernels call '")
             << function.getName() << "', which no device has";
    }
  }
  return success();
}

FailureOr<LoweredKernels> mlir::moe::lowerKernels(gpu::GPUModuleOp kernels) {
  LoweredKernels lowered;
  lowered.sourceHash = hashKernels(kernels);
  lowered.module = ModuleOp::create(kernels.getLoc());
  lowered.module->getBody()->push_back(kernels->clone());
  PassManager passes(kernels.getContext());
  addLowerToNVVMPasses(passes);
  if (failed(passes.run(*lowered.module)) ||
      failed(verifyAllIsLowered(lowered.getKernels())) ||
      failed(verifyNothingIsMissing(lowered.getKernels()))) {
    return failure();
  }
  return lowered;
}

FailureOr<std::unique_ptr<llvm::Module>>
mlir::moe::translateKernels(gpu::GPUModuleOp kernels,
                            llvm::LLVMContext &context) {
  std::unique_ptr<llvm::Module> module =
      translateModuleToLLVMIR(kernels, context, kernels.getName());
  if (!module) {
    return kernels.emitError("could not be translated to LLVM IR");
  }
  return module;
}
