// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BuildFrames.h"

#include <cstring>
#include <optional>

using namespace moe::runner;
using moe::planning::Mesh;
using moe::planning::Placement;
using moe::planning::TokenRange;

/// The range of dimension `dim` of a handle's weight that `rank` holds.
static TokenRange rangeOf(const Mesh &ranks, int64_t rank, const Handle &handle,
                          size_t dim, int64_t extent) {
  if (dim >= handle.sharding.size()) {
    return {0, extent};
  }
  const Axes &axes = handle.sharding[dim];
  return moe::planning::tokenRange(extent, ranks.groupSize(axes),
                                   ranks.indexInGroup(rank, axes));
}

/// The experts in the slots of `rank`, -1 for an empty one.
static std::vector<int64_t> expertsOf(const ProgramLayout &layout,
                                      const Handle &handle, int64_t rank) {
  std::vector<int64_t> experts;
  if (handle.placement.empty()) {
    for (int64_t e = 0; e < layout.weights.at(handle.weight).shape[0]; ++e) {
      experts.push_back(e);
    }
    return experts;
  }
  const PlacementSymbol &symbol = layout.placements.at(handle.placement);
  int64_t place = layout.ranks.indexInGroup(rank, symbol.axes);
  for (int32_t expert : symbol.placement.tablesFor(place).hostedExperts) {
    experts.push_back(expert);
  }
  experts.resize(std::max<size_t>(experts.size(), symbol.localSlots), -1);
  return experts;
}

/// The parts behind the slots of a handle of weights, in slot order.
static std::vector<std::optional<WeightPart>>
partsOf(const ProgramLayout &layout, const Handle &handle, int64_t rank) {
  const WeightSymbol &weight = layout.weights.at(handle.weight);
  const Mesh &ranks = layout.ranks;
  std::vector<std::optional<WeightPart>> parts;
  if (handle.kind == Handle::Kind::Experts) {
    TokenRange k = rangeOf(ranks, rank, handle, 1, weight.shape[1]);
    TokenRange n = rangeOf(ranks, rank, handle, 2, weight.shape[2]);
    for (int64_t expert : expertsOf(layout, handle, rank)) {
      parts.emplace_back();
      if (expert >= 0) {
        parts.back() = WeightPart{handle.weight, expert, true, {k, n}};
      }
    }
    return parts;
  }
  WeightPart part{handle.weight, -1, handle.isPacked, {}};
  for (auto [dim, extent] : llvm::enumerate(weight.shape)) {
    part.ranges.push_back(rangeOf(ranks, rank, handle, dim, extent));
  }
  if (handle.isPacked && !weight.isInByOut) {
    std::swap(part.ranges[0], part.ranges[1]);
  }
  parts.push_back(std::move(part));
  return parts;
}

/// [64][experts]: where this rank sends a row of a token class, as
/// rank * slots + slot.
static std::vector<int32_t> placementTable(const ProgramLayout &layout,
                                           const std::string &name,
                                           int64_t rank) {
  const PlacementSymbol &symbol = layout.placements.at(name);
  const Placement &placement = symbol.placement;
  int64_t source = layout.ranks.indexInGroup(rank, symbol.axes);
  std::vector<int32_t> table;
  for (int64_t tokenClass = 0; tokenClass < Placement::tokenClasses;
       ++tokenClass) {
    for (int64_t expert = 0; expert < placement.expertCount(); ++expert) {
      int64_t slot = placement.slotFor(expert, source, tokenClass);
      table.push_back(
          static_cast<int32_t>(placement.rankOfSlot(slot) * symbol.localSlots +
                               placement.localSlotOf(slot)));
    }
  }
  return table;
}

void RankFrames::request(const ProgramLayout &layout, WeightStore &store) {
  for (int64_t rank = 0; rank < layout.ranks.deviceCount(); ++rank) {
    for (const Handle &handle : layout.handles) {
      if (handle.kind == Handle::Kind::Placement) {
        continue;
      }
      for (const std::optional<WeightPart> &part :
           partsOf(layout, handle, rank)) {
        if (part) {
          store.request(*part);
        }
      }
    }
  }
}

std::vector<int64_t>
moe::runner::weightBytesByRank(const ProgramLayout &layout) {
  std::vector<int64_t> result(layout.ranks.deviceCount());
  for (auto [rank, bytes] : llvm::enumerate(result)) {
    for (const Handle &handle : layout.handles) {
      if (handle.kind == Handle::Kind::Placement) {
        continue;
      }
      for (const std::optional<WeightPart> &part :
           partsOf(layout, handle, rank)) {
        bytes += part ? bytesOf(layout.weights.at(handle.weight), *part) : 0;
      }
    }
  }
  return result;
}

RankFrames::RankFrames(const ProgramLayout &layout, const WeightStore &store)
    : ranks(layout.ranks.deviceCount()), hosted(ranks.size()) {
  for (auto [rank, handles] : llvm::enumerate(ranks)) {
    for (const Handle &handle : layout.handles) {
      HandleData &data = hosted[rank].emplace_back();
      // One device needs no placement: its program never looks.
      if (handle.kind == Handle::Kind::Placement && handle.placement.empty()) {
        handles.push_back(nullptr);
        continue;
      }
      if (handle.kind == Handle::Kind::Placement) {
        // A program that places nothing reads no table.
        placementTables.push_back(std::make_unique<std::vector<int32_t>>(
            handle.placement.empty()
                ? std::vector<int32_t>()
                : placementTable(layout, handle.placement, rank)));
        std::vector<int32_t> &table = *placementTables.back();
        handles.push_back(table.data());
        data.parts.push_back(
            {table.data(),
             static_cast<int64_t>(table.size() * sizeof(int32_t))});
        continue;
      }
      auto table = std::make_unique<std::vector<const void *>>();
      for (const std::optional<WeightPart> &part :
           partsOf(layout, handle, rank)) {
        table->push_back(part ? store.find(*part) : nullptr);
        data.parts.push_back({table->back(), part ? store.bytesOf(*part) : 0});
      }
      data.isTable = handle.kind == Handle::Kind::Experts || handle.isPacked;
      handles.push_back(data.isTable ? static_cast<void *>(table->data())
                                     : const_cast<void *>(table->front()));
      slotTables.push_back(std::move(table));
    }
  }
}

void RankFrames::corruptExpert(const ProgramLayout &layout,
                               const WeightStore &store, int64_t expert) {
  for (auto [rank, handles] : llvm::enumerate(ranks)) {
    for (auto [handle, pointer, data] :
         llvm::zip_equal(layout.handles, handles, hosted[rank])) {
      if (handle.kind != Handle::Kind::Experts) {
        continue;
      }
      auto *table = static_cast<const void **>(pointer);
      auto parts = partsOf(layout, handle, rank);
      for (auto [slot, part] : llvm::enumerate(parts)) {
        if (!part || part->expert != expert) {
          continue;
        }
        // Doubling every value would not show in a bf16 mantissa; zeros do.
        int64_t bytes = store.bytesOf(*part);
        copies.emplace_back(bytes);
        std::memset(copies.back().data(), 0, bytes);
        table[slot] = data.parts[slot].data = copies.back().data();
      }
    }
  }
}
