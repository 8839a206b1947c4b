// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/Passes.h"

#include "mlir/Conversion/ConvertToLLVM/ToLLVMInterface.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CONVERTKERNELSTONVVMPASS
#include "moe/Target/GPU/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// Upstream gives each use of dynamic shared memory a private array of no
/// bytes, which becomes one static byte in PTX. Declared only, they are all the
/// one region that the launch asked for.
static void declareDynamicSharedMemory(gpu::GPUModuleOp kernels) {
  for (LLVM::GlobalOp global : kernels.getOps<LLVM::GlobalOp>()) {
    auto array = dyn_cast<LLVM::LLVMArrayType>(global.getType());
    bool isShared = global.getAddrSpace() ==
                    static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared);
    if (isShared && array && array.getNumElements() == 0) {
      global.setLinkage(LLVM::Linkage::External);
      global.removeValueAttr();
    }
  }
}

/// A kernel that knows the size of its blocks runs with no other: the driver
/// refuses such launches, rather than only larger ones.
static void requireBlockSizes(gpu::GPUModuleOp kernels) {
  StringRef atMost = NVVM::NVVMDialect::getMaxntidAttrName();
  for (LLVM::LLVMFuncOp function : kernels.getOps<LLVM::LLVMFuncOp>()) {
    if (Attribute threads = function->removeAttr(atMost)) {
      function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(), threads);
    }
  }
}

/// Vectors of several dimensions become arrays of vectors of one.
static void populateVectorUnrolling(RewritePatternSet &patterns) {
  vector::populateVectorToVectorCanonicalizationPatterns(patterns);
  vector::populateVectorBitCastLoweringPatterns(patterns);
  vector::populateVectorBroadcastLoweringPatterns(patterns);
  vector::populateVectorShapeCastLoweringPatterns(patterns);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
  vector::populateVectorFromElementsUnrollPatterns(patterns);
  vector::populateVectorRankReducingFMAPattern(patterns);
}

namespace {
struct ConvertKernelsToNVVMPass
    : mlir::moe::impl::ConvertKernelsToNVVMPassBase<ConvertKernelsToNVVMPass> {
  using ConvertKernelsToNVVMPassBase::ConvertKernelsToNVVMPassBase;

  void runOnOperation() override {
    gpu::GPUModuleOp kernels = getOperation();
    RewritePatternSet rewrites(&getContext());
    populateGpuRewritePatterns(rewrites);
    populateVectorUnrolling(rewrites);
    if (failed(applyPatternsGreedily(kernels, std::move(rewrites)))) {
      return signalPassFailure();
    }
    LowerToLLVMOptions options(&getContext());
    options.useBarePtrCallConv = true;
    LLVMTypeConverter converter(&getContext(), options);
    configureGpuToNVVMTypeConverter(converter);
    RewritePatternSet patterns(&getContext());
    LLVMConversionTarget target(getContext());
    // One conversion for all dialects, since only this converter knows which
    // address space a memref is in.
    for (Dialect *dialect : getContext().getLoadedDialects()) {
      auto *lowering = dyn_cast<ConvertToLLVMPatternInterface>(dialect);
      if (lowering && !isa<math::MathDialect>(dialect)) {
        lowering->populateConvertToLLVMConversionPatterns(target, converter,
                                                          patterns);
      }
    }
    populateGpuToNVVMConversionPatterns(converter, patterns, /*benefit=*/10);
    populateGpuSubgroupReduceOpLoweringPattern(converter, patterns,
                                               /*benefit=*/10);
    target.addIllegalDialect<gpu::GPUDialect>();
    target.addLegalOp<gpu::GPUModuleOp>();
    target.addLegalDialect<NVVM::NVVMDialect>();
    // The patterns hold libdevice's too; ops that are legal do not meet them.
    target.addLegalDialect<math::MathDialect>();
    if (failed(applyPartialConversion(kernels, target, std::move(patterns)))) {
      return signalPassFailure();
    }
    declareDynamicSharedMemory(kernels);
    requireBlockSizes(kernels);
  }
};
} // namespace
