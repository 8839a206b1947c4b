//===- PlaceLayers.cpp - All layers placed by a policy --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/PlaceLayers.h"
#include "moe/Report/Progress.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

Objective moe::placement::defaultObjective(const Workload &workload) {
  return workload.knowsTimes() ? Objective::Time : Objective::Load;
}

llvm::Error moe::placement::expectKnown(const Workload &workload,
                                        Objective objective) {
  if (objective == Objective::Load || workload.knowsTimes()) {
    return llvm::Error::success();
  }
  std::string missing;
  std::pair<llvm::StringRef, bool> needed[] = {
      {"--topology", workload.topology != nullptr},
      {"--tokens", workload.facts.tokens > 0},
      {"--hidden or --config", workload.dispatchRowBytes > 0}};
  for (auto [flag, isKnown] : needed) {
    if (!isKnown) {
      missing += (missing.empty() ? "" : ", ") + flag.str();
    }
  }
  return createStringError("--objective time: expected " + missing);
}

void moe::placement::addBounds(const PlacementProblem &problem,
                               Objective objective, PlacementResult &result) {
  result.objective = objective;
  result.loadBound = loadBound(problem);
  if (problem.deployment) {
    result.timeBound = timeBound(problem);
  }
  bool byTime = objective == Objective::Time;
  result.bound = byTime ? *result.timeBound : result.loadBound;
  result.value = byTime ? result.time->total().value() : result.loads.max;
}

/// Rows that change the node, out and back.
static std::optional<double> crossNodeBytes(const Workload &workload,
                                            const LayerWork &work,
                                            const PlacementResult &result) {
  if (!workload.knowsBytes() || workload.facts.nodes == 0) {
    return std::nullopt;
  }
  double all = result.loads.mean * double(work.problem.ranks());
  double rows = double(workload.facts.tokens) * double(workload.facts.choices) *
                result.loadBetweenNodes / all;
  return rows * double(workload.dispatchRowBytes + workload.combineRowBytes);
}

LayerEntry moe::placement::makeEntry(const Workload &workload,
                                     const LayerWork &work,
                                     const PlacementResult &result) {
  LayerEntry entry;
  entry.layer = work.layer;
  entry.data = result.data;
  entry.expertLoad = work.problem.loads;
  entry.boundArgument = result.bound.argument;
  entry.notes = result.notes;
  LayerFigures &figures = entry.figures;
  const ServedLoads &loads = result.loads;
  figures.gpuLoad = loads.byRank;
  figures.maxOverMean = loads.maxOverMean();
  figures.meanOverMax = loads.mean / loads.max;
  figures.excessOverMean = (loads.max - loads.mean) / loads.mean;
  figures.crossNodeBytes = crossNodeBytes(workload, work, result);
  figures.lowerBoundLoad = result.loadBound.value;
  figures.gap = result.gap();
  if (result.time) {
    figures.exchangeUs = result.time->exchange().value();
    figures.computeUs = result.time->compute().value();
  }
  if (result.timeBound) {
    figures.lowerBoundUs = result.timeBound->value;
  }
  return entry;
}

PlacementFile moe::placement::makeFile(const Workload &workload,
                                       llvm::StringRef policy,
                                       Objective objective) {
  PlacementFile file;
  file.policy = policy.str();
  file.objective = toString(objective).str();
  file.problem = workload.facts;
  file.notes = workload.notes;
  if (workload.knowsTimes()) {
    file.constants = workload.constants.all();
  }
  return file;
}

llvm::Expected<PlacementFile>
moe::placement::placeLayers(const Workload &workload, PlacementPolicy policy,
                            Objective objective) {
  PlacementFile file = makeFile(workload, toString(policy), objective);
  moe::report::Progress progress(
      formatv("{0}: placing layer", toString(policy)).str());
  std::vector<const PlacementProblem *> problems;
  for (const LayerWork &work : workload.layers) {
    problems.push_back(&work.problem);
  }
  std::vector<llvm::Expected<PlacementResult>> results =
      placeAll(policy, problems, objective,
               [&](int64_t done) { progress.update(done, problems.size()); });
  llvm::Error failed = llvm::Error::success();
  for (auto [work, result] : llvm::zip_equal(workload.layers, results)) {
    if (!result) {
      // The first layer that fails says why.
      llvm::Error error =
          createStringError(formatv("layer {0}: {1}", work.layer,
                                    llvm::toString(result.takeError()))
                                .str());
      if (failed) {
        llvm::consumeError(std::move(error));
      } else {
        failed = std::move(error);
      }
      continue;
    }
    file.layers.push_back(makeEntry(workload, work, *result));
  }
  if (failed) {
    return std::move(failed);
  }
  return file;
}
