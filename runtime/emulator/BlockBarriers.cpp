// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- BlockBarriers.cpp --------------------------------------------------===//

#include "emulator/BlockBarriers.h"
#include "emulator/KernelRun.h"

#include <algorithm>
#include <iterator>

namespace moert::emulator {

void shareKnowledge(const std::vector<KernelThread *> &threads) {
  std::vector<uint32_t> all(threads.front()->block->threads.size(), 0);
  for (const KernelThread *thread : threads) {
    all[thread->index] = thread->time;
    for (size_t i = 0; i < thread->known.size(); ++i) {
      all[i] = std::max(all[i], thread->known[i]);
    }
  }
  for (KernelThread *thread : threads) {
    thread->known = all;
    ++thread->time;
  }
}

/// All live threads know what all threads have done.
static void shareInBlock(Block &block) {
  for (KernelThread &thread : block.threads) {
    block.knownToBlock[thread.index] = thread.time;
    thread.known.clear();
    ++thread.time;
  }
  ++block.syncs;
  for (Warp &warp : block.warps) {
    ++warp.syncs;
  }
}

static bool isComplete(const Block &block, const BlockBarrier &barrier) {
  return barrier.arrived > 0 &&
         (barrier.expected == 0 ? barrier.arrived == block.live
                                : barrier.arrived >= barrier.expected);
}

/// barrier.sync.aligned wants the lanes of a warp at one instruction.
static void checkAligned(const std::vector<KernelThread *> &threads) {
  for (size_t i = 1; i < threads.size(); ++i) {
    const KernelThread &a = *threads[i - 1], &b = *threads[i];
    if (a.warp == b.warp && a.waiting.site != b.waiting.site) {
      b.run->memory.report(
          FindingKind::Divergence, b, b.waiting.site,
          "meets lanes of its warp in a bar.sync of another place: " +
              b.run->memory.describe(a.number, a.waiting.site),
          a.waiting.site);
    }
  }
}

static void release(Block &block, uint32_t index) {
  std::vector<KernelThread *> threads;
  for (KernelThread &thread : block.threads) {
    if (thread.waiting.barrier == index) {
      threads.push_back(&thread);
    }
  }
  checkAligned(threads);
  if (threads.size() == block.live) {
    shareInBlock(block);
  } else {
    shareKnowledge(threads);
  }
  block.barriers[index] = {};
  for (const KernelThread *thread : threads) {
    thread->run->wake(*thread->warp, uint32_t(1) << thread->lane);
  }
}

void meetInBlock(KernelThread &thread, uint32_t barrier, uint32_t threads,
                 uint32_t site) {
  Block &block = *thread.block;
  KernelMemory &memory = thread.run->memory;
  if (barrier >= std::size(block.barriers) || threads % warpSize != 0) {
    memory.report(FindingKind::Divergence, thread, site,
                  "is at bar.sync " + std::to_string(barrier) + " for " +
                      std::to_string(threads) +
                      " threads, but there are 16 barriers, and warps of 32");
    return;
  }
  BlockBarrier &here = block.barriers[barrier];
  if (here.arrived > 0 && here.expected != threads) {
    memory.report(FindingKind::Divergence, thread, site,
                  "is at bar.sync " + std::to_string(barrier) + " for " +
                      std::to_string(threads) +
                      " threads, but others wait there for " +
                      std::to_string(here.expected) + " (0: all)");
  }
  here.expected = threads;
  ++here.arrived;
  WaitingAt waiting;
  waiting.what = "bar.sync";
  waiting.barrier = barrier;
  waiting.site = site;
  thread.waiting = waiting;
  if (isComplete(block, here)) {
    release(block, barrier);
    thread.run->mayLeave(thread);
  } else {
    thread.run->wait(thread, waiting);
  }
}

void endBarriers(KernelThread &thread) {
  Block &block = *thread.block;
  for (uint32_t index = 0; index < std::size(block.barriers); ++index) {
    if (isComplete(block, block.barriers[index])) {
      release(block, index);
    }
  }
}

} // namespace moert::emulator
