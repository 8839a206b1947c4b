//===- Migration.cpp - From one placement to another ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/Migration.h"
#include "moe/PlacementTool/PlaceLayers.h"
#include "moe/PlacementTool/VerifyFile.h"
#include "moe/Report/Progress.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

int64_t PlacementDiff::moves() const {
  int64_t sum = 0;
  for (const LayerMigration &layer : layers) {
    sum += layer.plan.moves.size();
  }
  return sum;
}

Bytes PlacementDiff::bytes() const {
  Bytes sum;
  for (const LayerMigration &layer : layers) {
    sum += layer.plan.bytes;
  }
  return sum;
}

/// Slots of experts less than before, where the expert itself stays somewhere.
static int64_t countGivenUp(const PlacementData &before,
                            const PlacementData &after) {
  auto ranksOf = [](const PlacementData &data) {
    std::vector<std::vector<int64_t>> ranks(data.expertCount);
    for (auto [rank, experts] : llvm::enumerate(data.expertsByRank)) {
      for (int64_t expert : experts) {
        if (expert >= 0) {
          ranks[expert].push_back(rank);
        }
      }
    }
    return ranks;
  };
  int64_t count = 0;
  std::vector<std::vector<int64_t>> old = ranksOf(before), now = ranksOf(after);
  for (auto [was, is] : llvm::zip(old, now)) {
    for (int64_t rank : was) {
      count += !llvm::is_contained(is, rank);
    }
  }
  return count;
}

/// What it takes to get from each layer of one file to that of the other.
static llvm::Error planMigrations(const Workload &workload,
                                  PlacementDiff &diff) {
  for (auto [work, before, after] :
       llvm::zip(workload.layers, diff.before.layers, diff.after.layers)) {
    llvm::Expected<MigrationPlan> plan =
        planMigration(work.problem, before.data, after.data, diff.weightBytes);
    if (!plan) {
      return createStringError(formatv("layer {0}: {1}", work.layer,
                                       llvm::toString(plan.takeError()))
                                   .str());
    }
    diff.layers.push_back(
        {work.layer, std::move(*plan), countGivenUp(before.data, after.data)});
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Two files
//===----------------------------------------------------------------------===//

static llvm::Error expectAlike(NamedPlacement before, NamedPlacement after) {
  auto describe = [](const PlacementFile &file) {
    std::string layers;
    for (const LayerEntry &entry : file.layers) {
      layers += formatv("{0}{1}", layers.empty() ? "" : ",", entry.layer).str();
    }
    return formatv("{0} experts on {1} GPUs, layers {2}", file.experts(),
                   file.gpus(), layers)
        .str();
  };
  std::string expected = describe(before.file), got = describe(after.file);
  return expected == got ? llvm::Error::success()
                         : createStringError(after.path + ": expected " +
                                             expected + ", as " + before.path +
                                             " has, but got " + got);
}

llvm::Expected<PlacementDiff>
moe::placement::diffPlacements(NamedPlacement before, NamedPlacement after,
                               const WorkloadOptions &options) {
  if (llvm::Error error = expectAlike(before, after)) {
    return std::move(error);
  }
  PlacementDiff diff;
  for (NamedPlacement named : {before, after}) {
    if (llvm::Error error = verifyLists(named.file, named.path, diff.notes)) {
      return std::move(error);
    }
  }
  llvm::Expected<Workload> workload =
      workloadOf(after.file, after.path, options);
  if (!workload) {
    return workload.takeError();
  }
  // The slots of the later one bound both: only the lists are compared.
  Workload earlier = *workload;
  for (auto [work, entry] : llvm::zip(earlier.layers, before.file.layers)) {
    for (auto [rank, slots] : llvm::enumerate(work.problem.slotsByRank)) {
      slots = entry.data.expertsByRank[rank].size();
    }
  }
  llvm::Expected<PlacementFile> old =
      recount(before.file, before.path, earlier);
  if (!old) {
    return old.takeError();
  }
  llvm::Expected<PlacementFile> now =
      recount(after.file, after.path, *workload);
  if (!now) {
    return now.takeError();
  }
  diff.before = std::move(*old);
  diff.after = std::move(*now);
  diff.weightBytes = workload->expertWeight();
  if (llvm::Error error = planMigrations(*workload, diff)) {
    return std::move(error);
  }
  diff.workload = std::move(*workload);
  return diff;
}

//===----------------------------------------------------------------------===//
// Rebalancing
//===----------------------------------------------------------------------===//

namespace {
/// Shares a budget of moves out over layers: whichever layer gains most a move
/// gets the next few, twice as many as it has.
class BudgetSplitter {
public:
  BudgetSplitter(NamedPlacement previous, Objective objective,
                 const Workload &workload)
      : previous(previous), objective(objective), workload(workload) {}

  llvm::Error run(int64_t budget);

  std::vector<RebalanceResult> takeResults() {
    std::vector<RebalanceResult> results;
    for (Layer &layer : layers) {
      results.push_back(std::move(layer.now));
    }
    return results;
  }

private:
  struct Layer {
    RebalanceResult now;
    /// With more moves; none where more would not help.
    std::optional<RebalanceResult> next;
    int64_t granted = 0;

    int64_t used() const { return now.migration.moves.size(); }
    int64_t extra() const {
      return int64_t(next->migration.moves.size()) - used();
    }
    /// Part of the layer's value that a move takes off.
    double gain() const {
      return (now.placement.value - next->placement.value) /
             now.placement.value / double(std::max<int64_t>(extra(), 1));
    }
  };

  llvm::Expected<RebalanceResult> solve(size_t index, int64_t moves) const;
  llvm::Error lookAhead(size_t index, int64_t left);

  NamedPlacement previous;
  Objective objective;
  const Workload &workload;
  std::vector<Layer> layers;
};
} // namespace

llvm::Expected<RebalanceResult> BudgetSplitter::solve(size_t index,
                                                      int64_t moves) const {
  MigrationBudget budget;
  budget.moves = moves;
  budget.weightBytes = workload.expertWeight();
  const LayerWork &work = workload.layers[index];
  llvm::Expected<RebalanceResult> result = rebalance(
      work.problem, previous.file.layers[index].data, budget, objective);
  if (!result) {
    return createStringError(formatv("{0}: layer {1}: {2}", previous.path,
                                     work.layer,
                                     llvm::toString(result.takeError()))
                                 .str());
  }
  return result;
}

llvm::Error BudgetSplitter::lookAhead(size_t index, int64_t left) {
  Layer &layer = layers[index];
  layer.next.reset();
  int64_t most = layer.used() + left;
  for (int64_t moves = std::max(2 * layer.granted, layer.used() + 1);;
       moves *= 2) {
    moves = std::min(moves, most);
    if (moves <= layer.used()) {
      return llvm::Error::success();
    }
    llvm::Expected<RebalanceResult> result = solve(index, moves);
    if (!result) {
      return result.takeError();
    }
    layer.granted = moves;
    if (result->placement.value < layer.now.placement.value) {
      layer.next = std::move(*result);
      return llvm::Error::success();
    }
    if (moves == most) {
      return llvm::Error::success();
    }
  }
}

llvm::Error BudgetSplitter::run(int64_t budget) {
  moe::report::Progress progress("rebalancing layer");
  for (size_t index = 0; index < workload.layers.size(); ++index) {
    progress.update(index, workload.layers.size());
    llvm::Expected<RebalanceResult> still = solve(index, 0);
    if (!still) {
      return still.takeError();
    }
    layers.push_back({std::move(*still), std::nullopt, 0});
    if (llvm::Error error = lookAhead(index, budget)) {
      return error;
    }
  }
  for (int64_t left = budget;;) {
    Layer *best = nullptr;
    for (auto [index, layer] : llvm::enumerate(layers)) {
      if (layer.next && layer.extra() > left) {
        layer.granted = 0;
        if (llvm::Error error = lookAhead(index, left)) {
          return error;
        }
      }
      if (layer.next && (!best || layer.gain() > best->gain())) {
        best = &layer;
      }
    }
    if (!best) {
      return llvm::Error::success();
    }
    left -= best->extra();
    best->now = std::move(*best->next);
    if (llvm::Error error = lookAhead(best - layers.data(), left)) {
      return error;
    }
  }
}

/// The moves that both limits allow.
static llvm::Expected<int64_t> mostMoves(const RebalanceBudget &budget,
                                         const Workload &workload) {
  MigrationBudget limits;
  limits.moves = budget.moves;
  limits.weightBytes = workload.expertWeight();
  if (budget.bytes) {
    if (limits.weightBytes == Bytes()) {
      return createStringError("--max-bytes: nothing says how large an expert "
                               "is: expected --config, or --hidden and "
                               "--width");
    }
    limits.bytes = Bytes(double(*budget.bytes));
  }
  // No more than all slots can change.
  int64_t slots = 0;
  for (const LayerWork &work : workload.layers) {
    slots += work.problem.slots();
  }
  return std::min(limits.mostMoves(), slots);
}

llvm::Expected<PlacementDiff> moe::placement::rebalancePlacement(
    NamedPlacement previous, const RebalanceBudget &budget, Objective objective,
    const Workload &workload) {
  llvm::Expected<int64_t> moves = mostMoves(budget, workload);
  if (!moves) {
    return moves.takeError();
  }
  llvm::Expected<PlacementFile> before =
      recount(previous.file, previous.path, workload);
  if (!before) {
    return before.takeError();
  }
  BudgetSplitter splitter(previous, objective, workload);
  if (llvm::Error error = splitter.run(*moves)) {
    return std::move(error);
  }
  PlacementDiff diff;
  diff.workload = workload;
  diff.weightBytes = workload.expertWeight();
  diff.before = std::move(*before);
  diff.after = makeFile(workload, "rebalanced", objective);
  for (auto [work, old, result] : llvm::zip(
           workload.layers, previous.file.layers, splitter.takeResults())) {
    diff.after.layers.push_back(makeEntry(workload, work, result.placement));
    diff.layers.push_back(
        {work.layer, std::move(result.migration),
         countGivenUp(old.data, diff.after.layers.back().data)});
  }
  return diff;
}
