//===- Alternatives.cpp - Where else an expert could be -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Alternatives.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include <numeric>

using namespace moe::report;
using namespace moe::planning;

Alternatives::Alternatives(const PlacedLayer &layer,
                           const PlacedTraffic &traffic,
                           llvm::ArrayRef<double> loads)
    : traffic(traffic), loads(loads), meanShare(1.0 / double(loads.size())),
      shares(layer.loads.shares), places(loads.size()), heaviest(loads.size()) {
  const Placement &placement = layer.placement;
  for (int64_t slot = 0; slot < placement.slotCount(); ++slot) {
    if (placement.expertIn(slot) < 0) {
      places[placement.rankOfSlot(slot)].push_back({});
    }
  }
  for (int64_t expert = 0; expert < placement.expertCount(); ++expert) {
    for (const ServingSlot &slot : traffic.slotsOf(expert)) {
      places[slot.rank].push_back(
          {expert, slot.part * shares[expert] / meanShare});
    }
  }
  std::iota(heaviest.begin(), heaviest.end(), 0);
  llvm::stable_sort(heaviest,
                    [&](int64_t a, int64_t b) { return loads[a] > loads[b]; });
  // Beside two ranks, one of the first three is the heaviest.
  heaviest.resize(std::min<size_t>(heaviest.size(), 3));
}

bool Alternatives::holds(int64_t rank, int64_t expert) const {
  return llvm::any_of(
      places[rank], [&](const Place &place) { return place.expert == expert; });
}

double Alternatives::largestBeside(int64_t a, int64_t b) const {
  for (int64_t rank : heaviest) {
    if (rank != a && rank != b) {
      return loads[rank];
    }
  }
  return 0;
}

/// The best exchange with each rank that does not hold the expert.
void Alternatives::consider(int64_t expert, const ServingSlot &slot,
                            double load,
                            std::vector<Alternative> &found) const {
  for (int64_t rank = 0; rank < int64_t(places.size()); ++rank) {
    if (rank == slot.rank || holds(rank, expert)) {
      continue;
    }
    double others = largestBeside(slot.rank, rank);
    std::optional<Alternative> best;
    for (const Place &place : places[rank]) {
      if (place.expert >= 0 && holds(slot.rank, place.expert)) {
        continue;
      }
      double here = loads[slot.rank] - load + place.load;
      double there = loads[rank] + load - place.load;
      double largest = std::max({others, here, there});
      if (!best || largest < best->largest) {
        best = Alternative{slot.rank, rank, place.expert, largest};
      }
    }
    if (best) {
      found.push_back(*best);
    }
  }
}

std::vector<Alternative> Alternatives::elsewhere(int64_t expert,
                                                 size_t most) const {
  std::vector<Alternative> found;
  for (const ServingSlot &slot : traffic.slotsOf(expert)) {
    consider(expert, slot, slot.part * shares[expert] / meanShare, found);
  }
  llvm::stable_sort(found, [](const Alternative &a, const Alternative &b) {
    return a.largest < b.largest;
  });
  found.resize(std::min(found.size(), most));
  return found;
}

std::optional<double> Alternatives::without(int64_t expert,
                                            int64_t rank) const {
  std::vector<ServingSlot> slots = traffic.slotsOf(expert);
  if (slots.size() < 2) {
    return std::nullopt;
  }
  double freed = 0;
  for (const ServingSlot &slot : slots) {
    freed += slot.rank == rank ? slot.part * shares[expert] / meanShare : 0;
  }
  double each = freed / double(slots.size() - 1), largest = 0;
  for (auto [other, load] : llvm::enumerate(loads)) {
    bool serves = int64_t(other) != rank && holds(other, expert);
    largest = std::max(largest, int64_t(other) == rank ? load - freed
                                : serves               ? load + each
                                                       : load);
  }
  return largest;
}

/// The slot of a rank that holds the expert; -1 stands for an empty one.
static int64_t slotOn(const Placement &placement, int64_t rank,
                      int64_t expert) {
  for (int64_t slot = 0; slot < placement.slotCount(); ++slot) {
    if (placement.rankOfSlot(slot) == rank &&
        placement.expertIn(slot) == expert) {
      return slot;
    }
  }
  llvm_unreachable("an alternative names slots that there are");
}

/// An expert's table with one of its slots replaced.
static void moveServing(PlacementData &data, int64_t expert, int64_t from,
                        int64_t to) {
  auto found = data.replicaTables.find(expert);
  if (found == data.replicaTables.end()) {
    return;
  }
  std::vector<ReplicaTable::Run> runs = found->second.runs().vec();
  for (ReplicaTable::Run &run : runs) {
    run.slot = run.slot == from ? to : run.slot;
  }
  found->second = ReplicaTable(found->second.cells(), runs);
}

Placement moe::report::placedElsewhere(const Placement &placement,
                                       int64_t expert,
                                       const Alternative &other) {
  int64_t from = slotOn(placement, other.fromRank, expert);
  int64_t to = slotOn(placement, other.toRank, other.partner);
  PlacementData data = placement.data();
  std::swap(data.expertsByRank[other.fromRank][placement.localSlotOf(from)],
            data.expertsByRank[other.toRank][placement.localSlotOf(to)]);
  moveServing(data, expert, from, to);
  if (other.partner >= 0) {
    moveServing(data, other.partner, to, from);
  }
  return llvm::cantFail(Placement::create(data));
}
