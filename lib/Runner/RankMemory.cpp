// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RankMemory.h"

#include "moe/Report/Table.h"

#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <mutex>

using namespace moe::runner;

namespace {
struct RunningRank {
  const std::string *layer = nullptr;
  int64_t rank = -1;
};
} // namespace

static thread_local RunningRank running;

RankScope::RankScope(const std::string &layer, int64_t rank) {
  running = {&layer, rank};
}

RankScope::~RankScope() { running = {}; }

void *moe::runner::allocateForRank(size_t bytes) {
  if (void *memory = std::malloc(bytes)) {
    return memory;
  }
  // Ranks are alike: the first one speaks for all.
  static std::mutex mutex;
  mutex.lock();
  std::string text = "error: ";
  if (running.layer && !running.layer->empty()) {
    text += "layer " + *running.layer + ": ";
  }
  if (running.rank >= 0) {
    text += "rank " + std::to_string(running.rank) + ": ";
  }
  llvm::errs() << text << "no memory for a buffer of "
               << report::formatBytes(static_cast<double>(bytes)) << '\n';
  std::_Exit(3);
}
