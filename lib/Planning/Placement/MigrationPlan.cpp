//===- MigrationPlan.cpp - From one placement to another ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Rebalance.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <limits>
#include <tuple>

using namespace moe::planning;

int64_t MigrationBudget::mostMoves() const {
  int64_t most = moves.value_or(std::numeric_limits<int64_t>::max());
  if (bytes && weightBytes > Bytes()) {
    double affordable = std::floor(*bytes / weightBytes * (1 + 1e-12));
    if (affordable < double(most)) {
      most = static_cast<int64_t>(affordable);
    }
  }
  return most;
}

namespace {
class MigrationPlanner {
public:
  MigrationPlanner(const PlacementProblem &problem,
                   const PlacementData &previous, Bytes weightBytes);
  MigrationPlan run(const PlacementData &next);

private:
  /// Where an expert is before anything moves.
  struct Home {
    int64_t rank = 0;
    int64_t slot = 0;
  };
  /// The smaller, the rather the expert comes from there.
  struct Preference {
    int64_t distance = 0;
    int64_t sent = 0;
    int64_t rank = 0;

    bool operator<(const Preference &other) const {
      return std::tie(distance, sent, rank) <
             std::tie(other.distance, other.sent, other.rank);
    }
  };

  bool wasOn(int64_t expert, int64_t rank) const;
  int64_t distance(int64_t source, int64_t target) const;
  std::optional<unsigned> tierOf(int64_t source, int64_t target) const;
  void add(int64_t expert, int64_t rank, int64_t slot);
  void addTime();

  const PlacementProblem &problem;
  Bytes weightBytes;
  std::vector<std::vector<Home>> homes;
  std::vector<int64_t> sentBy;
  MigrationPlan plan;
};
} // namespace

MigrationPlanner::MigrationPlanner(const PlacementProblem &problem,
                                   const PlacementData &previous,
                                   Bytes weightBytes)
    : problem(problem), weightBytes(weightBytes), homes(problem.experts()),
      sentBy(problem.ranks()) {
  int64_t slot = 0;
  for (auto [rank, experts] : llvm::enumerate(previous.expertsByRank)) {
    for (int64_t expert : experts) {
      if (expert >= 0 &&
          (homes[expert].empty() ||
           homes[expert].back().rank != static_cast<int64_t>(rank))) {
        homes[expert].push_back({static_cast<int64_t>(rank), slot});
      }
      ++slot;
    }
  }
}

/// The outermost tier between the two ranks, in any group.
std::optional<unsigned> MigrationPlanner::tierOf(int64_t source,
                                                 int64_t target) const {
  if (!problem.deployment) {
    return std::nullopt;
  }
  std::optional<unsigned> outermost;
  for (const DeployedGroup &group : problem.deployment->groups) {
    unsigned tier = problem.deployment->topology
                        ->path(group.devices[source], group.devices[target])
                        .tier;
    outermost = std::min(outermost.value_or(tier), tier);
  }
  return outermost;
}

int64_t MigrationPlanner::distance(int64_t source, int64_t target) const {
  if (std::optional<unsigned> tier = tierOf(source, target)) {
    return problem.deployment->topology->tierCount() - *tier;
  }
  return problem.nodeOf(source) != problem.nodeOf(target);
}

void MigrationPlanner::add(int64_t expert, int64_t rank, int64_t slot) {
  const Home *best = nullptr;
  Preference least;
  for (const Home &home : homes[expert]) {
    Preference preference = {distance(home.rank, rank), sentBy[home.rank],
                             home.rank};
    if (!best || preference < least) {
      best = &home;
      least = preference;
    }
  }
  ++sentBy[best->rank];
  plan.moves.push_back({expert, best->rank, best->slot, rank, slot,
                        tierOf(best->rank, rank), weightBytes});
  plan.bytes += weightBytes;
}

void MigrationPlanner::addTime() {
  const Topology &topology = *problem.deployment->topology;
  plan.bytesByTier.resize(topology.tierCount());
  plan.bytesOfLink.resize(topology.links().size());
  std::vector<Microseconds> latencies(topology.tierCount());
  for (const Move &move : plan.moves) {
    plan.bytesByTier[*move.tier] += move.bytes;
    for (const DeployedGroup &group : problem.deployment->groups) {
      int64_t source = group.devices[move.sourceRank];
      int64_t target = group.devices[move.targetRank];
      Path path = topology.path(source, target);
      latencies[path.tier] = std::max(latencies[path.tier], path.latency);
      for (LinkId link : topology.route(source, target)) {
        plan.bytesOfLink[link] += move.bytes;
      }
    }
  }
  Microseconds slowest;
  for (LinkId link = 0; link < plan.bytesOfLink.size(); ++link) {
    const Link &hardware = topology.links()[link];
    slowest = std::max(slowest, plan.bytesOfLink[link] / hardware.bandwidth +
                                    latencies[hardware.tier]);
  }
  plan.time = slowest;
}

bool MigrationPlanner::wasOn(int64_t expert, int64_t rank) const {
  return llvm::any_of(homes[expert],
                      [&](const Home &home) { return home.rank == rank; });
}

MigrationPlan MigrationPlanner::run(const PlacementData &next) {
  int64_t slot = 0;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    for (int64_t expert : next.expertsByRank[rank]) {
      if (expert >= 0 && !wasOn(expert, rank)) {
        add(expert, rank, slot);
      }
      ++slot;
    }
  }
  if (problem.deployment) {
    addTime();
  }
  return std::move(plan);
}

llvm::Expected<MigrationPlan>
moe::planning::planMigration(const PlacementProblem &problem,
                             const PlacementData &previous,
                             const PlacementData &next, Bytes weightBytes) {
  for (const PlacementData *data : {&previous, &next}) {
    PlacementData merged = *data;
    mergeDuplicates(merged);
    if (llvm::Error error =
            verify(merged, problem.experts(), problem.ranks())) {
      return std::move(error);
    }
  }
  return MigrationPlanner(problem, previous, weightBytes).run(next);
}
