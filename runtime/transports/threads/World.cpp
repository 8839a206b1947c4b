// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- World.cpp ----------------------------------------------------------===//

#include "transports/threads/World.h"

#include <cstdio>

namespace moert {

std::string RankActivity::lastCollective() const {
  uint64_t packed = last.load(std::memory_order_relaxed);
  if (packed == 0) {
    return {};
  }
  return describe(moert_kind(packed >> 56) - 1, int32_t(uint32_t(packed)),
                  int32_t((packed >> 32) & 0xffffff) - 1);
}

World::World(int32_t size, const WorldOptions &options)
    : size(size), options(options),
      scheduler(size, options.corePermits, options.cpus),
      activity(size_t(size)) {}

void World::fail(moert_status status, std::string text) {
  if (failure.set(status, std::move(text))) {
    scheduler.drain();
  }
}

void World::failRank(int32_t rank, const std::string &what) {
  std::string text = "rank " + std::to_string(rank) + ": ";
  std::string last = activity[size_t(rank)].lastCollective();
  text += last.empty() ? "before any collective: " : "after " + last + ": ";
  text += what;
  std::vector<int32_t> waiting;
  for (int32_t r = 0; r < size; ++r) {
    if (activity[size_t(r)].isWaiting()) {
      waiting.push_back(r);
    }
  }
  if (!waiting.empty()) {
    text += "; " + listRanks(waiting) +
            (waiting.size() == 1 ? " waits in " : " wait in ") +
            activity[size_t(waiting[0])].lastCollective();
  }
  fail(MOERT_RANK_FAILED, text);
}

const std::vector<std::unique_ptr<ThreadGroup>> *
World::bind(size_t index, const GroupSet &set, int32_t rank) {
  std::lock_guard<std::mutex> lock(mutex);
  if (index == sets.size()) {
    BoundSet bound = {set, rank, {}};
    for (const std::vector<int32_t> &ranks : set.groups) {
      bound.groups.push_back(
          std::make_unique<ThreadGroup>(*this, set.name, ranks));
    }
    sets.push_back(std::move(bound));
  } else if (!(sets[index].set == set)) {
    // The world is set 0 and not in the callers' lists.
    fail(MOERT_DIVERGED, "rank " + std::to_string(rank) + ": group set " +
                             std::to_string(int64_t(index) - 1) + " \"" +
                             set.name + "\": rank " +
                             std::to_string(sets[index].boundBy) +
                             " binds other groups there");
    return nullptr;
  }
  return &sets[index].groups;
}

uint64_t World::steps() const {
  uint64_t sum = 0;
  for (const RankActivity &rank : activity) {
    sum += rank.stepCount();
  }
  return sum;
}

std::string listRanks(const std::vector<int32_t> &ranks) {
  constexpr size_t shown = 8;
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < ranks.size() && i < shown; ++i) {
    text += (i ? ", " : "") + std::to_string(ranks[i]);
  }
  if (ranks.size() > shown) {
    text += " and " + std::to_string(ranks.size() - shown) + " more";
  }
  return text;
}

std::string formatSeconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g s", double(ns) / 1e9);
  return text;
}

} // namespace moert
