//===- SmoothTime.h - The time of a placement, with prices ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A placement's time is a sum of maxima: the slowest link out and back, the
// slowest rank. A maximum says nothing of what is second, and moving one expert
// seldom changes it. Here each maximum is a p-norm,
//
//   max over i of t(i)  <=  (sum over i of t(i)^p)^(1/p),
//
// which is close to the maximum for large p, and convex in what links and ranks
// carry. So its gradient gives each link, and each way from a rank to another,
// a *price* for a row more, and prices bound what any change can gain: at most
// the rows that it takes off their ways, at the prices of these, less the rows
// that it brings elsewhere. Changes are looked at in the order of that bound,
// and those whose bound is not above 0 need no look.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_SMOOTHTIME_H
#define MOE_LIB_PLANNING_PLACEMENT_SMOOTHTIME_H

#include "SearchState.h"

namespace moe::planning {

/// What rows of a rank's tokens load on their way to another rank and back:
/// links, and devices whose exchanges were measured as a whole. Those that
/// carry the same rows are one *resource*, the slowest of them.
class SmoothModel {
public:
  /// The facts must have links and outlive the model.
  explicit SmoothModel(const SearchModel &facts);

  const SearchModel &facts;

  int64_t ranks() const { return facts.ranks(); }
  size_t resources() const { return units.size(); }
  llvm::ArrayRef<uint32_t> route(int64_t source, int64_t target) const {
    int64_t pair = source * ranks() + target;
    return llvm::ArrayRef(routes).slice(
        routeBegins[pair], routeBegins[pair + 1] - routeBegins[pair]);
  }
  /// Whether all sources ask for the same experts, each in its part.
  bool isUniform() const { return !patterns.empty(); }
  /// Rows on each resource for a row of an expert on the rank, if uniform.
  llvm::ArrayRef<double> pattern(int64_t rank) const {
    return llvm::ArrayRef(patterns).slice(rank * resources(), resources());
  }

  /// Of a resource: microseconds for each row, and those before the first.
  /// Resources of the dispatch come before those of the combine.
  std::vector<double> units;
  std::vector<double> firsts;
  size_t dispatchResources = 0;

private:
  struct Draft;

  std::vector<uint32_t> routes;
  std::vector<size_t> routeBegins;
  std::vector<double> patterns;
};

/// What one more row, or one more expert, costs at the margin.
struct PlacementPrices {
  /// [source][target], microseconds a row.
  std::vector<double> ofWay;
  /// [rank], microseconds for the weights of another expert.
  std::vector<double> ofExpert;
};

/// An expert and who serves it.
struct Assignment {
  int64_t expert = 0;
  Service service;
};

class SmoothState {
public:
  /// Norms are those of p = 2^squarings, of which there are 1 to 8.
  SmoothState(const SmoothModel &model, std::vector<Service> services,
              int squarings);

  const SmoothModel &model() const { return *smooth; }
  const SearchModel &facts() const { return smooth->facts; }
  llvm::ArrayRef<Service> allServices() const { return services; }
  const Service &serviceOf(int64_t expert) const { return services[expert]; }
  llvm::ArrayRef<int32_t> expertsOn(int64_t rank) const { return hosted[rank]; }
  int64_t freeSlots(int64_t rank) const {
    return facts().problem.slotsByRank[rank] - hosted[rank].size();
  }

  void setNorm(int newSquarings);
  double value() const { return current; }
  /// The value if these experts, each at most once, were served so.
  double valueWith(llvm::ArrayRef<Assignment> changes) const;
  void apply(llvm::ArrayRef<Assignment> changes);

  PlacementPrices prices() const;
  /// Of the ways to these ranks alone: [source][index in targets].
  std::vector<double> pricesTo(llvm::ArrayRef<int32_t> targets) const;
  /// A table that levels ranks, see SearchModel::leveled.
  Service leveled(int64_t expert, std::vector<int32_t> ranks) const;

  /// Resources looked at so far: the measure of work that bounds searches.
  int64_t work() const { return steps; }
  void countWork(const SmoothState &copy) { steps = copy.steps; }
  void countWork(int64_t more) { steps += more; }

private:
  /// Rows on resources, then on ranks; and experts with any rows on ranks.
  struct Burden {
    std::vector<double> rows;
    std::vector<double> busy;
  };
  /// The p-norm of one maximum.
  struct Norm {
    double scale = 1;
    double sum = 0;
  };
  enum Term { Dispatch, Combine, Compute, Receive, Terms };

  void add(int64_t expert, const Service &service, double sign,
           Burden &burden) const;
  void remove(int64_t expert, Burden &burden) const;
  void keepBurden(int64_t expert);
  double timeOf(const Burden &burden, size_t resource) const;
  double computeTime(double rows, double busy) const;
  void rescale();
  double total(const Burden *change) const;
  double sumOfPowers(size_t begin, size_t end, double scale,
                     const Burden *change) const;
  double marginOf(double time, Term term) const;
  double weightOf(Term term) const;
  std::vector<double> resourcePrices() const;

  const SmoothModel *smooth;
  int squarings;
  std::vector<Service> services;
  HostedExperts hosted;
  /// What replicated experts add to the load; empty for others.
  std::vector<Burden> burdens;
  Burden load;
  Norm norms[Terms];
  double current = 0;
  mutable Burden scratch;
  mutable int64_t steps = 0;
};

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_SMOOTHTIME_H
