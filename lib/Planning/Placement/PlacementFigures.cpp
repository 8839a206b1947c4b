//===- PlacementFigures.cpp - What a placement comes to -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/PlacementFigures.h"
#include "Policies.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <numeric>

using namespace moe::planning;

int64_t PlacementTime::slowestRank() const {
  return std::max_element(computeByRank.begin(), computeByRank.end()) -
         computeByRank.begin();
}

double PlacementFigures::valueOf(Objective objective) const {
  return objective == Objective::Load ? loads.max : time->total().value();
}

CountMatrix moe::planning::rowsOf(const PlacementProblem &problem,
                                  const DeployedGroup &group,
                                  const Placement &placement) {
  if (!problem.loadsBySource.empty()) {
    return expectedRowsBySource(problem.deployment->choices,
                                problem.loadsBySource, group.sources,
                                placement);
  }
  double sum = std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0);
  std::vector<double> shares = problem.loads;
  for (double &share : shares) {
    share /= sum;
  }
  return expectedRows(problem.deployment->choices,
                      llvm::ArrayRef<double>(shares), group.sources, placement);
}

/// The load of an expert's tokens that are on a node.
static double loadFromNode(const PlacementProblem &problem, int64_t expert,
                           int64_t node) {
  if (problem.loadsBySource.empty()) {
    return problem.loads[expert] / problem.nodes;
  }
  int64_t nodeRanks = problem.ranks() / problem.nodes;
  double sum = 0;
  for (int64_t rank = node * nodeRanks; rank < (node + 1) * nodeRanks; ++rank) {
    sum += problem.loadsBySource[rank][expert];
  }
  return sum;
}

/// What a replicated expert's tokens have served on other nodes than their own.
static double tableBetweenNodes(const PlacementProblem &problem, int64_t expert,
                                const ReplicaTable &table,
                                llvm::ArrayRef<int64_t> rankOfSlot) {
  double sum = 0;
  int64_t nodeCells = table.cells() / problem.nodes;
  for (size_t index = 0; index < table.runs().size(); ++index) {
    const ReplicaTable::Run &run = table.runs()[index];
    int64_t node = problem.nodeOf(rankOfSlot[run.slot]);
    int64_t end = run.begin + table.lengthOf(index);
    if (problem.loadsBySource.empty()) {
      int64_t inside = std::min(end, (node + 1) * nodeCells) -
                       std::max(run.begin, node * nodeCells);
      sum += problem.loadOfCell(expert, run.begin) *
             double(end - run.begin - std::max<int64_t>(inside, 0));
      continue;
    }
    for (int64_t cell = run.begin; cell < end;) {
      int64_t source = cell / tokenClasses;
      int64_t next = std::min(end, (source + 1) * tokenClasses);
      if (problem.nodeOf(source) != node) {
        sum += problem.loadOfCell(expert, cell) * double(next - cell);
      }
      cell = next;
    }
  }
  return sum;
}

static double findLoadBetweenNodes(const PlacementProblem &problem,
                                   const PlacementData &data) {
  std::vector<int64_t> rankOfSlot;
  std::vector<int64_t> replicas(problem.experts());
  std::vector<double> away(problem.experts());
  for (auto [rank, experts] : llvm::enumerate(data.expertsByRank)) {
    for (int64_t expert : experts) {
      rankOfSlot.push_back(rank);
      if (expert >= 0 && !data.replicaTables.count(expert)) {
        ++replicas[expert];
        away[expert] += problem.loads[expert] -
                        loadFromNode(problem, expert, problem.nodeOf(rank));
      }
    }
  }
  double sum = 0;
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    auto table = data.replicaTables.find(expert);
    sum += table == data.replicaTables.end()
               ? away[expert] / double(replicas[expert])
               : tableBetweenNodes(problem, expert, table->second, rankOfSlot);
  }
  return sum;
}

/// Adds the bytes of one exchange of one group.
static void addTraffic(const PlacementProblem &problem,
                       const ExchangePlan &plan, const GroupCounts &rows,
                       PlacementTime &time) {
  const Topology &topology = *problem.deployment->topology;
  for (const std::shared_ptr<const Phase> &phase : plan.phases()) {
    phase->visitFlows(rows.counts, [&](const Flow &flow) {
      if (flow.isLocal()) {
        time.traffic.local += flow.traffic;
        return;
      }
      int64_t source = rows.group[flow.source];
      int64_t target = rows.group[flow.target];
      time.traffic.tiers[*topology.tierOf(source, target)] += flow.traffic;
      Bytes bytes = flow.traffic.total();
      for (LinkId link : topology.route(source, target)) {
        time.bytesOfLink[link] += bytes;
      }
      if (problem.nodeOf(flow.source) != problem.nodeOf(flow.target)) {
        time.betweenNodes += bytes;
      }
    });
  }
}

/// Each rank's rows, and the weights of its experts that get any.
static void addCompute(const PlacementProblem &problem,
                       const Placement &placement, const GroupCounts &rows,
                       const CostModel &costs, PlacementTime &time) {
  const ExpertWork &work = problem.deployment->work;
  ServedLoads served = servedLoads(problem, placement.data());
  std::vector<int64_t> busy(problem.ranks());
  for (int64_t slot = 0; slot < placement.slotCount(); ++slot) {
    busy[placement.rankOfSlot(slot)] += served.shareOfSlot[slot] > 0;
  }
  time.computeByRank.resize(problem.ranks());
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    double received = rows.counts.receivedBy(rank);
    Microseconds compute = costs.computeTime(
        work.flopsPerRow * received,
        work.weightBytes * double(busy[rank]) + work.bytesPerRow * received);
    time.computeByRank[rank] = std::max(time.computeByRank[rank], compute);
  }
}

static PlacementTime findTime(const PlacementProblem &problem,
                              const Placement &placement) {
  const Deployment &deployment = *problem.deployment;
  CostModel costs(*deployment.topology, deployment.constants);
  std::vector<GroupCounts> groups;
  for (const DeployedGroup &group : deployment.groups) {
    groups.push_back({group.devices, rowsOf(problem, group, placement)});
  }
  ExchangePlan dispatch =
      deployment.plan(ExchangeDirection::Dispatch, placement);
  ExchangePlan combine = deployment.plan(ExchangeDirection::Combine, placement);
  PlacementTime time;
  time.dispatch = costs.exchangeCost(dispatch, groups);
  time.combine = costs.exchangeCost(combine, groups);
  time.bytesOfLink.resize(deployment.topology->links().size());
  time.traffic.tiers.resize(deployment.topology->tierCount());
  for (const GroupCounts &rows : groups) {
    addTraffic(problem, dispatch, rows, time);
    addTraffic(problem, combine, rows, time);
    addCompute(problem, placement, rows, costs, time);
  }
  return time;
}

PlacementFigures moe::planning::figuresOfSound(const PlacementProblem &problem,
                                               const PlacementData &data) {
  PlacementFigures figures;
  figures.loads = servedLoads(problem, data);
  figures.loadBetweenNodes =
      problem.nodes > 1 ? findLoadBetweenNodes(problem, data) : 0;
  if (problem.deployment) {
    figures.time =
        findTime(problem, llvm::cantFail(executablePlacement(problem, data)));
  }
  return figures;
}

llvm::Expected<PlacementFigures>
moe::planning::figuresOf(const PlacementProblem &problem,
                         const PlacementData &data) {
  llvm::Expected<Placement> placement = executablePlacement(problem, data);
  if (!placement) {
    return placement.takeError();
  }
  return figuresOfSound(problem, data);
}
