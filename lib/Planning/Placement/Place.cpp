//===- Place.cpp - From a policy to a placement with its figures ----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Policies.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::planning;

/// The most placements that the oracle looks at.
static constexpr int64_t mostPlacements = 5'000'000;
/// Where the joint solver asks the oracle too, which may round better.
static constexpr int64_t fewExperts = 8;
static constexpr int64_t fewPlacements = 2'000;

llvm::StringRef moe::planning::toString(PlacementPolicy policy) {
  switch (policy) {
  case PlacementPolicy::Contiguous:
    return "contiguous";
  case PlacementPolicy::RoundRobin:
    return "round_robin";
  case PlacementPolicy::Eplb:
    return "eplb";
  case PlacementPolicy::Joint:
    return "joint";
  case PlacementPolicy::Exhaustive:
    return "exhaustive";
  }
  llvm_unreachable("unknown policy");
}

std::optional<PlacementPolicy>
moe::planning::parsePlacementPolicy(llvm::StringRef name) {
  for (PlacementPolicy policy :
       {PlacementPolicy::Contiguous, PlacementPolicy::RoundRobin,
        PlacementPolicy::Eplb, PlacementPolicy::Joint,
        PlacementPolicy::Exhaustive}) {
    if (name == toString(policy)) {
      return policy;
    }
  }
  return std::nullopt;
}

/// A placement with its figures, but for the bound.
static PlacementResult measured(const PlacementProblem &problem,
                                PlacementData data) {
  PlacementResult result;
  result.data = std::move(data);
  result.loads = servedLoads(problem, result.data);
  result.value = result.unroundedValue = result.loads.max;
  return result;
}

static PlacementResult measured(const PlacementProblem &problem,
                                const FractionalPlacement &placement) {
  PlacementResult result = measured(problem, serveCells(problem, placement));
  result.unroundedValue = placement.maxLoad(problem);
  return result;
}

llvm::Expected<Placement>
moe::planning::executablePlacement(const PlacementProblem &problem,
                                   PlacementData data) {
  if (data.rankCount() == problem.ranks()) {
    addEqualTables(problem, data);
  }
  mergeDuplicates(data);
  if (llvm::Error error = verify(data, problem.experts(), problem.ranks())) {
    return std::move(error);
  }
  return Placement::create(data);
}

/// The best of all policies by load.
static PlacementResult placeJointly(const PlacementProblem &problem,
                                    const LowerBound &bound) {
  FractionalPlacement placement = placeJointlyByLoad(problem, bound);
  PlacementResult best = measured(problem, placement);
  auto offer = [&](PlacementResult other, llvm::StringRef policy) {
    if (other.value < best.value) {
      best = std::move(other);
      best.notes.push_back(
          llvm::formatv("joint: taken from {0}", policy).str());
    }
  };
  if (problem.experts() <= fewExperts) {
    if (auto exact = placeExhaustively(problem, fewPlacements)) {
      offer(measured(problem, *exact), "exhaustive");
    } else {
      llvm::consumeError(exact.takeError());
    }
  }
  std::vector<std::string> notes;
  if (llvm::Expected<PlacementData> eplb = placeEplb(problem, notes)) {
    // Merged duplicates serve more than others: only a table can say so.
    PlacementData merged = *eplb;
    if (!mergeDuplicates(merged).empty()) {
      addEqualTables(problem, *eplb);
      mergeDuplicates(*eplb);
    }
    offer(measured(problem, std::move(*eplb)), "eplb");
  } else {
    llvm::consumeError(eplb.takeError());
  }
  offer(measured(problem, placeContiguous(problem)), "contiguous");
  offer(measured(problem, placeRoundRobin(problem)), "round_robin");
  return best;
}

/// The policy's placement, but for the bound.
static llvm::Expected<PlacementResult> placeBy(PlacementPolicy policy,
                                               const PlacementProblem &problem,
                                               const LowerBound &bound) {
  switch (policy) {
  case PlacementPolicy::Contiguous:
    return measured(problem, placeContiguous(problem));
  case PlacementPolicy::RoundRobin:
    return measured(problem, placeRoundRobin(problem));
  case PlacementPolicy::Eplb: {
    std::vector<std::string> notes;
    llvm::Expected<PlacementData> data = placeEplb(problem, notes);
    if (!data) {
      return data.takeError();
    }
    PlacementResult result = measured(problem, std::move(*data));
    result.notes = std::move(notes);
    return result;
  }
  case PlacementPolicy::Joint:
    return placeJointly(problem, bound);
  case PlacementPolicy::Exhaustive: {
    llvm::Expected<FractionalPlacement> placement =
        placeExhaustively(problem, mostPlacements);
    if (!placement) {
      return placement.takeError();
    }
    return measured(problem, *placement);
  }
  }
  llvm_unreachable("unknown policy");
}

llvm::Expected<PlacementResult>
moe::planning::place(PlacementPolicy policy, const PlacementProblem &problem) {
  if (llvm::Error error = verify(problem)) {
    return std::move(error);
  }
  LowerBound bound = loadBound(problem);
  llvm::Expected<PlacementResult> result = placeBy(policy, problem, bound);
  if (result) {
    result->bound = std::move(bound);
  }
  return result;
}
