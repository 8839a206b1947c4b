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
/// The same by time, where each takes longer.
static constexpr int64_t mostTimedPlacements = 200'000;
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

/// EPLB's placement, if it has one for the problem.
static std::optional<PlacementData> findEplb(const PlacementProblem &problem) {
  std::vector<std::string> notes;
  llvm::Expected<PlacementData> eplb = placeEplb(problem, notes);
  if (!eplb) {
    llvm::consumeError(eplb.takeError());
    return std::nullopt;
  }
  return std::move(*eplb);
}

/// The best of all policies by load.
static PlacementResult placeJointlyByLoads(const PlacementProblem &problem,
                                           const LowerBound &bound) {
  std::optional<PlacementData> eplb = findEplb(problem);
  PlacementResult best = measured(
      problem, placeJointlyByLoad(problem, bound, eplb ? &*eplb : nullptr));
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
  if (eplb) {
    // Merged duplicates serve more than others: only a table can say so.
    PlacementData merged = *eplb;
    if (!mergeDuplicates(merged).empty()) {
      addEqualTables(problem, *eplb);
      mergeDuplicates(*eplb);
    }
    offer(measured(problem, std::move(*eplb)), "eplb");
  }
  offer(measured(problem, placeContiguous(problem)), "contiguous");
  offer(measured(problem, placeRoundRobin(problem)), "round_robin");
  return best;
}

/// The placement of a policy that looks at no time, but for the bounds.
static llvm::Expected<PlacementResult>
placeByLoad(PlacementPolicy policy, const PlacementProblem &problem,
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
    return placeJointlyByLoads(problem, bound);
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

/// What the other policies give, for the joint solver to start from.
static std::vector<NamedPlacement> startsFor(const PlacementProblem &problem,
                                             const LowerBound &bound) {
  std::vector<NamedPlacement> starts = {
      {"contiguous", placeContiguous(problem)},
      {"round_robin", placeRoundRobin(problem)},
      {"joint by load", placeJointlyByLoads(problem, bound).data}};
  if (std::optional<PlacementData> eplb = findEplb(problem)) {
    addEqualTables(problem, *eplb);
    mergeDuplicates(*eplb);
    starts.push_back({"eplb", std::move(*eplb)});
  }
  return starts;
}

static void setFigures(PlacementResult &result, PlacementFigures figures) {
  result.loads = std::move(figures.loads);
  result.loadBetweenNodes = figures.loadBetweenNodes;
  result.time = std::move(figures.time);
}

/// The placement of a policy that minimises time, but for the bounds.
static llvm::Expected<PlacementResult>
placeByTime(PlacementPolicy policy, const PlacementProblem &problem,
            const LowerBound &loads) {
  PlacementResult result;
  if (policy == PlacementPolicy::Exhaustive) {
    llvm::Expected<PlacementData> data =
        placeExhaustivelyByTime(problem, mostTimedPlacements);
    if (!data) {
      return data.takeError();
    }
    result.data = std::move(*data);
  } else {
    result.timeBound = timeBound(problem);
    llvm::Expected<NamedPlacement> placement = placeJointlyByTime(
        problem, startsFor(problem, loads), *result.timeBound);
    if (!placement) {
      return placement.takeError();
    }
    result.data = std::move(placement->data);
    setFigures(result, std::move(*placement->figures));
    result.notes.push_back(
        llvm::formatv("joint: taken from {0}", placement->name).str());
  }
  result.unroundedValue = servedLoads(problem, result.data).max;
  return result;
}

/// Fills in what every result has, whatever its policy.
static void complete(const PlacementProblem &problem, Objective objective,
                     PlacementResult &result) {
  // Of thousands of ranks figures take longer than all else.
  if (!result.time) {
    setFigures(result, figuresOfSound(problem, result.data));
  }
  result.objective = objective;
  result.value = objective == Objective::Load ? result.loads.max
                                              : result.time->total().value();
  if (problem.deployment && !result.timeBound) {
    result.timeBound = timeBound(problem);
  }
  result.bound =
      objective == Objective::Load ? result.loadBound : *result.timeBound;
}

/// Fails on what no policy can place.
static llvm::Error verifyFor(const PlacementProblem &problem,
                             Objective objective) {
  if (llvm::Error error = verify(problem)) {
    return error;
  }
  return objective == Objective::Load || problem.deployment
             ? llvm::Error::success()
             : llvm::createStringError("objective time: expected a topology, "
                                       "tokens and the size of a row, but got "
                                       "loads alone");
}

llvm::Expected<PlacementResult>
moe::planning::measurePlacement(const PlacementProblem &problem,
                                PlacementData data, Objective objective) {
  if (llvm::Error error = verifyFor(problem, objective)) {
    return std::move(error);
  }
  llvm::Expected<Placement> usable = executablePlacement(problem, data);
  if (!usable) {
    return usable.takeError();
  }
  PlacementResult result;
  result.data = std::move(data);
  result.loadBound = loadBound(problem);
  complete(problem, objective, result);
  result.unroundedValue = result.loads.max;
  return result;
}

llvm::Expected<PlacementResult>
moe::planning::place(PlacementPolicy policy, const PlacementProblem &problem,
                     Objective objective) {
  if (llvm::Error error = verifyFor(problem, objective)) {
    return std::move(error);
  }
  LowerBound bound = loadBound(problem);
  llvm::Expected<PlacementResult> result =
      objective == Objective::Time && (policy == PlacementPolicy::Joint ||
                                       policy == PlacementPolicy::Exhaustive)
          ? placeByTime(policy, problem, bound)
          : placeByLoad(policy, problem, bound);
  if (!result) {
    return result.takeError();
  }
  result->loadBound = std::move(bound);
  complete(problem, objective, *result);
  return result;
}
