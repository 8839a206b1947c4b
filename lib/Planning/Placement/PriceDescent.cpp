//===- PriceDescent.cpp - Descent of the smooth time ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PriceDescent.h"
#include "KickSequence.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace moe::planning;

/// What is no more than rounding.
static constexpr double rounding = 1e-9;

namespace {
class PriceDescent {
public:
  PriceDescent(SmoothState &state, int64_t mostWork,
               std::optional<MoveLimit> limit)
      : state(state), mostWork(mostWork), limit(limit),
        moves(limit ? limit->count->of(state.allServices()) : 0) {}

  void run() {
    while (!isDone() && (relocate() || improveAllShares())) {
    }
  }

private:
  /// Changes of a board that are tried, those first that promise most.
  static constexpr size_t mostTried = 96;

  bool isDone() const { return state.work() >= mostWork; }
  bool relocate();
  bool isAllowed(const Relocation &relocation) const {
    return !limit || moves + limit->count->by(relocation) <= limit->most;
  }
  bool isPossible(const Relocation &relocation) const;
  bool tryRelocation(const Relocation &relocation);
  bool improveAllShares();
  bool improveShares(int64_t expert);

  SmoothState &state;
  int64_t mostWork;
  std::optional<MoveLimit> limit;
  int64_t moves;
};
} // namespace

//===----------------------------------------------------------------------===//
// Changes
//===----------------------------------------------------------------------===//

/// The expert's ranks, one replaced.
static std::vector<int32_t> replaced(std::vector<int32_t> ranks, int32_t from,
                                     int32_t to) {
  llvm::erase(ranks, from);
  if (to >= 0) {
    ranks.insert(llvm::lower_bound(ranks, to), to);
  }
  return ranks;
}

/// The table that leaves to each replica what it serves, and to a newcomer what
/// one that has gone did.
static Service inherited(const Service &before, std::vector<int32_t> ranks,
                         int64_t sources) {
  Service service;
  service.ranks = std::move(ranks);
  size_t count = service.ranks.size(), oldCount = before.ranks.size();
  service.cells.assign(sources * count, 0);
  for (size_t old = 0; old < oldCount; ++old) {
    int32_t rank = before.ranks[old];
    if (!service.isOn(rank)) {
      auto newcomer = llvm::find_if(
          service.ranks, [&](int32_t other) { return !before.isOn(other); });
      rank =
          newcomer == service.ranks.end() ? service.ranks.front() : *newcomer;
    }
    size_t index = llvm::find(service.ranks, rank) - service.ranks.begin();
    for (int64_t source = 0; source < sources; ++source) {
      service.cells[source * count + index] +=
          before.cells[source * oldCount + old];
    }
  }
  return service;
}

static std::vector<Service> tablesFor(const SmoothState &state, int64_t expert,
                                      std::vector<int32_t> ranks) {
  const SearchModel &facts = state.facts();
  if (ranks.size() < 2) {
    return {Service{std::move(ranks), {}}};
  }
  std::vector<Service> tables;
  const Service &before = state.serviceOf(expert);
  if (before.isReplicated() && ranks.size() <= before.ranks.size()) {
    tables.push_back(inherited(before, ranks, facts.sources()));
  }
  tables.push_back(facts.nearest(ranks));
  tables.push_back(state.leveled(expert, std::move(ranks)));
  return tables;
}

/// For each expert the best of its tables, while the others have theirs.
static void chooseTables(const SmoothState &state,
                         llvm::MutableArrayRef<Assignment> changes,
                         llvm::ArrayRef<std::vector<Service>> tables) {
  for (auto [change, options] : llvm::zip_equal(changes, tables)) {
    change.service = options.front();
  }
  for (auto [change, options] : llvm::zip_equal(changes, tables)) {
    if (options.size() < 2) {
      continue;
    }
    double least = state.valueWith(changes);
    Service best = change.service;
    for (const Service &option : llvm::drop_begin(options)) {
      change.service = option;
      double value = state.valueWith(changes);
      if (value < least) {
        least = value;
        best = option;
      }
    }
    change.service = std::move(best);
  }
}

llvm::SmallVector<Assignment, 2>
moe::planning::assignmentsOf(const SmoothState &state,
                             const Relocation &relocation) {
  llvm::SmallVector<Assignment, 2> changes;
  llvm::SmallVector<std::vector<Service>, 2> tables;
  auto add = [&](int32_t expert, int32_t from, int32_t to) {
    changes.push_back({expert, {}});
    tables.push_back(tablesFor(
        state, expert, replaced(state.serviceOf(expert).ranks, from, to)));
  };
  add(relocation.expert, relocation.from, relocation.to);
  if (relocation.other >= 0) {
    add(relocation.other, relocation.to, relocation.otherTo);
  }
  chooseTables(state, changes, tables);
  return changes;
}

/// Whether what was possible on the board still is.
bool PriceDescent::isPossible(const Relocation &relocation) const {
  const auto [gain, expert, from, to, other, otherTo] = relocation;
  const Service &service = state.serviceOf(expert);
  if (from >= 0 && !service.isOn(from)) {
    return false;
  }
  if (to < 0) {
    return service.isReplicated();
  }
  if (service.isOn(to)) {
    return false;
  }
  if (other < 0) {
    return state.freeSlots(to) > 0;
  }
  const Service &theirs = state.serviceOf(other);
  return theirs.isOn(to) &&
         (otherTo < 0 ? theirs.isReplicated() : !theirs.isOn(otherTo));
}

bool PriceDescent::tryRelocation(const Relocation &relocation) {
  if (!isPossible(relocation) || !isAllowed(relocation)) {
    return false;
  }
  llvm::SmallVector<Assignment, 2> changes = assignmentsOf(state, relocation);
  if (!(state.valueWith(changes) < state.value() * (1 - rounding))) {
    return false;
  }
  moves += limit ? limit->count->by(relocation) : 0;
  state.apply(changes);
  for (const Assignment &change : changes) {
    improveShares(change.expert);
  }
  return true;
}

/// Tries what prices promise most of. Whether anything was better.
bool PriceDescent::relocate() {
  PriceBoard board(state);
  state.countWork(board.work());
  bool isImproved = false;
  constexpr double negligible = 1e-7;
  for (const Relocation &relocation : board.best(
           mostTried, state.value() * negligible,
           [&](const Relocation &change) { return isAllowed(change); })) {
    if (isDone()) {
      return isImproved;
    }
    isImproved |= tryRelocation(relocation);
  }
  return isImproved;
}

//===----------------------------------------------------------------------===//
// Shares
//===----------------------------------------------------------------------===//

bool PriceDescent::improveAllShares() {
  bool isImproved = false;
  for (int64_t expert = 0; expert < state.facts().experts(); ++expert) {
    if (isDone()) {
      return isImproved;
    }
    isImproved |= improveShares(expert);
  }
  return isImproved;
}

namespace {
/// A source of rows whose cheapest replica is not the only one.
struct CheaperReplica {
  size_t index = 0;
  /// Of a row, against what it costs now.
  double saving = 0;
};
} // namespace

/// One a source.
static std::vector<CheaperReplica> findCheaper(const Service &service,
                                               llvm::ArrayRef<double> prices,
                                               int32_t cellsPerSource) {
  size_t count = service.ranks.size();
  std::vector<CheaperReplica> result;
  for (size_t first = 0; first < prices.size(); first += count) {
    llvm::ArrayRef<double> ways = prices.slice(first, count);
    CheaperReplica cheaper;
    cheaper.index = std::min_element(ways.begin(), ways.end()) - ways.begin();
    for (size_t index = 0; index < count; ++index) {
      cheaper.saving += (ways[index] - ways[cheaper.index]) *
                        service.cells[first + index] / cellsPerSource;
    }
    result.push_back(cheaper);
  }
  return result;
}

/// Shifts part of the cells of the sources that would save most to where they
/// are cheapest, as large a part as lowers the value most.
bool PriceDescent::improveShares(int64_t expert) {
  bool isImproved = false;
  constexpr int mostRounds = 4;
  for (int round = 0; round < mostRounds; ++round) {
    const Service before = state.serviceOf(expert);
    if (!before.isReplicated()) {
      return isImproved;
    }
    size_t count = before.ranks.size();
    std::vector<CheaperReplica> cheaper = findCheaper(
        before, state.pricesTo(before.ranks), state.facts().cellsPerSource());
    double most = 0;
    for (const CheaperReplica &replica : cheaper) {
      most = std::max(most, replica.saving);
    }
    double least = state.value() * (1 - rounding);
    std::optional<Assignment> best;
    for (double threshold : {0.0, 0.5}) {
      for (int32_t divisor : {1, 2, 4, 8, 16, 64}) {
        Service service = before;
        for (auto [source, replica] : llvm::enumerate(cheaper)) {
          if (replica.saving <= threshold * most) {
            continue;
          }
          int32_t *cells = &service.cells[source * count];
          for (size_t index = 0; index < count; ++index) {
            int32_t part = (cells[index] + divisor - 1) / divisor;
            if (index != replica.index) {
              cells[index] -= part;
              cells[replica.index] += part;
            }
          }
        }
        Assignment change = {expert, std::move(service)};
        double value = state.valueWith(change);
        if (value < least) {
          least = value;
          best = std::move(change);
        }
      }
    }
    if (!best) {
      return isImproved;
    }
    state.apply(*best);
    isImproved = true;
  }
  return isImproved;
}

void moe::planning::descendByPrices(SmoothState &state, int64_t mostWork,
                                    std::optional<MoveLimit> limit) {
  PriceDescent(state, mostWork, limit).run();
}

//===----------------------------------------------------------------------===//
// Kicks
//===----------------------------------------------------------------------===//

/// Some expert on another rank, in the place of another where all are taken.
static void kick(SmoothState &state, KickSequence &sequence) {
  const SearchModel &facts = state.facts();
  int64_t expert = sequence.below(facts.experts());
  const Service &service = state.serviceOf(expert);
  int32_t from = service.ranks[sequence.below(service.ranks.size())];
  auto to = static_cast<int32_t>(sequence.below(facts.ranks()));
  if (service.isOn(to) || facts.problem.slotsByRank[to] == 0) {
    return;
  }
  llvm::SmallVector<Assignment, 2> changes = {
      {expert, facts.nearest(replaced(service.ranks, from, to))}};
  if (state.freeSlots(to) == 0) {
    llvm::ArrayRef<int32_t> there = state.expertsOn(to);
    int32_t other = there[sequence.below(there.size())];
    const Service &theirs = state.serviceOf(other);
    if (theirs.isOn(from)) {
      return;
    }
    changes.push_back({other, facts.nearest(replaced(theirs.ranks, to, from))});
  }
  state.apply(changes);
}

void moe::planning::kickByPrices(SmoothState &state, int64_t mostTries,
                                 int64_t mostWork) {
  KickSequence sequence;
  for (int64_t tries = 0; tries < mostTries && state.work() < mostWork;
       ++tries) {
    SmoothState other = state;
    for (int64_t kicks = 2 + sequence.below(2); kicks > 0; --kicks) {
      kick(other, sequence);
    }
    descendByPrices(other, mostWork);
    if (other.value() < state.value() * (1 - rounding)) {
      state = std::move(other);
      tries = -1;
    } else {
      state.countWork(other);
    }
  }
}
