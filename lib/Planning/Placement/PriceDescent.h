//===- PriceDescent.h - Changes in the order of their prices ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_PRICEDESCENT_H
#define MOE_LIB_PLANNING_PLACEMENT_PRICEDESCENT_H

#include "SmoothTime.h"

namespace moe::planning {

/// One expert, or two, elsewhere. -1 is nowhere.
struct Relocation {
  /// The most that the smooth value can fall by, at the prices of the board.
  double gain = 0;
  int32_t expert = 0;
  /// The rank that it leaves; -1 is none, a copy.
  int32_t from = -1;
  /// The rank that it comes to; -1 is none, a replica less.
  int32_t to = -1;
  /// The expert that makes room on `to`, if any, and where it goes; -1 is
  /// nowhere: a replica of it goes.
  int32_t other = -1;
  int32_t otherTo = -1;

  /// By gain, then by what changes.
  bool operator<(const Relocation &that) const;
};

/// Counts the experts that are on ranks which did not have them at first.
class MoveCount {
public:
  MoveCount(llvm::ArrayRef<Service> before, int64_t ranks);

  int64_t of(llvm::ArrayRef<Service> services) const;
  /// By how many more a relocation makes them.
  int64_t by(const Relocation &relocation) const;

private:
  int64_t isNew(int64_t expert, int32_t rank) const {
    return rank >= 0 && !wasOn[expert * ranks + rank];
  }

  int64_t ranks;
  std::vector<bool> wasOn;
};

/// At most so many moves in all.
struct MoveLimit {
  const MoveCount *count = nullptr;
  int64_t most = 0;
};

/// All moves, swaps, copies and drops that can lower the state's value, at
/// prices as they are.
class PriceBoard {
public:
  explicit PriceBoard(const SmoothState &state);

  /// Those with the largest gains of more than `least`, the largest first.
  std::vector<Relocation>
  best(size_t count, double least,
       llvm::function_ref<bool(const Relocation &)> isAllowed) const;
  /// Steps that it took to make.
  int64_t work() const { return steps; }

private:
  /// One replica of an expert.
  struct Seat {
    int32_t expert = 0;
    int32_t rank = 0;
    bool isReplicated = false;
    /// What the value can fall by when it goes and others serve its rows.
    double dropGain = 0;
  };
  class Shortlist;

  void addSeats(int32_t expert);
  double currentCosts(int32_t expert, std::vector<double> &ofSource) const;
  void addMoves(const Seat &seat, double now, llvm::ArrayRef<double> others);
  void addCopies();
  std::vector<double> leastOnOthers(int32_t expert, int32_t rank) const;
  std::vector<double> cheapest(int32_t expert,
                               llvm::ArrayRef<double> limits) const;
  double moveGain(size_t seat, int32_t target) const {
    return moveGains[seat * ranks + target];
  }
  void listMoves(size_t index, Shortlist &list) const;
  void listCopies(Shortlist &list) const;

  const SmoothState &state;
  int64_t ranks;
  PlacementPrices prices;
  std::vector<Seat> seats;
  /// [rank], into `seats`.
  std::vector<std::vector<size_t>> seatsOn;
  /// [seat][target]
  std::vector<double> moveGains;
  struct Copies {
    int32_t expert = 0;
    /// One a rank.
    std::vector<double> gains;
  };
  std::vector<Copies> copies;
  int64_t steps = 0;
};

/// Puts a relocation into effect: the experts concerned, with the best of the
/// tables that are tried for their replicas.
llvm::SmallVector<Assignment, 2> assignmentsOf(const SmoothState &state,
                                               const Relocation &relocation);

/// Makes the best of the changes that prices offer, until none lowers the value
/// or the state has done `mostWork` steps. Where there is a limit, the state is
/// within it and stays so.
void descendByPrices(SmoothState &state, int64_t mostWork,
                     std::optional<MoveLimit> limit = std::nullopt);

/// The same again and again from the best state so far with a few experts
/// elsewhere, until `mostTries` in a row find nothing better.
void kickByPrices(SmoothState &state, int64_t mostTries, int64_t mostWork);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_PRICEDESCENT_H
