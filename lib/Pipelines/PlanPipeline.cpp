// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Pipelines/PlanPipeline.h"

#include "moe/Analysis/PlanAttributes.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace mlir::moe;

std::vector<std::string> PlanPipelineOptions::names() const {
  std::vector<std::string> names;
  for (const auto &[name, option] : OptionsMap) {
    names.push_back(name.str());
  }
  llvm::sort(names);
  return names;
}

bool PlanPipelineOptions::set(llvm::StringRef name, llvm::StringRef value) {
  llvm::cl::Option *option = OptionsMap.lookup(name);
  return option && !option->addOccurrence(/*pos=*/0, name, value);
}

static AttachTopologyPassOptions
makeLoadsOptions(const PlanPipelineOptions &options) {
  AttachTopologyPassOptions attach;
  attach.loads = options.loads;
  attach.loadsModel = options.loadsModel;
  attach.loadsDomain = options.loadsDomain;
  attach.loadsContent = options.loadsContent;
  attach.traceRanks = options.traceRanks;
  return attach;
}

void mlir::moe::addLoadsPass(OpPassManager &manager,
                             const PlanPipelineOptions &options) {
  manager.addPass(createAttachTopologyPass(makeLoadsOptions(options)));
}

void mlir::moe::buildPlanPipeline(OpPassManager &manager,
                                  const PlanPipelineOptions &options) {
  AttachTopologyPassOptions attach = makeLoadsOptions(options);
  attach.topology = options.topology;
  attach.gpu = options.gpu;
  attach.nodes = options.nodes;
  attach.nicGbps = options.nicGbps;
  attach.interNodeGbps = options.interNodeGbps;
  manager.addPass(createAttachTopologyPass(std::move(attach)));

  ChooseMeshMappingPassOptions mapping;
  mapping.mesh = options.mesh;
  mapping.tokenAxes = llvm::to_vector(options.tokenAxes);
  mapping.expertAxes = llvm::to_vector(options.expertAxes);
  mapping.expertTensorAxes = llvm::to_vector(options.expertTensorAxes);
  mapping.tensorAxes = llvm::to_vector(options.tensorAxes);
  mapping.stageAxes = llvm::to_vector(options.stageAxes);
  mapping.step = options.step;
  manager.addPass(createChooseMeshMappingPass(std::move(mapping)));

  ChoosePlacementPassOptions placement;
  placement.policy = options.placement;
  placement.objective = options.objective;
  placement.replicas = options.replicas;
  placement.expertGroups = options.expertGroups;
  placement.memoryGib = options.memoryGib;
  manager.addPass(createChoosePlacementPass(std::move(placement)));

  ChooseExchangePassOptions exchange;
  exchange.form = options.exchange;
  exchange.bound = options.bound;
  manager.addPass(createChooseExchangePass(std::move(exchange)));

  manager.addPass(createVerifyPlacedPass());
}

void mlir::moe::registerPlanPipeline() {
  PassPipelineRegistration<PlanPipelineOptions>(
      "moe-plan-pipeline",
      "Decide where experts live and how their rows travel", buildPlanPipeline);
}
