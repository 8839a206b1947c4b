//===- AuditPlacement.cpp - A placement's figures from the definition -----===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything here follows the cells: (expert, source rank, token class) is
// looked up in the placement, and what it stands for is added where it goes. No
// code of solvers, and none of PlacementFigures.cpp, is used, so an error there
// does not confirm itself.
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/PlacementFigures.h"
#include "moe/Planning/PlacementSolver.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::planning;
using llvm::formatv;

namespace {
class PlacementAuditor {
public:
  PlacementAuditor(const PlacementProblem &problem, const PlacementData &data,
                   const Placement &placement)
      : problem(problem), data(data), placement(placement) {}
  PlacementFigures run();

private:
  /// What tokens of a class on a source rank ask of an expert, in loads.
  double loadOf(int64_t expert, int64_t source) const;
  /// The same in rows, of the tokens that a group has.
  double rowsOf(int64_t expert, int64_t source, int64_t cls,
                const DeployedGroup &group) const;
  void addEqualShares(ServedLoads &loads) const;
  ServedLoads findLoads() const;
  double findLoadBetweenNodes() const;
  GroupCounts countGroup(const DeployedGroup &group) const;
  void addFlows(const ExchangePlan &plan, const GroupCounts &rows,
                PlacementTime &time) const;
  void addCompute(const GroupCounts &rows, PlacementTime &time) const;
  PlacementTime findTime() const;

  const PlacementProblem &problem;
  const PlacementData &data;
  const Placement &placement;
};
} // namespace

double PlacementAuditor::loadOf(int64_t expert, int64_t source) const {
  return problem.loadsBySource.empty()
             ? problem.loads[expert] / problem.ranks() / tokenClasses
             : problem.loadsBySource[source][expert] / tokenClasses;
}

double PlacementAuditor::rowsOf(int64_t expert, int64_t source, int64_t cls,
                                const DeployedGroup &group) const {
  double all = 0, tokens = 0;
  int64_t ofClass = 0;
  for (double load : problem.loads) {
    all += load;
  }
  for (const TokenRange &range : group.sources) {
    tokens += range.size();
  }
  if (!problem.loadsBySource.empty()) {
    return problem.loadsBySource[source][expert] / all * tokens *
           problem.deployment->choices / tokenClasses;
  }
  const TokenRange &range = group.sources[source];
  int64_t first =
      range.begin +
      ((cls - range.begin) % tokenClasses + tokenClasses) % tokenClasses;
  if (first < range.end) {
    ofClass = (range.end - 1 - first) / tokenClasses + 1;
  }
  return problem.loads[expert] / all * ofClass * problem.deployment->choices;
}

/// Replicas without a table share their expert equally, as EPLB means it;
/// duplicates on a rank count.
void PlacementAuditor::addEqualShares(ServedLoads &loads) const {
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    if (data.replicaTables.count(expert)) {
      continue;
    }
    int64_t replicas = 0;
    for (const std::vector<int64_t> &hosted : data.expertsByRank) {
      replicas += std::count(hosted.begin(), hosted.end(), expert);
    }
    int64_t slot = 0;
    for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
      for (int64_t hosted : data.expertsByRank[rank]) {
        if (hosted == expert) {
          loads.byRank[rank] += problem.loads[expert] / replicas;
          loads.shareOfSlot[slot] =
              problem.loads[expert] > 0 ? 1.0 / replicas : 0;
        }
        ++slot;
      }
    }
  }
}

ServedLoads PlacementAuditor::findLoads() const {
  ServedLoads loads;
  loads.byRank.resize(problem.ranks());
  loads.shareOfSlot.resize(placement.slotCount());
  addEqualShares(loads);
  for (const auto &[expert, table] : data.replicaTables) {
    for (int64_t cell = 0; cell < table.cells(); ++cell) {
      int64_t slot = table.slotAt(cell);
      double load = loadOf(expert, cell / tokenClasses);
      loads.byRank[placement.rankOfSlot(slot)] += load;
      loads.shareOfSlot[slot] +=
          problem.loads[expert] > 0 ? load / problem.loads[expert] : 0;
    }
  }
  for (double load : problem.loads) {
    loads.mean += load / problem.ranks();
  }
  for (double load : loads.byRank) {
    loads.max = std::max(loads.max, load);
  }
  return loads;
}

double PlacementAuditor::findLoadBetweenNodes() const {
  double sum = 0;
  auto add = [&](int64_t expert, int64_t source, int64_t rank, double part) {
    if (problem.nodeOf(rank) != problem.nodeOf(source)) {
      sum += loadOf(expert, source) * part;
    }
  };
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    auto table = data.replicaTables.find(expert);
    std::vector<int64_t> hosts;
    for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
      const std::vector<int64_t> &hosted = data.expertsByRank[rank];
      hosts.insert(hosts.end(),
                   std::count(hosted.begin(), hosted.end(), expert), rank);
    }
    for (int64_t source = 0; source < problem.ranks(); ++source) {
      for (int64_t cls = 0; cls < tokenClasses; ++cls) {
        if (table != data.replicaTables.end()) {
          int64_t slot = table->second.slotAt(source * tokenClasses + cls);
          add(expert, source, placement.rankOfSlot(slot), 1);
          continue;
        }
        for (int64_t rank : hosts) {
          add(expert, source, rank, 1.0 / double(hosts.size()));
        }
      }
    }
  }
  return sum;
}

GroupCounts PlacementAuditor::countGroup(const DeployedGroup &group) const {
  GroupCounts rows = {group.devices, CountMatrix(problem.ranks())};
  for (int64_t source = 0; source < problem.ranks(); ++source) {
    for (int64_t expert = 0; expert < problem.experts(); ++expert) {
      for (int64_t cls = 0; cls < tokenClasses; ++cls) {
        int64_t slot = placement.slotFor(expert, source, cls);
        rows.counts.add(source, placement.rankOfSlot(slot),
                        rowsOf(expert, source, cls, group));
      }
    }
  }
  return rows;
}

void PlacementAuditor::addFlows(const ExchangePlan &plan,
                                const GroupCounts &rows,
                                PlacementTime &time) const {
  const Topology &topology = *problem.deployment->topology;
  for (const std::shared_ptr<const Phase> &phase : plan.phases()) {
    phase->visitFlows(rows.counts, [&](const Flow &flow) {
      int64_t source = rows.group[flow.source];
      int64_t target = rows.group[flow.target];
      if (source == target) {
        time.traffic.local += flow.traffic;
        return;
      }
      time.traffic.tiers[*topology.tierOf(source, target)] += flow.traffic;
      for (LinkId link : topology.route(source, target)) {
        time.bytesOfLink[link] += flow.traffic.total();
      }
      if (problem.nodeOf(flow.source) != problem.nodeOf(flow.target)) {
        time.betweenNodes += flow.traffic.total();
      }
    });
  }
}

void PlacementAuditor::addCompute(const GroupCounts &rows,
                                  PlacementTime &time) const {
  const Deployment &deployment = *problem.deployment;
  CostModel costs(*deployment.topology, deployment.constants);
  std::vector<double> served(placement.slotCount());
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    for (int64_t source = 0; source < problem.ranks(); ++source) {
      for (int64_t cls = 0; cls < tokenClasses; ++cls) {
        served[placement.slotFor(expert, source, cls)] +=
            loadOf(expert, source);
      }
    }
  }
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    Bytes memory;
    for (int64_t slot = 0; slot < placement.slotCount(); ++slot) {
      if (placement.rankOfSlot(slot) == rank && served[slot] > 0) {
        memory += deployment.work.weightBytes;
      }
    }
    double received = 0;
    for (int64_t source = 0; source < problem.ranks(); ++source) {
      received += rows.counts.rows(source, rank);
    }
    memory += deployment.work.bytesPerRow * received;
    time.computeByRank[rank] = std::max(
        time.computeByRank[rank],
        costs.computeTime(deployment.work.flopsPerRow * received, memory));
  }
}

PlacementTime PlacementAuditor::findTime() const {
  const Deployment &deployment = *problem.deployment;
  CostModel costs(*deployment.topology, deployment.constants);
  std::vector<GroupCounts> groups;
  for (const DeployedGroup &group : deployment.groups) {
    groups.push_back(countGroup(group));
  }
  ExchangePlan dispatch =
      deployment.plan(ExchangeDirection::Dispatch, placement);
  ExchangePlan combine = deployment.plan(ExchangeDirection::Combine, placement);
  PlacementTime time;
  time.dispatch = costs.exchangeCost(dispatch, groups);
  time.combine = costs.exchangeCost(combine, groups);
  time.computeByRank.resize(problem.ranks());
  time.bytesOfLink.resize(deployment.topology->links().size());
  time.traffic.tiers.resize(deployment.topology->tierCount());
  for (const GroupCounts &rows : groups) {
    addFlows(dispatch, rows, time);
    addFlows(combine, rows, time);
    addCompute(rows, time);
  }
  return time;
}

PlacementFigures PlacementAuditor::run() {
  PlacementFigures figures;
  figures.loads = findLoads();
  figures.loadBetweenNodes = findLoadBetweenNodes();
  if (problem.deployment) {
    figures.time = findTime();
  }
  return figures;
}

llvm::Expected<PlacementFigures>
moe::planning::auditPlacement(const PlacementProblem &problem,
                              const PlacementData &data) {
  for (int64_t rank = 0; rank < std::min(problem.ranks(), data.rankCount());
       ++rank) {
    int64_t slots = data.expertsByRank[rank].size();
    if (slots > problem.slotsByRank[rank]) {
      return llvm::createStringError(
          formatv("rank {0}: expected at most {1} slots, but got {2}", rank,
                  problem.slotsByRank[rank], slots)
              .str());
    }
  }
  llvm::Expected<Placement> placement = executablePlacement(problem, data);
  if (!placement) {
    return placement.takeError();
  }
  return PlacementAuditor(problem, data, *placement).run();
}
