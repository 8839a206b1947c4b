// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AccessLog.cpp ------------------------------------------------------===//

#include "emulator/AccessLog.h"

#include <iterator>

namespace moert::emulator {

void AccessLog::split(size_t place) {
  auto range = std::prev(ranges.upper_bound(place));
  if (range->first != place && place < range->second.end) {
    Range rest = range->second;
    range->second.end = place;
    ranges.emplace(place, std::move(rest));
  }
}

Step AccessLog::add(size_t begin, size_t end, AccessKind kind, const Step &step,
                    const Clock &clock) {
  Step conflict;
  split(begin);
  split(end);
  for (auto range = ranges.lower_bound(begin);
       range != ranges.end() && range->first < end; ++range) {
    Range &touched = range->second;
    if (!touched.write.happenedBefore(clock)) {
      conflict = touched.write;
    }
    if (kind == AccessKind::Read) {
      touched.reads[step.actor] = step;
      continue;
    }
    for (const auto &[actor, read] : touched.reads) {
      if (!read.happenedBefore(clock)) {
        conflict = read;
      }
    }
    touched.reads.clear();
    touched.write = step;
  }
  if (kind == AccessKind::Write && begin < end) {
    // All of it has the same history now.
    auto first = ranges.find(begin);
    first->second.end = end;
    ranges.erase(std::next(first), ranges.lower_bound(end));
  }
  return conflict;
}

} // namespace moert::emulator
