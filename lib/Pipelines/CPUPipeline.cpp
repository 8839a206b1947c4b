// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Pipelines/CPUPipeline.h"

#include "moe/Conversion/CommToRuntime/Passes.h"
#include "moe/Conversion/MoEToKernels/Passes.h"
#include "moe/Conversion/MoEToLoops/Passes.h"
#include "moe/Target/CPU/LowerToLLVM.h"
#include "moe/Transforms/Bufferize/BufferizationModels.h"
#include "moe/Transforms/Exchange/Passes.h"
#include "moe/Transforms/Matmul/Passes.h"
#include "moe/Transforms/Partition/Passes.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::moe;

void mlir::moe::addPartitionPasses(OpPassManager &manager) {
  manager.addPass(createVerifyPlacedPass());
  manager.addPass(createPropagateShardingPass());
  manager.addPass(createInsertReshardPass());
  manager.addPass(createPartitionPass());
  manager.addPass(createVerifyPartitionedPass());
}

// From local tensors to LLVM. The only place where tensors become buffers.
static void addTargetPasses(OpPassManager &manager,
                            const CPUPipelineOptions &options) {
  manager.addPass(createPackWeightsPass());
  manager.addPass(createFuseEpiloguePass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  addBufferizationPasses(manager);
  manager.addPass(createVerifyInFlightPass());
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
  manager.addPass(createInsertAllToAllPass());
  if (options.overlap) {
    manager.addPass(createOverlapExchangePass());
  }
  manager.addPass(createVerifyCommunicationPass());
  manager.addPass(createVerifyUniformPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
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
