//===- LocalSearch.h - Small changes to a placement -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLANNING_PLACEMENT_LOCALSEARCH_H
#define MOE_LIB_PLANNING_PLACEMENT_LOCALSEARCH_H

#include "SearchState.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace moe::planning {

/// Experts and the ranks that they are to be on.
struct Change {
  struct Edit {
    int64_t expert = 0;
    std::vector<int32_t> ranks;
  };
  llvm::SmallVector<Edit, 2> edits;
};

/// All changes that take an expert off one of its ranks or copy it from there:
///   drop     one of several replicas
///   move     to a free slot of another rank
///   copy     the same, and stay
///   swap     with an expert of another rank
///   oust     move or copy to where a replica of another expert is, which goes
/// and, from the first of its ranks,
///   gather   leave all ranks but one
///   spread   a copy on every rank with a free slot
/// The visitor returns false to end it.
void visitChanges(const SearchState &state, int64_t expert, int64_t rank,
                  llvm::function_ref<bool(const Change &)> visitor);

/// Puts a change into effect, each expert with the best of the tables that
/// SearchModel and SearchState offer for it, and returns how the experts were
/// served before, in the order of the edits.
llvm::SmallVector<Service, 2> apply(SearchState &state, const Change &change);
/// Takes it back.
void revert(SearchState &state, const Change &change,
            llvm::SmallVector<Service, 2> before);

/// Shifts cells between replicas while that lowers the score; the work is at
/// most `mostWork` steps of the state, up to one expert's.
void improveShares(SearchState &state, int64_t mostWork);

/// Descends from the state by changes and shares until none lowers the score,
/// the value is down to `bound`, or the state has done `mostWork` steps.
void improvePlacement(SearchState &state, double bound, int64_t mostWork);

/// Descends over shares from other tables too, and takes the best.
void improveSharesAnew(SearchState &state, int64_t mostWork);

/// Descends by changes that are judged only after a descent over shares of
/// their own: slow, and finds what improvePlacement walks past.
void improveThoroughly(SearchState &state, double bound, int64_t mostWork);

/// Descends again and again from the best state so far with a few experts
/// elsewhere, by a fixed sequence of random numbers, until `mostTries` in a row
/// find nothing better.
void improveByKicks(SearchState &state, double bound, int64_t mostTries,
                    int64_t mostWork);

} // namespace moe::planning

#endif // MOE_LIB_PLANNING_PLACEMENT_LOCALSEARCH_H
