//===- SlotLimits.cpp - Slots that memory has room for --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/SlotLimits.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cassert>
#include <cmath>

using namespace moe::planning;

int64_t ExpertMemory::slotsOn(int64_t rank) const {
  double slots = std::floor(std::max(room[rank], Bytes()) / slotBytes);
  return static_cast<int64_t>(std::min<double>(slots, Placement::maxExperts));
}

llvm::Error moe::planning::limitSlots(PlacementProblem &problem,
                                      const ExpertMemory &memory) {
  assert(static_cast<int64_t>(memory.room.size()) == problem.ranks() &&
         memory.slotBytes > Bytes() && "one room a rank, slots of some size");
  std::vector<int64_t> limited = problem.slotsByRank;
  int64_t slots = 0;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    limited[rank] = std::min(limited[rank], memory.slotsOn(rank));
    slots += limited[rank];
  }
  if (slots < problem.experts()) {
    double missing =
        (problem.experts() - slots) * memory.slotBytes.value() / bytesPerGiB;
    return llvm::createStringError(
        llvm::formatv("expected memory for {0} experts, but got room for {1} "
                      "on {2} ranks: {3:F1} GiB are missing",
                      problem.experts(), slots, problem.ranks(), missing)
            .str());
  }
  problem.slotsByRank = std::move(limited);
  return llvm::Error::success();
}
