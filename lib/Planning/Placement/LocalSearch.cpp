//===- LocalSearch.cpp - Small changes to a placement ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LocalSearch.h"
#include "KickSequence.h"
#include "llvm/ADT/STLExtras.h"
#include <array>

using namespace moe::planning;

//===----------------------------------------------------------------------===//
// Changes
//===----------------------------------------------------------------------===//

static std::vector<int32_t> without(std::vector<int32_t> ranks, int32_t rank) {
  llvm::erase(ranks, rank);
  return ranks;
}

static std::vector<int32_t> with(std::vector<int32_t> ranks, int32_t rank) {
  ranks.insert(llvm::lower_bound(ranks, rank), rank);
  return ranks;
}

namespace {
/// The changes of one expert on one rank.
class ChangeLister {
public:
  ChangeLister(const SearchState &state, int64_t expert, int64_t rank,
               llvm::function_ref<bool(const Change &)> visitor)
      : state(state), expert(expert), rank(rank),
        ranks(state.serviceOf(expert).ranks), visitor(visitor) {}

  void run() {
    if (ranks.size() > 1 && !visitor({{{expert, without(ranks, rank)}}})) {
      return;
    }
    if (rank == ranks.front() && !visitAtOnce()) {
      return;
    }
    for (int32_t target = 0; target < state.model().ranks(); ++target) {
      if (target != rank && !state.serviceOf(expert).isOn(target) &&
          !visitTarget(target)) {
        return;
      }
    }
  }

private:
  /// Changes of all of the expert's replicas.
  bool visitAtOnce() {
    for (int32_t only : ranks.size() > 2 ? ranks : std::vector<int32_t>()) {
      if (!visitor({{{expert, {only}}}})) {
        return false;
      }
    }
    std::vector<int32_t> everywhere = ranks;
    for (int32_t target = 0; target < state.model().ranks(); ++target) {
      if (state.freeSlots(target) > 0 && !llvm::is_contained(ranks, target)) {
        everywhere = with(everywhere, target);
      }
    }
    return everywhere.size() < ranks.size() + 2 ||
           visitor({{{expert, everywhere}}});
  }

  bool visitTarget(int32_t target) {
    std::vector<int32_t> copied = with(ranks, target);
    std::vector<int32_t> moved = without(copied, rank);
    if (state.freeSlots(target) > 0) {
      return visitor({{{expert, moved}}}) && visitor({{{expert, copied}}});
    }
    // A copy, for the visitor may change the state.
    std::vector<int32_t> others = state.expertsOn(target).vec();
    for (int32_t other : others) {
      const std::vector<int32_t> &theirs = state.serviceOf(other).ranks;
      std::vector<int32_t> rest = without(theirs, target);
      if (!state.serviceOf(other).isOn(rank) &&
          !visitor({{{expert, moved}, {other, with(rest, rank)}}})) {
        return false;
      }
      if (!rest.empty() && (!visitor({{{expert, moved}, {other, rest}}}) ||
                            !visitor({{{expert, copied}, {other, rest}}}))) {
        return false;
      }
    }
    return true;
  }

  const SearchState &state;
  int64_t expert;
  int32_t rank;
  std::vector<int32_t> ranks;
  llvm::function_ref<bool(const Change &)> visitor;
};
} // namespace

void moe::planning::visitChanges(
    const SearchState &state, int64_t expert, int64_t rank,
    llvm::function_ref<bool(const Change &)> visitor) {
  ChangeLister(state, expert, rank, visitor).run();
}

/// Tries the tables for an expert's ranks and leaves the best one in effect.
static void chooseTable(SearchState &state, int64_t expert,
                        const std::vector<int32_t> &ranks) {
  const SearchModel &model = state.model();
  state.replace(expert, model.nearest(ranks));
  if (ranks.size() < 2) {
    return;
  }
  SearchScore best = state.score();
  Service before = state.replace(expert, state.leveled(expert, ranks));
  if (!state.score().isBelow(best)) {
    state.replace(expert, std::move(before));
  }
}

llvm::SmallVector<Service, 2> moe::planning::apply(SearchState &state,
                                                   const Change &change) {
  llvm::SmallVector<Service, 2> before;
  // All leave before any arrives: a rank never holds more than it has slots.
  for (const Change::Edit &edit : change.edits) {
    before.push_back(state.replace(edit.expert, Service()));
  }
  for (const Change::Edit &edit : change.edits) {
    chooseTable(state, edit.expert, edit.ranks);
  }
  return before;
}

void moe::planning::revert(SearchState &state, const Change &change,
                           llvm::SmallVector<Service, 2> before) {
  for (auto [edit, service] : llvm::zip_equal(change.edits, before)) {
    state.replace(edit.expert, std::move(service));
  }
}

//===----------------------------------------------------------------------===//
// Shares
//===----------------------------------------------------------------------===//

namespace {
/// Descends over the cells of one expert after the other.
class ShareSearch {
public:
  ShareSearch(SearchState &state, int64_t mostWork)
      : state(state), mostWork(mostWork), current(state.score()) {}

  void run() {
    bool isImproved = true;
    for (int round = 0; round < mostRounds && isImproved; ++round) {
      isImproved = false;
      for (int64_t expert = 0; expert < state.model().experts(); ++expert) {
        if (state.serviceOf(expert).isReplicated() && state.work() < mostWork) {
          isImproved |= improve(expert);
        }
      }
    }
  }

private:
  static constexpr int mostRounds = 8;

  bool accept(int64_t expert, Service service) {
    Service before = state.replace(expert, std::move(service));
    SearchScore score = state.score();
    if (score.isBelow(current)) {
      current = score;
      return true;
    }
    state.replace(expert, std::move(before));
    return false;
  }

  /// As many cells as `part` of those that a replica serves of a source.
  bool shift(int64_t expert, int64_t source, size_t from, size_t to,
             int32_t divisor) {
    Service service = state.serviceOf(expert);
    size_t count = service.ranks.size();
    int32_t &giver = service.cells[source * count + from];
    int32_t cells = (giver + divisor - 1) / divisor;
    if (cells == 0) {
      return false;
    }
    giver -= cells;
    service.cells[source * count + to] += cells;
    return accept(expert, std::move(service));
  }

  bool improveSource(int64_t expert, int64_t source) {
    bool isImproved = false;
    size_t count = state.serviceOf(expert).ranks.size();
    for (size_t from = 0; from < count; ++from) {
      for (size_t to = 0; to < count; ++to) {
        if (from == to) {
          continue;
        }
        for (int32_t divisor : {1, 2, 4, 16, 64}) {
          isImproved |= shift(expert, source, from, to, divisor);
        }
      }
    }
    return isImproved;
  }

  bool improve(int64_t expert) {
    std::vector<int32_t> ranks = state.serviceOf(expert).ranks;
    bool isImproved = accept(expert, state.leveled(expert, ranks));
    isImproved |= accept(expert, state.model().nearest(ranks));
    isImproved |= accept(expert, state.model().equal(ranks));
    for (int64_t source = 0; source < state.model().sources(); ++source) {
      if (state.model().rows(source, expert) > 0 && state.work() < mostWork) {
        isImproved |= improveSource(expert, source);
      }
    }
    return isImproved;
  }

  SearchState &state;
  int64_t mostWork;
  SearchScore current;
};
} // namespace

void moe::planning::improveShares(SearchState &state, int64_t mostWork) {
  ShareSearch(state, mostWork).run();
}

/// Goes on with the copy if it is better.
static bool takeIfBetter(SearchState &state, SearchState &&copy) {
  if (copy.score().isBelow(state.score())) {
    state = std::move(copy);
    return true;
  }
  state.countWork(copy);
  return false;
}

void moe::planning::improveSharesAnew(SearchState &state, int64_t mostWork) {
  const SearchModel &model = state.model();
  for (bool isNearest : {true, false}) {
    SearchState other = state;
    for (int64_t expert = 0; expert < model.experts(); ++expert) {
      std::vector<int32_t> ranks = state.serviceOf(expert).ranks;
      if (ranks.size() > 1) {
        other.replace(expert, isNearest ? model.nearest(std::move(ranks))
                                        : model.equal(std::move(ranks)));
      }
    }
    improveShares(other, mostWork);
    takeIfBetter(state, std::move(other));
  }
}

//===----------------------------------------------------------------------===//
// Descent
//===----------------------------------------------------------------------===//

namespace {
class PlacementDescent {
public:
  PlacementDescent(SearchState &state, double bound, int64_t mostWork)
      : state(state), bound(bound), mostWork(mostWork), current(state.score()) {
  }

  void run() {
    while (!isDone()) {
      if (descend()) {
        continue;
      }
      improveShares(state, mostWork);
      SearchScore score = state.score();
      if (!score.isBelow(current)) {
        return;
      }
      current = score;
    }
  }

private:
  /// On few ranks all are looked at, not only those that are slow.
  static constexpr int64_t fewRanks = 16;

  bool isDone() const {
    return state.work() >= mostWork || current.value <= bound;
  }

  /// One change that lowers the score, or more.
  bool descend() {
    std::vector<int64_t> ranks;
    bool isSmall = state.model().ranks() <= fewRanks;
    if (isSmall) {
      for (int64_t rank = 0; rank < state.model().ranks(); ++rank) {
        ranks.push_back(rank);
      }
    } else {
      ranks = state.hotRanks();
    }
    bool isImproved = false;
    for (int64_t rank : ranks) {
      // Copies, for the state changes.
      std::vector<int32_t> experts = state.expertsOn(rank).vec();
      llvm::sort(experts, [&](int32_t a, int32_t b) {
        return std::make_pair(-state.model().rowsOf(a), a) <
               std::make_pair(-state.model().rowsOf(b), b);
      });
      for (int32_t expert : experts) {
        if (isDone()) {
          return isImproved;
        }
        isImproved |=
            state.serviceOf(expert).isOn(rank) && tryAll(expert, rank);
        if (isImproved && !isSmall) {
          return true;
        }
      }
    }
    return isImproved;
  }

  /// Takes the first change of the expert that lowers the score.
  bool tryAll(int64_t expert, int64_t rank) {
    bool isImproved = false;
    visitChanges(state, expert, rank, [&](const Change &change) {
      llvm::SmallVector<Service, 2> before = apply(state, change);
      SearchScore score = state.score();
      if (score.isBelow(current)) {
        current = score;
        isImproved = true;
        return false;
      }
      revert(state, change, std::move(before));
      return state.work() < mostWork;
    });
    return isImproved;
  }

  SearchState &state;
  double bound;
  int64_t mostWork;
  SearchScore current;
};
} // namespace

void moe::planning::improvePlacement(SearchState &state, double bound,
                                     int64_t mostWork) {
  PlacementDescent(state, bound, mostWork).run();
}

/// The first change of an expert on a rank that is better with its own shares.
static bool improveExpert(SearchState &state, int64_t expert, int64_t rank,
                          int64_t mostWork) {
  std::vector<Change> changes;
  visitChanges(state, expert, rank, [&](const Change &change) {
    changes.push_back(change);
    return true;
  });
  for (const Change &change : changes) {
    if (state.work() >= mostWork) {
      return false;
    }
    SearchState other = state;
    apply(other, change);
    improveShares(other, mostWork);
    if (takeIfBetter(state, std::move(other))) {
      return true;
    }
  }
  return false;
}

void moe::planning::improveThoroughly(SearchState &state, double bound,
                                      int64_t mostWork) {
  improveSharesAnew(state, mostWork);
  bool isImproved = true;
  while (isImproved && state.score().value > bound) {
    isImproved = false;
    for (int64_t expert = 0; expert < state.model().experts(); ++expert) {
      for (int32_t rank : std::vector<int32_t>(state.serviceOf(expert).ranks)) {
        if (state.work() >= mostWork) {
          return;
        }
        isImproved |= state.serviceOf(expert).isOn(rank) &&
                      improveExpert(state, expert, rank, mostWork);
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Kicks
//===----------------------------------------------------------------------===//

/// Some change of some expert, whatever it costs.
static void kick(SearchState &state, KickSequence &sequence) {
  int64_t expert = sequence.below(state.model().experts());
  const std::vector<int32_t> &ranks = state.serviceOf(expert).ranks;
  int64_t rank = ranks[sequence.below(ranks.size())];
  std::vector<Change> changes;
  visitChanges(state, expert, rank, [&](const Change &change) {
    changes.push_back(change);
    return true;
  });
  if (!changes.empty()) {
    apply(state, changes[sequence.below(changes.size())]);
  }
}

void moe::planning::improveByKicks(SearchState &state, double bound,
                                   int64_t mostTries, int64_t mostWork) {
  KickSequence sequence;
  SearchScore best = state.score();
  for (int64_t tries = 0; tries < mostTries && best.value > bound; ++tries) {
    SearchState other = state;
    for (int64_t kicks = 2 + sequence.below(2); kicks > 0; --kicks) {
      kick(other, sequence);
    }
    improvePlacement(other, bound, mostWork);
    if (takeIfBetter(state, std::move(other))) {
      best = state.score();
      tries = -1;
    }
    if (state.work() >= mostWork) {
      return;
    }
  }
}
