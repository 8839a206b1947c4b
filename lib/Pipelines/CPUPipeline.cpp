// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Pipelines/CPUPipeline.h"

#include "moe/Conversion/CommToRuntime/Passes.h"
#include "moe/Conversion/MoEToKernels/Passes.h"
#include "moe/Conversion/MoEToLoops/Passes.h"
#include "moe/Pipelines/RankProgram.h"
#include "moe/Target/CPU/LowerToLLVM.h"
#include "moe/Transforms/Partition/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::moe;

// From local tensors to LLVM.
static void addTargetPasses(OpPassManager &manager,
                            const CPUPipelineOptions &options) {
  addBufferPasses(manager);
  manager.addPass(createConvertMoEToLoopsPass());
  ConvertMoEToKernelsPassOptions kernels;
  kernels.cpu = options.cpu;
  manager.addPass(createConvertMoEToKernelsPass(kernels));
  manager.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  manager.addPass(createConvertCommToRuntimePass());
  // An unknown CPU has been reported by the kernels' pass.
  llvm::Expected<CPUTarget> target = CPUTarget::parse(options.cpu);
  if (!target) {
    llvm::consumeError(target.takeError());
    return;
  }
  addLowerToLLVMPasses(manager, *target);
}

void mlir::moe::buildCPUPipeline(OpPassManager &manager,
                                 const CPUPipelineOptions &options) {
  addPartitionPasses(manager);
  addCommunicationPasses(manager, options.overlap ? Overlap::Yes : Overlap::No);
  addTargetPasses(manager, options);
}

void mlir::moe::buildCPUReferencePipeline(OpPassManager &manager,
                                          const CPUPipelineOptions &options) {
  manager.addPass(createExpandExpertsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  addTargetPasses(manager, options);
}

void mlir::moe::registerCPUPipelines() {
  PassPipelineRegistration<CPUPipelineOptions>(
      "moe-cpu-pipeline",
      "Lower a planned module to LLVM for the ranks of a CPU target",
      buildCPUPipeline);
  PassPipelineRegistration<CPUPipelineOptions>(
      "moe-cpu-reference-pipeline",
      "Lower a module to LLVM for one device, experts as loops (the oracle)",
      buildCPUReferencePipeline);
}
