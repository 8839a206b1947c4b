// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Registration.h"

#include "moe/Conversion/CommToRuntime/Passes.h"
#include "moe/Conversion/LaunchesToRuntime/Passes.h"
#include "moe/Conversion/MoEToGPU/Passes.h"
#include "moe/Conversion/MoEToKernels/Passes.h"
#include "moe/Conversion/MoEToLoops/Passes.h"
#include "moe/Dialect/MoE/MoE.h"
#include "moe/Pipelines/CPUPipeline.h"
#include "moe/Pipelines/GPUPipeline.h"
#include "moe/Pipelines/PlanPipeline.h"
#include "moe/Target/CPU/LowerToLLVM.h"
#include "moe/Target/CPU/Passes.h"
#include "moe/Target/GPU/LowerToNVVM.h"
#include "moe/Target/GPU/Passes.h"
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

void mlir::moe::registerDialects(DialectRegistry &registry) {
  registry.insert<comm::CommDialect, MoEDialect>();
  registerPartitionExternalModels(registry);
  registerBufferizationExternalModels(registry);
  registerCPUTargetDialects(registry);
  registerGPUTargetDialects(registry);
}

void mlir::moe::registerAllDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registerDialects(registry);
}

void mlir::moe::registerPasses() {
  registerMoEExtractPasses();
  registerMoEExchangePasses();
  registerMoEMatmulPasses();
  registerMoEPartitionPasses();
  registerMoEPlanPasses();
  registerTargetCPUPasses();
  registerTargetGPUPasses();
  registerMoECommToRuntimePasses();
  registerMoELaunchesToRuntimePasses();
  registerMoEMoEToGPUPasses();
  registerMoEMoEToKernelsPasses();
  registerMoEMoEToLoopsPasses();
  registerCPUPipelines();
  registerGPUPipeline();
  registerPlanPipeline();
}

void mlir::moe::registerAllPasses() {
  mlir::registerAllPasses();
  registerPasses();
}

llvm::StringRef mlir::moe::getOverview() {
  return R"(compiles mixture-of-experts models onto clusters

  moe-translate --import-hf-config config.json |
  moe-opt --moe-plan-pipeline="mesh=dp=2,ep=4 topology=cluster.mlir" |
  moe-opt --moe-cpu-pipeline

A module goes through these stages; each pass leaves IR that can be read, edited
and given to the next one (--mlir-print-ir-after-all shows them all):

  plan         --moe-plan-pipeline is
                 --moe-attach-topology       the cluster, the experts' loads
                 --moe-choose-mesh-mapping   which device is where in the mesh
                 --moe-choose-placement      which rank hosts which expert
                 --moe-choose-exchange       how rows travel
  look         --moe-print-topology, --moe-print-placement,
               --moe-print-traffic, --comm-print-uniformity
  partition    --comm-propagate-sharding, --comm-insert-reshard, --moe-partition
  communicate  --moe-insert-all-to-all, --moe-overlap-exchange
  CPU          --moe-cpu-pipeline is the two lines above and
                 --moe-pack-weights, --moe-fuse-epilogue, bufferization,
                 --convert-moe-to-loops, --convert-moe-to-kernels,
                 --convert-comm-to-runtime, --moe-approximate-math,
                 --moe-expand-bf16, --moe-carry-bf16-as-i16, and MLIR's
                 conversions to LLVM
  GPU          --moe-gpu-pipeline is the same as far as buffers, then
                 --convert-moe-to-gpu; --convert-kernels-to-nvvm for the kernels
                 and --convert-launches-to-runtime for what launches them
  oracle       --moe-cpu-reference-pipeline starts with --moe-expand-experts:
               one device, experts as loops
  verify       --moe-verify-placed, --moe-verify-partitioned,
               --moe-verify-communication, --comm-verify-uniform,
               --comm-verify-in-flight
  one layer    --moe-extract-layer, --moe-expose-routing, --moe-inject-routing,
               --moe-discard-plan

MLIR's own passes, such as --canonicalize, are there too. The options of each
pass follow below.
)";
}
