//===- ReplicaTable.cpp - Which replica serves which tokens ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/ReplicaTable.h"
#include "llvm/ADT/STLExtras.h"
#include <cassert>

using namespace moe::planning;

void ReplicaTable::append(Run run) {
  if (runList.empty() || runList.back().slot != run.slot) {
    runList.push_back(run);
  }
}

ReplicaTable::ReplicaTable(llvm::ArrayRef<int64_t> slots)
    : cellCount(slots.size()) {
  for (auto [cell, slot] : llvm::enumerate(slots)) {
    append({static_cast<int64_t>(cell), slot});
  }
}

ReplicaTable::ReplicaTable(int64_t cells, llvm::ArrayRef<Run> runs)
    : cellCount(cells) {
  assert((runs.empty() || runs.front().begin == 0) && "cells without a slot");
  for (const Run &run : runs) {
    append(run);
  }
}

int64_t ReplicaTable::slotAt(int64_t cell) const {
  assert(cell >= 0 && cell < cellCount && "no such cell");
  auto after = llvm::partition_point(
      runList, [&](const Run &run) { return run.begin <= cell; });
  return std::prev(after)->slot;
}

std::vector<int64_t> ReplicaTable::expand() const {
  std::vector<int64_t> slots;
  slots.reserve(cellCount);
  for (size_t index = 0; index < runList.size(); ++index) {
    slots.insert(slots.end(), lengthOf(index), runList[index].slot);
  }
  return slots;
}
