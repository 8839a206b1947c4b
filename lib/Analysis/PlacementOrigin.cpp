// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/PlacementOrigin.h"

#include "moe/Analysis/PlanAttributes.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

/// What a policy gives that needs nothing but the numbers of experts and ranks.
static std::optional<planning::Placement>
placeBy(StringRef policy, const planning::PlacementData &data) {
  if (policy == "contiguous") {
    return planning::Placement::contiguous(data.expertCount, data.rankCount());
  }
  if (policy == "round_robin") {
    return planning::Placement::roundRobin(data.expertCount, data.rankCount());
  }
  return std::nullopt;
}

std::string mlir::moe::getPlacementOrigin(PlacementOp placement) {
  std::optional<StringRef> policy = placement.getPolicy();
  if (!policy) {
    return "by hand";
  }
  planning::PlacementData data = toPlacementData(placement);
  std::optional<planning::Placement> placed = placeBy(*policy, data);
  if (!placed) {
    return (*policy + ", as written").str();
  }
  return placed->data().expertsByRank == data.expertsByRank
             ? policy->str()
             : ("edited, once " + *policy).str();
}
