//===- Deploy.cpp - What travels, what it costs, whether it fits ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/Workload.h"
#include "moe/Planning/Estimates.h"
#include "moe/Planning/Memory.h"
#include "moe/Report/Table.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::placement;
using namespace moe::planning;
using llvm::formatv;

/// What an expert weighs and computes, by the model or by its width.
static void setWork(const WorkloadOptions &options, Workload &workload) {
  int64_t hidden = workload.facts.hidden;
  double parameters = 0;
  if (workload.shape) {
    parameters = workload.shape->expertParameters();
    workload.work.weightBytes = Bytes(workload.shape->expertBytes());
  } else if (options.width > 0 && hidden > 0) {
    // Gate, up and down, in bf16: what nearly all models have.
    constexpr double matrices = 3, weightBytes = 2;
    parameters = matrices * double(hidden) * double(options.width);
    workload.work.weightBytes = Bytes(parameters * weightBytes);
    workload.notes.push_back(
        "experts are taken to have three matrices in bf16 (--config says what "
        "they have)");
  } else if (workload.knowsTimes()) {
    workload.notes.push_back(
        "nothing says how large an expert is (--config, or --width): its "
        "compute is left out of times");
    return;
  }
  workload.work.flopsPerRow = Flops(2 * parameters);
  workload.work.bytesPerRow =
      Bytes(double(workload.dispatchRowBytes + workload.combineRowBytes));
}

void moe::placement::deploy(const WorkloadOptions &options,
                            Workload &workload) {
  const ProblemFacts &facts = workload.facts;
  workload.dispatchRowBytes = workload.combineRowBytes =
      facts.hidden * elementBytes(facts.dtype);
  if (facts.dtype == "fp8" && facts.hidden > 0) {
    // As DeepEP does: with scales on the way out, in bf16 on the way back.
    workload.dispatchRowBytes = fp8RowBytes(facts.hidden);
    workload.combineRowBytes = facts.hidden * elementBytes("bf16");
  }
  setWork(options, workload);
  if (!workload.knowsTimes()) {
    return;
  }
  Deployment deployment =
      Deployment::ofAllDevices(workload.topology, facts.tokens);
  deployment.constants = workload.constants;
  deployment.choices = facts.choices;
  deployment.work = workload.work;
  deployment.dispatchRowBytes = workload.dispatchRowBytes;
  deployment.combineRowBytes = workload.combineRowBytes;
  auto shared = std::make_shared<const Deployment>(std::move(deployment));
  for (LayerWork &work : workload.layers) {
    work.problem.deployment = shared;
  }
}

llvm::Error moe::placement::expectFits(const WorkloadOptions &options,
                                       const Workload &workload) {
  if (!workload.shape) {
    return llvm::Error::success();
  }
  const moe::model::ModelShape &shape = *workload.shape;
  MemoryRequest request;
  request.expertRanks = workload.gpus();
  request.replicas =
      workload.layers.front().problem.slots() - workload.experts();
  request.tokens = workload.facts.tokens;
  request.sequences = options.sequences;
  request.context = options.context;
  MemoryEstimate estimate = estimateMemory(shape, request, workload.constants);
  if (estimate.fits()) {
    return llvm::Error::success();
  }
  std::optional<int64_t> fewest =
      fewestExpertRanks(shape, request, workload.constants);
  std::string enough =
      fewest ? formatv("the fewest on which it fits: {0}", *fewest).str()
             : "it fits on no number of them";
  return llvm::createStringError(
      formatv("{0}: expected a model that fits into the memory of {1} GPUs, "
              "but the fullest needs {2} of {3}, {4} too much; {5}",
              options.config, workload.gpus(),
              report::formatBytes(estimate.total().value()),
              report::formatBytes(estimate.usable.value()),
              report::formatBytes(estimate.missing().value()), enough)
          .str());
}
