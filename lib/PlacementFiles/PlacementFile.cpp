//===- PlacementFile.cpp - Placements with their figures ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementFiles/PlacementFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

llvm::ArrayRef<FigureName> moe::placement::figureNames() {
  static const FigureName names[] = {
      {"max_over_mean", &LayerFigures::maxOverMean},
      {"mean_over_max", &LayerFigures::meanOverMax},
      {"excess_over_mean", &LayerFigures::excessOverMean},
      {"cross_node_bytes", &LayerFigures::crossNodeBytes},
      {"exchange_us", &LayerFigures::exchangeUs},
      {"compute_us", &LayerFigures::computeUs},
      {"lower_bound_load", &LayerFigures::lowerBoundLoad},
      {"lower_bound_us", &LayerFigures::lowerBoundUs},
      {"gap", &LayerFigures::gap}};
  return names;
}

int64_t PlacementFile::slots() const {
  return phy2log(layers.front().data).size();
}

const LayerEntry *PlacementFile::find(int64_t layer) const {
  auto found = llvm::find_if(
      layers, [&](const LayerEntry &entry) { return entry.layer == layer; });
  return found == layers.end() ? nullptr : &*found;
}

//===----------------------------------------------------------------------===//
// The lists of EPLB
//===----------------------------------------------------------------------===//

std::vector<int64_t> moe::placement::phy2log(const PlacementData &data) {
  std::vector<int64_t> experts;
  for (const std::vector<int64_t> &rank : data.expertsByRank) {
    llvm::append_range(experts, rank);
  }
  return experts;
}

std::vector<int64_t> moe::placement::slotToGpu(const PlacementData &data) {
  std::vector<int64_t> ranks;
  for (auto [rank, experts] : llvm::enumerate(data.expertsByRank)) {
    ranks.insert(ranks.end(), experts.size(), rank);
  }
  return ranks;
}

std::vector<int64_t> moe::placement::logcnt(const PlacementData &data) {
  std::vector<int64_t> counts(data.expertCount);
  for (int64_t expert : phy2log(data)) {
    if (expert >= 0) {
      ++counts[expert];
    }
  }
  return counts;
}

std::vector<std::vector<int64_t>>
moe::placement::log2phy(const PlacementData &data) {
  std::vector<std::vector<int64_t>> slots(data.expertCount);
  size_t most = 0;
  for (auto [slot, expert] : llvm::enumerate(phy2log(data))) {
    if (expert >= 0) {
      slots[expert].push_back(slot);
      most = std::max(most, slots[expert].size());
    }
  }
  for (std::vector<int64_t> &list : slots) {
    list.resize(most, -1);
  }
  return slots;
}

llvm::Expected<PlacementData>
moe::placement::placementOfSlots(llvm::ArrayRef<int64_t> phy2log, int64_t gpus,
                                 int64_t experts) {
  int64_t slots = phy2log.size();
  if (gpus < 1 || slots == 0 || slots % gpus != 0) {
    return createStringError(
        formatv("expected slots that divide evenly over the GPUs, but got {0} "
                "slots and {1} GPUs",
                slots, gpus)
            .str());
  }
  PlacementData data;
  data.expertCount = experts;
  if (experts == 0) {
    data.expertCount = std::max<int64_t>(*llvm::max_element(phy2log), -1) + 1;
  }
  for (auto [slot, expert] : llvm::enumerate(phy2log)) {
    if (expert < -1 || expert >= data.expertCount) {
      return createStringError(
          formatv("slot {0}: expected an expert from 0 to {1}, or -1, but got "
                  "{2}",
                  slot, data.expertCount - 1, expert)
              .str());
    }
  }
  for (int64_t rank = 0; rank < gpus; ++rank) {
    llvm::ArrayRef<int64_t> own =
        phy2log.slice(rank * (slots / gpus), slots / gpus);
    data.expertsByRank.push_back(own.vec());
  }
  return data;
}
