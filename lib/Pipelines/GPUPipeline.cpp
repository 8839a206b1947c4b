// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Pipelines/GPUPipeline.h"

#include "moe/Conversion/CommToRuntime/Passes.h"
#include "moe/Conversion/LaunchesToRuntime/Passes.h"
#include "moe/Conversion/MoEToGPU/Passes.h"
#include "moe/Pipelines/RankProgram.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::moe;

void mlir::moe::buildGPUPipeline(OpPassManager &manager,
                                 const GPUPipelineOptions &options) {
  addPartitionPasses(manager);
  addCommunicationPasses(manager, options.overlap ? Overlap::Yes : Overlap::No);
  addBufferPasses(manager);
  manager.addPass(createConvertMoEToGPUPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void mlir::moe::addLaunchPasses(OpPassManager &manager) {
  ConvertCommToRuntimePassOptions runtime;
  runtime.onDevice = true;
  manager.addPass(createConvertCommToRuntimePass(runtime));
  manager.addPass(createConvertLaunchesToRuntimePass());
}

void mlir::moe::registerGPUPipeline() {
  PassPipelineRegistration<GPUPipelineOptions>(
      "moe-gpu-pipeline",
      "Lower a planned module to kernels and what launches them",
      buildGPUPipeline);
}
