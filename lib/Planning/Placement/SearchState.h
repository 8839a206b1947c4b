//===- SearchState.h - A placement's value, kept while it changes -*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Local search changes where one or two experts are and asks what that does to
// the objective. A SearchModel holds what does not change (who asks for what,
// over which links); a SearchState holds rows, link loads and messages of one
// placement, and brings them up to date expert by expert.
//
//   Load   the largest sum of loads on a rank
//   Time   PlacementTime::total without what no placement changes: counts on
//          the wire, host waits, permutations at the source
//
// Times are CostModel's, with each token class as likely as another; the last
// word on a placement found here has figuresOf.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_SEARCHSTATE_H
#define MOE_LIB_PLANNING_PLACEMENT_SEARCHSTATE_H

#include "moe/Planning/PlacementSolver.h"

namespace moe::planning {

/// Who serves an expert: distinct ranks, ascending, and for each source how
/// many of its cells each of them serves. Without replicas there are no cells.
struct Service {
  std::vector<int32_t> ranks;
  /// [source][index in ranks]
  std::vector<int32_t> cells;

  bool isReplicated() const { return ranks.size() > 1; }
  bool isOn(int32_t rank) const {
    return std::find(ranks.begin(), ranks.end(), rank) != ranks.end();
  }
};

/// The experts of each rank, ascending.
class HostedExperts {
public:
  explicit HostedExperts(int64_t ranks) : expertsByRank(ranks) {}

  llvm::ArrayRef<int32_t> operator[](int64_t rank) const {
    return expertsByRank[rank];
  }
  void add(int32_t expert, const Service &service);
  void remove(int32_t expert, const Service &service);

private:
  std::vector<std::vector<int32_t>> expertsByRank;
};

/// What a search compares: first the objective, then how much all links and
/// ranks have to do, so that it finds its way across plateaus.
struct SearchScore {
  double value = 0;
  /// Sum of squares over links and ranks.
  double effort = 0;

  /// Whether it is better by more than rounding.
  bool isBelow(const SearchScore &other) const;
};

class SearchModel {
public:
  SearchModel(const PlacementProblem &problem, Objective objective);

  /// Whether tables of all pairs of ranks are small enough to search with.
  static bool canSearch(const PlacementProblem &problem, Objective objective);

  int64_t ranks() const { return problem.ranks(); }
  int64_t experts() const { return problem.experts(); }
  /// Load looks at no sources: all tokens are one.
  int64_t sources() const { return sourceCount; }
  int32_t cellsPerSource() const { return sourceCells; }
  bool hasLinks() const { return objective == Objective::Time; }
  /// Rows of a source for an expert; in Load, loads.
  double rows(int64_t source, int64_t expert) const;
  /// The total over sources.
  double rowsOf(int64_t expert) const { return totals[expert]; }
  /// Larger is further; 0 for the rank itself.
  int32_t distance(int64_t source, int64_t target) const {
    return distances[source * ranks() + target];
  }

  /// A table in which every source is served by its nearest replicas, equally.
  Service nearest(std::vector<int32_t> ranks) const;
  /// One in which all serve every source equally.
  Service equal(std::vector<int32_t> ranks) const;
  /// One in which replicas on these ranks level what ranks have to do besides
  /// this expert, each serving the sources that are nearest to it. `received`
  /// is what ranks get while the expert is served as it is `now`.
  Service leveled(int64_t expert, const Service &now,
                  llvm::ArrayRef<double> received,
                  std::vector<int32_t> ranks) const;

  const PlacementProblem &problem;
  const Objective objective;

private:
  friend class SearchState;
  friend class SmoothModel;
  friend class SmoothState;

  std::vector<double> levelQuotas(int64_t expert, const Service &now,
                                  llvm::ArrayRef<double> received,
                                  llvm::ArrayRef<int32_t> ranks) const;

  /// What one tier takes besides its slowest link.
  struct TierStart {
    double latency = 0;
    double overhead = 0;
    bool isCalibrated = false;
  };

  struct RankPair {
    int32_t source = 0;
    int32_t target = 0;
  };

  void setUpTime();
  void addPair(int64_t source, int64_t target);
  llvm::ArrayRef<uint32_t> path(int64_t source, int64_t target) const {
    int64_t pair = source * ranks() + target;
    return llvm::ArrayRef(pathLinks).slice(
        pathBegins[pair], pathBegins[pair + 1] - pathBegins[pair]);
  }

  int64_t sourceCount = 1;
  int32_t sourceCells = 0;
  /// [source][expert] where sources differ; else a part for each source.
  std::vector<double> rowsBySource;
  std::vector<double> sourceParts;
  std::vector<double> totals;
  std::vector<int32_t> distances;
  /// Links of all groups on the way from rank to rank.
  std::vector<uint32_t> pathLinks;
  std::vector<size_t> pathBegins;
  /// Of each link: its tier, and microseconds a row out and back.
  std::vector<uint32_t> linkTiers;
  std::vector<double> dispatchTimes;
  std::vector<double> combineTimes;
  /// [group][source][target], the tier of the pair.
  std::vector<std::vector<uint8_t>> pairTiers;
  /// [group], source by source: the pairs whose times are measured ramps.
  std::vector<std::vector<RankPair>> rampPairs;
  std::vector<TierStart> tiers;
  const GroupRamps *ramps = nullptr;
  double dispatchRowBytes = 0;
  double combineRowBytes = 0;
  /// Of a row and of an expert's weights on its rank, in microseconds.
  double flopTime = 1;
  double rowTime = 0;
  double weightTime = 0;
  /// Permutations of a row on the rank that serves it.
  double permuteTime = 0;
};

class SearchState {
public:
  SearchState(const SearchModel &model, std::vector<Service> services);
  /// Takes the placement's replicas and tables.
  static SearchState of(const SearchModel &model, const Placement &placement);

  const SearchModel &model() const { return *facts; }
  const Service &serviceOf(int64_t expert) const { return services[expert]; }
  llvm::ArrayRef<Service> allServices() const { return services; }
  /// The experts on a rank, ascending.
  llvm::ArrayRef<int32_t> expertsOn(int64_t rank) const { return hosted[rank]; }
  int64_t freeSlots(int64_t rank) const {
    return facts->problem.slotsByRank[rank] - hosted[rank].size();
  }

  /// Has an expert served otherwise; returns how it was before. A service of no
  /// ranks takes the expert out.
  Service replace(int64_t expert, Service service);
  /// See SearchModel::leveled.
  Service leveled(int64_t expert, std::vector<int32_t> ranks) const {
    return facts->leveled(expert, services[expert], received, std::move(ranks));
  }
  SearchScore score() const;

  /// The ranks that do what takes longest: the one that computes longest, and
  /// those that serve rows over the slowest links.
  std::vector<int64_t> hotRanks() const;

  /// Elementary steps so far: the measure of work that bounds every search.
  int64_t work() const { return steps; }
  /// Takes over the work of a copy that went on.
  void countWork(const SearchState &copy) { steps = copy.steps; }

  /// The placement, without replicas that serve nobody.
  PlacementData data() const;

private:
  struct Wire {
    double time = 0;
    double effort = 0;
  };

  void add(int64_t expert, int sign);
  void addRows(int64_t source, int64_t target, double rows, int sign);
  Wire wire(ExchangeDirection direction) const;
  double slowestRamp(ExchangeDirection direction) const;
  double computeTime(int64_t rank) const;
  void markServers(ExchangeDirection direction, std::vector<bool> &isHot) const;
  bool isServing(int64_t expert, int32_t rank) const;
  ReplicaTable tableOf(int64_t expert, llvm::ArrayRef<int64_t> slots) const;

  const SearchModel *facts;
  std::vector<Service> services;
  HostedExperts hosted;
  std::vector<double> received;
  /// Experts on a rank that have any rows.
  std::vector<int64_t> busy;
  /// Rows and experts with any, from rank to rank.
  std::vector<double> pairRows;
  std::vector<int32_t> pairExperts;
  /// Rows on each link.
  std::vector<double> dispatchRows;
  std::vector<double> combineRows;
  /// [tier][rank]: messages that it sends in a dispatch, in a combine, in the
  /// group with most.
  std::vector<std::vector<int32_t>> dispatchMessages;
  std::vector<std::vector<int32_t>> combineMessages;
  mutable int64_t steps = 0;
};

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_SEARCHSTATE_H
