// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Registration.h"

#include "moe/Conversion/CommToRuntime/Passes.h"
#include "moe/Conversion/MoEToKernels/Passes.h"
#include "moe/Conversion/MoEToLoops/Passes.h"
#include "moe/Dialect/MoE/MoE.h"
#include "moe/Pipelines/CPUPipeline.h"
#include "moe/Pipelines/PlanPipeline.h"
#include "moe/Target/CPU/LowerToLLVM.h"
#include "moe/Target/CPU/Passes.h"
#include "moe/Transforms/Bufferize/BufferizationModels.h"
#include "moe/Transforms/Exchange/Passes.h"
#include "moe/Transforms/Extract/Passes.h"
#include "moe/Transforms/Matmul/Passes.h"
#include "moe/Transforms/Partition/Passes.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

using namespace mlir;

void mlir::moe::registerAllDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<comm::CommDialect, MoEDialect>();
  registerPartitionExternalModels(registry);
  registerBufferizationExternalModels(registry);
  registerCPUTargetDialects(registry);
}

void mlir::moe::registerAllPasses() {
  mlir::registerAllPasses();
  registerMoEExtractPasses();
  registerMoEExchangePasses();
  registerMoEMatmulPasses();
  registerMoEPartitionPasses();
  registerMoEPlanPasses();
  registerTargetCPUPasses();
  registerMoECommToRuntimePasses();
  registerMoEMoEToKernelsPasses();
  registerMoEMoEToLoopsPasses();
  registerCPUPipelines();
  registerPlanPipeline();
}
