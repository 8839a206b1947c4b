// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loads as attributes, and back; a part of Analysis/PlanAttributes.h.

#include "moe/Analysis/PlanAttributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/FormatVariadic.h"

#include <numeric>

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

/// One list a source; one in all where sources are not known apart, and none
/// where nothing is known.
static std::vector<std::vector<double>> readSources(ModuleOp module,
                                                    int64_t layer) {
  auto loads = module->getAttrOfType<DictionaryAttr>(kLoadsAttrName);
  Attribute known = loads ? loads.get(std::to_string(layer)) : Attribute();
  if (auto together = dyn_cast_if_present<DenseF64ArrayAttr>(known)) {
    return {together.asArrayRef().vec()};
  }
  std::vector<std::vector<double>> sources;
  if (auto apart = dyn_cast_if_present<ArrayAttr>(known)) {
    for (auto source : apart.getAsRange<DenseF64ArrayAttr>()) {
      sources.push_back(source.asArrayRef().vec());
    }
  }
  return sources;
}

llvm::Expected<planning::LayerLoads> mlir::moe::getLoads(ModuleOp module,
                                                         int64_t layer,
                                                         int64_t experts,
                                                         int64_t ranks) {
  planning::LayerLoads result;
  std::vector<std::vector<double>> sources = readSources(module, layer);
  if (sources.empty()) {
    result.loads.assign(experts, 1.0 / static_cast<double>(experts));
    result.isAssumedUniform = true;
    return result;
  }
  if (static_cast<int64_t>(sources.front().size()) != experts) {
    return llvm::createStringError(
        llvm::formatv("layer {0}: expected loads of {1} experts, but got {2}",
                      layer, experts, sources.front().size())
            .str());
  }
  if (sources.size() > 1 && static_cast<int64_t>(sources.size()) != ranks) {
    return llvm::createStringError(
        llvm::formatv("layer {0}: expected loads of {1} source ranks, but got "
                      "{2}",
                      layer, ranks, sources.size())
            .str());
  }
  result.loads.resize(experts);
  for (const std::vector<double> &source : sources) {
    for (auto [sum, load] : llvm::zip_equal(result.loads, source)) {
      sum += load;
    }
  }
  if (sources.size() > 1) {
    result.bySource = std::move(sources);
  }
  return result;
}

llvm::Expected<planning::ExpertShares> mlir::moe::getShares(ModuleOp module,
                                                            int64_t layer,
                                                            int64_t experts,
                                                            int64_t ranks) {
  llvm::Expected<planning::LayerLoads> loads =
      getLoads(module, layer, experts, ranks);
  if (!loads) {
    return loads.takeError();
  }
  return planning::ExpertShares{std::move(loads->loads),
                                loads->isAssumedUniform,
                                std::move(loads->bySource)};
}

void mlir::moe::setLoads(ModuleOp module, int64_t layer,
                         const planning::LayerLoads &loads) {
  Builder builder(module.getContext());
  double sum = std::accumulate(loads.loads.begin(), loads.loads.end(), 0.0);
  auto toShares = [&](ArrayRef<double> values) {
    SmallVector<double> shares(values);
    for (double &share : shares) {
      share /= sum;
    }
    return builder.getDenseF64ArrayAttr(shares);
  };
  Attribute known = toShares(loads.loads);
  if (loads.bySource.size() > 1) {
    SmallVector<Attribute> sources;
    for (const std::vector<double> &source : loads.bySource) {
      sources.push_back(toShares(source));
    }
    known = builder.getArrayAttr(sources);
  }
  NamedAttrList all(module->getAttrOfType<DictionaryAttr>(kLoadsAttrName));
  all.set(std::to_string(layer), known);
  module->setAttr(kLoadsAttrName, all.getDictionary(module.getContext()));
}
