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
  return Objective::Load;
}

llvm::Error moe::placement::expectKnown(const Workload &workload,
                                        Objective objective) {
  return llvm::Error::success();
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
  figures.lowerBoundLoad = result.bound.value;
  figures.gap = result.gap();
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
  return file;
}

llvm::Expected<PlacementFile>
moe::placement::placeLayers(const Workload &workload, PlacementPolicy policy,
                            Objective objective) {
  PlacementFile file = makeFile(workload, toString(policy), objective);
  report::Progress progress(
      formatv("{0}: placing layer", toString(policy)).str());
  for (auto [index, work] : llvm::enumerate(workload.layers)) {
    progress.update(index, workload.layers.size());
    llvm::Expected<PlacementResult> result = place(policy, work.problem);
    if (!result) {
      return createStringError(formatv("layer {0}: {1}", work.layer,
                                       llvm::toString(result.takeError()))
                                   .str());
    }
    file.layers.push_back(makeEntry(workload, work, *result));
  }
  return file;
}
