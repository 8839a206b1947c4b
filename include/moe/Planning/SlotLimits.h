//===- SlotLimits.h - Slots that memory has room for ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_SLOTLIMITS_H
#define MOE_PLANNING_SLOTLIMITS_H

#include "moe/Planning/PlacementProblem.h"

namespace moe::planning {

/// What experts may take on each rank.
struct ExpertMemory {
  /// One a rank: what is left of its memory beside everything else.
  std::vector<Bytes> room;
  /// An expert's weights with their scales, in all layers that are placed.
  Bytes slotBytes;

  /// Slots that fit on a rank.
  int64_t slotsOn(int64_t rank) const;
};

/// Takes away the slots that do not fit, so that spare ones go first where a
/// rank has too many. Fails, in one line with the bytes that are missing, where
/// fewer slots than experts are left.
llvm::Error limitSlots(PlacementProblem &problem, const ExpertMemory &memory);

} // namespace moe::planning

#endif // MOE_PLANNING_SLOTLIMITS_H
