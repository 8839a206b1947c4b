//===- ReplicaTable.h - Which replica serves which tokens -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The tokens that choose an expert fall into *cells* by the rank that holds
// them and their global index:
//
//   cell = source rank · 64 + global token index mod 64
//
// A replica table gives each cell one of the expert's slots. Neighbouring cells
// mostly share a slot, so the table keeps runs: a few for each replica, however
// many ranks there are.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_REPLICATABLE_H
#define MOE_PLANNING_REPLICATABLE_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace moe::planning {

/// Tokens fall into this many classes by their global index.
inline constexpr int64_t tokenClasses = 64;

class ReplicaTable {
public:
  /// Cells from `begin` to the next run's begin.
  struct Run {
    int64_t begin = 0;
    int64_t slot = 0;

    bool operator==(const Run &other) const {
      return begin == other.begin && slot == other.slot;
    }
  };

  ReplicaTable() = default;
  /// One slot a cell.
  explicit ReplicaTable(llvm::ArrayRef<int64_t> slots);
  /// Runs in the order of their cells, the first at cell 0. Neighbours with one
  /// slot are merged.
  ReplicaTable(int64_t cells, llvm::ArrayRef<Run> runs);

  int64_t cells() const { return cellCount; }
  llvm::ArrayRef<Run> runs() const { return runList; }
  /// The cells of run `index`.
  int64_t lengthOf(size_t index) const {
    return (index + 1 < runList.size() ? runList[index + 1].begin : cellCount) -
           runList[index].begin;
  }

  int64_t slotAt(int64_t cell) const;
  /// One slot a cell.
  std::vector<int64_t> expand() const;

  bool operator==(const ReplicaTable &other) const {
    return cellCount == other.cellCount && runList == other.runList;
  }

private:
  void append(Run run);

  int64_t cellCount = 0;
  std::vector<Run> runList;
};

} // namespace moe::planning

#endif // MOE_PLANNING_REPLICATABLE_H
