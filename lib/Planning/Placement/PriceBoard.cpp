//===- PriceBoard.cpp - What changes can gain at most ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PriceDescent.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <limits>
#include <tuple>

using namespace moe::planning;

/// Copies are considered of so many experts, those that could save most.
static constexpr size_t mostCopied = 24;

bool Relocation::operator<(const Relocation &that) const {
  return std::tie(that.gain, expert, from, to, other, otherTo) <
         std::tie(gain, that.expert, that.from, that.to, that.other,
                  that.otherTo);
}

/// The best of the changes so far, as a heap with the least on top.
class PriceBoard::Shortlist {
public:
  Shortlist(size_t most, double least,
            llvm::function_ref<bool(const Relocation &)> isAllowed)
      : most(most), least(least), isAllowed(isAllowed) {}

  void add(const Relocation &relocation) {
    if (!(relocation.gain > least) || !isAllowed(relocation)) {
      return;
    }
    list.push_back(relocation);
    std::push_heap(list.begin(), list.end());
    if (list.size() > most) {
      std::pop_heap(list.begin(), list.end());
      list.pop_back();
      least = list.front().gain;
    }
  }

  std::vector<Relocation> take() {
    llvm::sort(list);
    return std::move(list);
  }

private:
  size_t most;
  double least;
  llvm::function_ref<bool(const Relocation &)> isAllowed;
  std::vector<Relocation> list;
};

PriceBoard::PriceBoard(const SmoothState &state)
    : state(state), ranks(state.model().ranks()), prices(state.prices()),
      seatsOn(ranks) {
  for (int32_t expert = 0; expert < state.facts().experts(); ++expert) {
    addSeats(expert);
  }
  for (auto [index, seat] : llvm::enumerate(seats)) {
    seatsOn[seat.rank].push_back(index);
  }
  addCopies();
}

/// The price of a row of each source as the expert is served, and of all rows.
double PriceBoard::currentCosts(int32_t expert,
                                std::vector<double> &ofSource) const {
  const Service &service = state.serviceOf(expert);
  size_t count = service.ranks.size();
  ofSource.assign(ranks, 0);
  double sum = 0;
  for (int64_t source = 0; source < ranks; ++source) {
    const double *ways = &prices.ofWay[source * ranks];
    for (size_t index = 0; index < count; ++index) {
      double part = count == 1 ? 1
                               : double(service.cells[source * count + index]) /
                                     state.facts().cellsPerSource();
      ofSource[source] += part * ways[service.ranks[index]];
    }
    sum += state.facts().rows(source, expert) * ofSource[source];
  }
  return sum;
}

/// For each rank, what the expert's rows cost if each may go there, or at the
/// source's limit elsewhere.
std::vector<double> PriceBoard::cheapest(int32_t expert,
                                         llvm::ArrayRef<double> limits) const {
  std::vector<double> costs(ranks);
  for (int64_t source = 0; source < ranks; ++source) {
    double rows = state.facts().rows(source, expert), limit = limits[source];
    const double *ways = &prices.ofWay[source * ranks];
    for (int64_t target = 0; target < ranks; ++target) {
      costs[target] += rows * std::min(limit, ways[target]);
    }
  }
  return costs;
}

/// What a row of each source costs at least on the expert's ranks but one.
std::vector<double> PriceBoard::leastOnOthers(int32_t expert,
                                              int32_t rank) const {
  std::vector<double> least(ranks, std::numeric_limits<double>::infinity());
  for (int32_t other : state.serviceOf(expert).ranks) {
    for (int64_t source = 0; other != rank && source < ranks; ++source) {
      least[source] =
          std::min(least[source], prices.ofWay[source * ranks + other]);
    }
  }
  return least;
}

void PriceBoard::addSeats(int32_t expert) {
  const Service &service = state.serviceOf(expert);
  std::vector<double> ofSource;
  double now = currentCosts(expert, ofSource);
  for (int32_t rank : service.ranks) {
    std::vector<double> others = leastOnOthers(expert, rank);
    seats.push_back({expert, rank, service.isReplicated(), 0});
    addMoves(seats.back(), now, others);
    if (service.isReplicated()) {
      double after = 0;
      for (int64_t source = 0; source < ranks; ++source) {
        after += state.facts().rows(source, expert) * others[source];
      }
      seats.back().dropGain = now - after + prices.ofExpert[rank];
    }
  }
}

/// What it gains at most to move the replica to each of the ranks. `now` is
/// what the expert costs, `others` what a row of each source does on its other
/// replicas.
void PriceBoard::addMoves(const Seat &seat, double now,
                          llvm::ArrayRef<double> others) {
  std::vector<double> costs = cheapest(seat.expert, others);
  for (int64_t target = 0; target < ranks; ++target) {
    moveGains.push_back(now + prices.ofExpert[seat.rank] - costs[target] -
                        prices.ofExpert[target]);
  }
  steps += ranks * ranks;
}

void PriceBoard::addCopies() {
  struct Potential {
    double gain = 0;
    int32_t expert = 0;
  };
  std::vector<double> least(ranks, std::numeric_limits<double>::infinity());
  for (int64_t source = 0; source < ranks; ++source) {
    for (int64_t target = 0; target < ranks; ++target) {
      least[source] =
          std::min(least[source], prices.ofWay[source * ranks + target]);
    }
  }
  std::vector<Potential> potentials;
  std::vector<double> ofSource;
  for (int32_t expert = 0; expert < state.facts().experts(); ++expert) {
    double gain = currentCosts(expert, ofSource);
    for (int64_t source = 0; source < ranks; ++source) {
      gain -= state.facts().rows(source, expert) * least[source];
    }
    potentials.push_back({gain, expert});
  }
  llvm::sort(potentials, [](const Potential &a, const Potential &b) {
    return std::tie(b.gain, a.expert) < std::tie(a.gain, b.expert);
  });
  potentials.resize(std::min(potentials.size(), mostCopied));
  for (const Potential &potential : potentials) {
    double now = currentCosts(potential.expert, ofSource);
    Copies &entry = copies.emplace_back(Copies{potential.expert, {}});
    entry.gains =
        cheapest(potential.expert, leastOnOthers(potential.expert, -1));
    for (int64_t target = 0; target < ranks; ++target) {
      entry.gains[target] = now - entry.gains[target] - prices.ofExpert[target];
    }
    steps += ranks * ranks;
  }
}

void PriceBoard::listMoves(size_t index, Shortlist &list) const {
  const Seat &seat = seats[index];
  if (seat.isReplicated) {
    list.add({seat.dropGain, seat.expert, seat.rank, -1, -1, -1});
  }
  const Service &service = state.serviceOf(seat.expert);
  for (int32_t target = 0; target < ranks; ++target) {
    double gain = moveGain(index, target);
    if (service.isOn(target)) {
      continue;
    }
    if (state.freeSlots(target) > 0) {
      list.add({gain, seat.expert, seat.rank, target, -1, -1});
    }
    for (size_t there : seatsOn[target]) {
      const Seat &other = seats[there];
      if (there > index && !state.serviceOf(other.expert).isOn(seat.rank)) {
        list.add({gain + moveGain(there, seat.rank), seat.expert, seat.rank,
                  target, other.expert, seat.rank});
      }
      if (other.isReplicated) {
        list.add({gain + other.dropGain, seat.expert, seat.rank, target,
                  other.expert, -1});
      }
    }
  }
}

void PriceBoard::listCopies(Shortlist &list) const {
  for (const Copies &entry : copies) {
    const Service &service = state.serviceOf(entry.expert);
    for (int32_t target = 0; target < ranks; ++target) {
      if (service.isOn(target)) {
        continue;
      }
      if (state.freeSlots(target) > 0) {
        list.add({entry.gains[target], entry.expert, -1, target, -1, -1});
      }
      for (size_t there : seatsOn[target]) {
        if (seats[there].isReplicated) {
          list.add({entry.gains[target] + seats[there].dropGain, entry.expert,
                    -1, target, seats[there].expert, -1});
        }
      }
    }
  }
}

std::vector<Relocation>
PriceBoard::best(size_t count, double least,
                 llvm::function_ref<bool(const Relocation &)> isAllowed) const {
  Shortlist list(count, least, isAllowed);
  for (size_t seat = 0; seat < seats.size(); ++seat) {
    listMoves(seat, list);
  }
  listCopies(list);
  return list.take();
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

MoveCount::MoveCount(llvm::ArrayRef<Service> before, int64_t ranks)
    : ranks(ranks), wasOn(before.size() * ranks) {
  for (auto [expert, service] : llvm::enumerate(before)) {
    for (int32_t rank : service.ranks) {
      wasOn[expert * ranks + rank] = true;
    }
  }
}

int64_t MoveCount::of(llvm::ArrayRef<Service> services) const {
  int64_t moves = 0;
  for (auto [expert, service] : llvm::enumerate(services)) {
    for (int32_t rank : service.ranks) {
      moves += isNew(expert, rank);
    }
  }
  return moves;
}

int64_t MoveCount::by(const Relocation &relocation) const {
  int64_t moves = isNew(relocation.expert, relocation.to) -
                  isNew(relocation.expert, relocation.from);
  if (relocation.other >= 0) {
    moves += isNew(relocation.other, relocation.otherTo) -
             isNew(relocation.other, relocation.to);
  }
  return moves;
}
