//===- TimeBound.cpp - What no placement can beat, by time ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The time is a sum, and each part of it is bounded by itself:
//
//   fixed     counts on the wire, host waits, permutations at the source
//   compute   of a rank with the rows of the load bound, or with weights to
//   read permute   the load bound's rows on their arrival and on their way back
//   wire      of rows, out and back: see WireArguments
//
//===----------------------------------------------------------------------===//

#include "../PeerFlows.h"
#include "LinkCuts.h"
#include "moe/Planning/LowerBound.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <limits>
#include <numeric>

using namespace moe::planning;
using llvm::formatv;

namespace {
/// Rows that each source of a group has for each expert, and what ranks hold.
struct Demand {
  Demand(const PlacementProblem &problem, const DeployedGroup &group);

  double rowsOf(int64_t source) const {
    return std::accumulate(rows[source].begin(), rows[source].end(), 0.0);
  }
  double total() const;
  bool isAskedByAll(int64_t expert) const {
    return llvm::all_of(rows, [&](const std::vector<double> &source) {
      return source[expert] > 0;
    });
  }

  std::vector<std::vector<double>> rows;
};

/// Bounds on the time of rows on the wire, in one direction. Of the rows of a
/// part of the ranks those may stay inside that ask for experts in its slots;
/// the others leave.
class WireArguments {
public:
  WireArguments(const PlacementProblem &problem, const CostModel &costs,
                double mostServed, ExchangeDirection direction);
  LowerBound best();

private:
  void raise(double value, llvm::function_ref<std::string()> argument);
  void tryPartition(const RankPartition &partition);
  void tryParts(const RankPartition &partition, llvm::ArrayRef<PartCut> cuts);
  void tryPorts(llvm::ArrayRef<PartCut> into);
  void tryRamps();
  /// Rows of a part by expert, all groups together.
  std::vector<std::vector<double>>
  rowsByPart(const RankPartition &partition) const;
  double leastLeaving(llvm::ArrayRef<std::vector<double>> rows) const;
  double rowBytes() const;
  double start(const PartCut &cut);
  int64_t leastMessages(unsigned tier, ExchangeDirection way) const;

  const PlacementProblem &problem;
  const Deployment &deployment;
  const Topology &topology;
  const CostModel &costs;
  /// Rows that some rank serves at least, in a group.
  double mostServed;
  ExchangeDirection direction;
  std::vector<Demand> demands;
  /// What leastMessages says, once it was asked.
  std::vector<std::optional<int64_t>> messagesOfTier;
  LowerBound found = {0, "nothing must travel"};
};
} // namespace

Demand::Demand(const PlacementProblem &problem, const DeployedGroup &group) {
  double sum = std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0);
  double tokens = 0;
  for (const TokenRange &range : group.sources) {
    tokens += range.size();
  }
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    bool isKnown = !problem.loadsBySource.empty();
    double scale = problem.deployment->choices / sum *
                   (isKnown ? tokens : group.sources[rank].size());
    rows.push_back(isKnown ? problem.loadsBySource[rank] : problem.loads);
    for (double &load : rows.back()) {
      load *= scale;
    }
  }
}

double Demand::total() const {
  double sum = 0;
  for (size_t source = 0; source < rows.size(); ++source) {
    sum += rowsOf(source);
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// The wire
//===----------------------------------------------------------------------===//

WireArguments::WireArguments(const PlacementProblem &problem,
                             const CostModel &costs, double mostServed,
                             ExchangeDirection direction)
    : problem(problem), deployment(*problem.deployment),
      topology(*deployment.topology), costs(costs), mostServed(mostServed),
      direction(direction), messagesOfTier(topology.tierCount()) {
  for (const DeployedGroup &group : deployment.groups) {
    demands.emplace_back(problem, group);
  }
}

void WireArguments::raise(double value,
                          llvm::function_ref<std::string()> argument) {
  if (value > found.value * (1 + 1e-9)) {
    found = {value, argument()};
  }
}

double WireArguments::rowBytes() const {
  return direction == ExchangeDirection::Dispatch ? deployment.dispatchRowBytes
                                                  : deployment.combineRowBytes;
}

std::vector<std::vector<double>>
WireArguments::rowsByPart(const RankPartition &partition) const {
  std::vector<std::vector<double>> result(
      partition.parts, std::vector<double>(problem.experts()));
  for (const Demand &demand : demands) {
    for (auto [source, rows] : llvm::enumerate(demand.rows)) {
      std::vector<double> &sums = result[partition.partOfRank[source]];
      for (int64_t expert = 0; expert < problem.experts(); ++expert) {
        sums[expert] += rows[expert];
      }
    }
  }
  return result;
}

/// Each expert is in one part for sure, at best in that with most rows for it;
/// each further slot lets the rows of one more pair of part and expert stay.
double
WireArguments::leastLeaving(llvm::ArrayRef<std::vector<double>> rows) const {
  double all = 0, kept = 0;
  std::vector<double> further;
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    double most = 0;
    size_t home = 0;
    for (auto [part, sums] : llvm::enumerate(rows)) {
      all += sums[expert];
      if (sums[expert] > most) {
        most = sums[expert];
        home = part;
      }
    }
    kept += most;
    for (auto [part, sums] : llvm::enumerate(rows)) {
      if (part != home) {
        further.push_back(sums[expert]);
      }
    }
  }
  int64_t spare = problem.slots() - problem.experts();
  llvm::sort(further, std::greater<>());
  for (int64_t index = 0; index < std::min<int64_t>(spare, further.size());
       ++index) {
    kept += further[index];
  }
  return std::max(all - kept, 0.0);
}

/// The fewest messages that the device with most of them sends on a tier.
int64_t WireArguments::leastMessages(unsigned tier,
                                     ExchangeDirection way) const {
  // Experts that every source asks for.
  int64_t asked = 0;
  for (int64_t expert = 0; expert < problem.experts(); ++expert) {
    asked += demands.front().isAskedByAll(expert);
  }
  if (asked == 0) {
    return 1;
  }
  // Ranks that are needed to hold them: a source reaches as many.
  std::vector<int64_t> slots = problem.slotsByRank;
  llvm::sort(slots, std::greater<>());
  int64_t needed = 0;
  for (int64_t held = 0; held < asked; ++needed) {
    held += slots[needed];
  }
  const DeviceGroup &group = deployment.groups.front().devices;
  int64_t fewestPeers = std::numeric_limits<int64_t>::max();
  int64_t most = 0, sum = 0;
  for (int64_t device : group) {
    int64_t peers = llvm::count_if(group, [&](int64_t other) {
      return other != device && *topology.tierOf(device, other) == tier;
    });
    int64_t others = problem.ranks() - peers;
    fewestPeers = std::min(fewestPeers, peers);
    int64_t sent = std::max<int64_t>(needed - others, 0);
    most = std::max(most, sent);
    sum += sent;
  }
  if (way == ExchangeDirection::Dispatch) {
    return std::max<int64_t>(most, 1);
  }
  // Each message is answered, so somebody sends as many answers as there are on
  // average; and where an expert is left without replicas, its host answers
  // every source.
  int64_t answers = (sum + problem.ranks() - 1) / problem.ranks();
  bool isAnyAlone = problem.slots() - problem.experts() < asked;
  return std::max({answers, isAnyAlone ? fewestPeers : 0, int64_t(1)});
}

/// What comes on top of the slowest link where all rows of a cut are of one
/// tier.
double WireArguments::start(const PartCut &cut) {
  if (!cut.tier || costs.isCalibrated(*cut.tier)) {
    return 0;
  }
  std::optional<int64_t> &messages = messagesOfTier[*cut.tier];
  if (!messages) {
    messages = leastMessages(*cut.tier, direction);
  }
  // The latency of a ring's paths is that of a hop at least.
  return topology.tier(*cut.tier).latency.value() +
         costs.constants()[ConstantId::MessageOverhead] * double(*messages);
}

/// The sum of the `count` largest.
static double mostOf(std::vector<double> rows, int64_t count) {
  llvm::sort(rows, std::greater<>());
  auto end = rows.begin() + std::min<int64_t>(count, rows.size());
  return std::accumulate(rows.begin(), end, 0.0);
}

/// Each part by itself: its slots hold the experts that most of its rows ask
/// for.
void WireArguments::tryParts(const RankPartition &partition,
                             llvm::ArrayRef<PartCut> cuts) {
  std::vector<std::vector<double>> rows = rowsByPart(partition);
  std::vector<int64_t> slots(partition.parts);
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    slots[partition.partOfRank[rank]] += problem.slotsByRank[rank];
  }
  for (int64_t part = 0; part < partition.parts; ++part) {
    std::vector<double> &sums = rows[part];
    llvm::sort(sums, std::greater<>());
    auto held = sums.begin() + std::min<int64_t>(slots[part], sums.size());
    Bytes leaving(std::accumulate(held, sums.end(), 0.0) * rowBytes());
    if (!(leaving > Bytes())) {
      continue;
    }
    raise((leaving / cuts[part].bandwidth).value() + start(cuts[part]), [&] {
      return formatv("{0:F2} MB must leave {1} {2}, whose {3} slots hold the "
                     "experts that it asks for most, over {4} links of {5:F1} "
                     "GB/s together",
                     leaving.value() / 1e6, partition.name, part, slots[part],
                     cuts[part].links, cuts[part].bandwidth.value())
          .str();
    });
  }
}

void WireArguments::tryPartition(const RankPartition &partition) {
  std::vector<PartCut> cuts = cutsOf(deployment, partition, direction);
  tryParts(partition, cuts);
  GigabytesPerSecond bandwidth;
  PartCut worst = cuts.front();
  for (const PartCut &cut : cuts) {
    bandwidth += cut.bandwidth;
    worst.tier = cut.tier == worst.tier ? worst.tier : std::nullopt;
  }
  Bytes leaving(leastLeaving(rowsByPart(partition)) * rowBytes());
  double first = leaving > Bytes() ? start(worst) : 0;
  raise((leaving / bandwidth).value() + first, [&] {
    return formatv(
               "{0:F2} MB must travel between the {1} {2}, as {3} slots "
               "beyond one an expert keep no more inside, over links of {4:F1} "
               "GB/s together",
               leaving.value() / 1e6, partition.parts, partition.plural,
               problem.slots() - problem.experts(), bandwidth.value())
        .str();
  });
  if (partition.parts == problem.ranks()) {
    tryPorts(cutsOf(deployment, partition,
                    direction == ExchangeDirection::Dispatch
                        ? ExchangeDirection::Combine
                        : ExchangeDirection::Dispatch));
  }
}

/// Some rank serves the load bound's rows; those that are not of its own tokens
/// come over its port.
void WireArguments::tryPorts(llvm::ArrayRef<PartCut> into) {
  double mostOwn = 0, all = 0, most = 0;
  for (const Demand &demand : demands) {
    all += demand.total();
    most = std::max(most, demand.total());
  }
  GigabytesPerSecond widest;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    double own = 0;
    for (const Demand &demand : demands) {
      own += mostOf(demand.rows[rank], problem.slotsByRank[rank]);
    }
    mostOwn = std::max(mostOwn, own);
    widest = std::max(widest, into[rank].bandwidth);
  }
  // The same rank serves as large a part of every group's rows.
  double served = mostServed * all / most;
  Bytes bytes(std::max(served - mostOwn, 0.0) * rowBytes());
  raise((bytes / widest).value(), [&] {
    return formatv("some device serves rows of {0:F2} MB for others, over "
                   "{1:F1} GB/s",
                   bytes.value() / 1e6, widest.value())
        .str();
  });
}

/// Where all devices are on the measured tier: what each must send, evenly to
/// as many peers as is best.
void WireArguments::tryRamps() {
  const DeviceGroup &group = deployment.groups.front().devices;
  if (problem.ranks() < 2) {
    return;
  }
  for (int64_t other : group) {
    if (other != group.front() &&
        !costs.isCalibrated(topology.path(group.front(), other).tier)) {
      return;
    }
  }
  unsigned tier = topology.path(group[0], group[1]).tier;
  const GroupRamps &ramps = costs.constants().accelerator()->ramps;
  const Demand &demand = demands.front();
  double most = 0;
  for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
    most =
        std::max(most, demand.rowsOf(rank) - mostOf(demand.rows[rank],
                                                    problem.slotsByRank[rank]));
  }
  if (most <= 0) {
    return;
  }
  Bytes bytes(most * rowBytes());
  Microseconds least(std::numeric_limits<double>::infinity());
  // Results come back from as many as rows went to.
  int64_t fewest = leastMessages(tier, ExchangeDirection::Dispatch);
  for (int64_t peers = fewest; peers < problem.ranks(); ++peers) {
    least = std::min(least, rampTime(ramps, evenFlows(peers, bytes)));
  }
  raise(least.value(), [&] {
    return formatv("some device must exchange {0:F2} MB with others, on "
                   "measured ramps",
                   bytes.value() / 1e6)
        .str();
  });
}

LowerBound WireArguments::best() {
  int64_t ranks = problem.ranks();
  if (ranks * ranks * static_cast<int64_t>(deployment.groups.size()) <=
      mostTimedPairs) {
    for (const RankPartition &partition : partitionsOf(deployment, ranks)) {
      tryPartition(partition);
    }
  }
  tryRamps();
  return found;
}

//===----------------------------------------------------------------------===//
// All parts
//===----------------------------------------------------------------------===//

/// Some rank computes the rows of the load bound, and some rank reads the
/// weights of as many experts as there are for each rank.
static Microseconds computeBound(const PlacementProblem &problem,
                                 const CostModel &costs, double mostServed) {
  const ExpertWork &work = problem.deployment->work;
  double ranks = llvm::count_if(problem.slotsByRank,
                                [](int64_t slots) { return slots > 0; });
  double busy =
      llvm::count_if(problem.loads, [](double load) { return load > 0; });
  double rows =
      double(problem.deployment->tokens()) * problem.deployment->choices;
  Bytes weights = work.weightBytes * std::ceil(busy / ranks);
  Bytes mean = (work.weightBytes * busy + work.bytesPerRow * rows) / ranks;
  Bytes read = work.bytesPerRow * mostServed +
               (mostServed > 0 ? work.weightBytes : Bytes());
  return std::max(costs.computeTime(work.flopsPerRow * mostServed, read),
                  costs.computeTime(Flops(), std::max(weights, mean)));
}

/// What exchanges take of which no placement can save anything.
static Microseconds fixedTime(const PlacementProblem &problem,
                              const CostModel &costs) {
  const Deployment &deployment = *problem.deployment;
  // The fewest local slots with which all experts fit.
  int64_t local = 0, held = 0;
  while (held < problem.experts()) {
    ++local;
    held = 0;
    for (int64_t slots : problem.slotsByRank) {
      held += std::min(slots, local);
    }
  }
  ExchangeRequest request;
  request.form = deployment.form;
  request.axes = deployment.axes;
  request.localSlots = local;
  request.rowBytes = deployment.dispatchRowBytes;
  ExchangePlan dispatch = ExchangePlan::create(request);
  std::vector<GroupCounts> nothing;
  for (const DeployedGroup &group : deployment.groups) {
    nothing.push_back({group.devices, CountMatrix(problem.ranks())});
  }
  // A row is read and written before it leaves, and read when it comes back.
  double most = 0;
  for (const DeployedGroup &group : deployment.groups) {
    Demand demand(problem, group);
    for (int64_t rank = 0; rank < problem.ranks(); ++rank) {
      most = std::max(most, demand.rowsOf(rank));
    }
  }
  Bytes permuted(
      most * (2 * deployment.dispatchRowBytes + deployment.combineRowBytes));
  return costs.exchangeCost(dispatch, nothing).total() +
         costs.computeTime(Flops(), permuted);
}

LowerBound moe::planning::timeBound(const PlacementProblem &problem) {
  const Deployment &deployment = *problem.deployment;
  CostModel costs(*deployment.topology, deployment.constants);
  double sum = std::accumulate(problem.loads.begin(), problem.loads.end(), 0.0);
  double mostServed =
      loadBound(problem).value / sum * deployment.tokens() * deployment.choices;
  Microseconds compute = computeBound(problem, costs, mostServed);
  Microseconds permute = costs.computeTime(
      Flops(),
      Bytes(mostServed * 2 *
            (deployment.dispatchRowBytes + deployment.combineRowBytes)));
  Microseconds fixed = fixedTime(problem, costs) + permute;
  LowerBound out =
      WireArguments(problem, costs, mostServed, ExchangeDirection::Dispatch)
          .best();
  LowerBound back =
      WireArguments(problem, costs, mostServed, ExchangeDirection::Combine)
          .best();
  return {compute.value() + fixed.value() + out.value + back.value,
          formatv("compute {0:F1} us + counts and permutations {1:F1} us + out "
                  "{2:F1} us and back {3:F1} us: {4}",
                  compute.value(), fixed.value(), out.value, back.value,
                  out.argument)
              .str()};
}
