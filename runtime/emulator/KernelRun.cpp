// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelRun.cpp ------------------------------------------------------===//

#include "emulator/KernelRun.h"
#include "emulator/BlockBarriers.h"
#include "emulator/WarpMeetings.h"

#include <algorithm>

namespace moert::emulator {

/// Beyond what a body may use: for the checks of its calls.
static constexpr size_t stackBytesOfCalls = size_t(32) << 10;

static uint32_t product(const uint32_t (&extents)[3]) {
  return extents[0] * extents[1] * extents[2];
}

std::string LaunchItem::name() const {
  return std::string("kernel ") + launch.kernel->name;
}

bool LaunchItem::run(Machine &machine) {
  if (stream->device->error == cuda::Success) {
    stream->device->error = KernelRun(machine, *stream, launch).run();
  }
  return true;
}

KernelRun::KernelRun(Machine &machine, cuda::StreamObject &stream,
                     const Launch &launch)
    : launch(launch), memory(machine, stream, launch), machine(machine),
      schedule(machine.draw()) {
  uint32_t threads = product(launch.grid.threads);
  uint32_t blocks = product(launch.grid.blocks);
  size_t shared = launch.sharedBytes();
  int perUnit =
      Multiprocessor(machine.options)
          .residentBlocks(int(threads), launch.kernel->static_shared_bytes +
                                            launch.dynamicSharedBytes);
  size_t places = std::min<size_t>(
      blocks, size_t(perUnit) * size_t(machine.options.multiprocessors));
  for (uint32_t block = 0; block < blocks; ++block) {
    pending.push_back(block);
    std::swap(pending.back(), pending[schedule.draw() % pending.size()]);
  }
  size_t bodyBytes = MOERT_KERNEL_STACK;
  while (machine.fibers.size() < places * threads) {
    machine.fibers.push_back(std::make_unique<Fiber>(
        bodyBytes + stackBytesOfCalls, machine.fibers.size()));
  }
  for (size_t place = 0; place < places; ++place) {
    resident.push_back(std::make_unique<Block>());
    Block &block = *resident.back();
    block.threads.resize(threads);
    block.warps.resize((threads + warpSize - 1) / warpSize);
    block.sharedBytes = shared;
    block.shared.resize((shared + 15) / 16);
    block.sharedShadow = std::make_unique<ShadowMemory>(shared);
    for (uint32_t i = 0; i < threads; ++i) {
      block.threads[i].fiber = machine.fibers[place * threads + i].get();
    }
  }
}

void KernelRun::clearShared(Block &block) {
  for (Block::SharedWords &element : block.shared) {
    element = {{schedule.draw(), schedule.draw()}};
  }
  block.sharedShadow->setInitialized(0, block.sharedBytes, false);
  block.sharedShadow->enter(machine.nextLaunch());
}

void KernelRun::beginThreads(Block &block) {
  const uint32_t (&extents)[3] = launch.grid.threads;
  for (uint32_t i = 0; i < block.threads.size(); ++i) {
    KernelThread &thread = block.threads[i];
    Fiber *fiber = thread.fiber;
    thread = KernelThread();
    thread.fiber = fiber;
    thread.run = this;
    thread.block = &block;
    thread.warp = &block.warps[i / warpSize];
    thread.number = block.first + i;
    thread.index = i;
    thread.lane = i % warpSize;
    thread.position[0] = i % extents[0];
    thread.position[1] = i / extents[0] % extents[1];
    thread.position[2] = i / extents[0] / extents[1];
    fiber->start(enter, &thread);
  }
}

void KernelRun::begin(Block &block) {
  const uint32_t (&extents)[3] = launch.grid.blocks;
  uint32_t index = pending.back();
  pending.pop_back();
  auto threads = uint32_t(block.threads.size());
  block.position[0] = index % extents[0];
  block.position[1] = index / extents[0] % extents[1];
  block.position[2] = index / extents[0] / extents[1];
  block.first = index * threads;
  block.live = threads;
  block.syncs = 0;
  std::fill(std::begin(block.barriers), std::end(block.barriers),
            BlockBarrier());
  block.knownToBlock.assign(threads, 0);
  block.knownToWarp.assign(threads, 0);
  clearShared(block);
  beginThreads(block);
  for (uint32_t i = 0; i < block.warps.size(); ++i) {
    Warp &warp = block.warps[i];
    uint32_t lanes = std::min(warpSize, threads - i * warpSize);
    warp = Warp();
    warp.block = &block;
    warp.lanes = &block.threads[size_t(i) * warpSize];
    warp.live = lanes == warpSize ? ~0u : (1u << lanes) - 1;
    schedule.wake(warp, warp.live);
  }
}

cuda::Result KernelRun::run() {
  for (std::unique_ptr<Block> &block : resident) {
    begin(*block);
  }
  while (KernelThread *thread = schedule.next()) {
    ended = nullptr;
    main.switchTo(*thread->fiber);
    if (trapped) {
      return cuda::LaunchFailed;
    }
    if (ended && !pending.empty()) {
      begin(*ended);
    }
  }
  bool stuck = std::any_of(
      resident.begin(), resident.end(),
      [](const std::unique_ptr<Block> &block) { return block->live != 0; });
  if (stuck) {
    reportDeadlock();
  }
  memory.logAccesses();
  return stuck             ? cuda::LaunchFailed
         : memory.failed() ? cuda::IllegalAddress
                           : cuda::Success;
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

void KernelRun::enter(void *argument) {
  auto &thread = *static_cast<KernelThread *>(argument);
  const Launch &launch = thread.run->launch;
  launch.kernel->body(&kernelCalls(), &thread, launch.arguments.data());
  thread.run->finish(thread);
}

void KernelRun::leave(KernelThread &thread) {
  KernelThread *next = schedule.next();
  if (next != &thread) {
    thread.fiber->switchTo(next ? *next->fiber : main);
  }
}

void KernelRun::wait(KernelThread &thread, const WaitingAt &waiting) {
  thread.waiting = waiting;
  schedule.stop(*thread.warp, thread.lane);
  leave(thread);
}

void KernelRun::wake(Warp &warp, uint32_t lanes) {
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    warp.lanes[__builtin_ctz(rest)].waiting = {};
  }
  schedule.wake(warp, lanes);
}

void KernelRun::finish(KernelThread &thread) {
  Block &block = *thread.block;
  schedule.stop(*thread.warp, thread.lane);
  thread.warp->live &= ~(uint32_t(1) << thread.lane);
  --block.live;
  // Those that waited for it wait for one less.
  endMeetings(thread);
  endBarriers(thread);
  KernelThread *next = nullptr;
  if (block.live == 0) {
    ended = &block;
  } else {
    next = schedule.next();
  }
  thread.fiber->endWith(next ? *next->fiber : main);
}

void KernelRun::trap(KernelThread &thread, uint32_t site) {
  memory.report(FindingKind::Trap, thread, site, "traps");
  trapped = true;
  thread.fiber->endWith(main);
}

//===----------------------------------------------------------------------===//
// Deadlocks
//===----------------------------------------------------------------------===//

static bool isAlike(const WaitingAt &a, const WaitingAt &b) {
  return a.what == b.what && a.barrier == b.barrier && a.mask == b.mask &&
         a.site == b.site;
}

/// For example "thread 3 waits at bar.sync 0 at moe.rows at m.mlir:3:1".
static std::string describeWaiting(const Launch &launch, uint32_t first,
                                   uint32_t last, const WaitingAt &at) {
  static const char digits[] = "0123456789abcdef";
  std::string text = first == last
                         ? "thread " + std::to_string(first) + " waits at "
                         : "threads " + std::to_string(first) + " to " +
                               std::to_string(last) + " wait at ";
  text += at.what;
  if (at.barrier != WaitingAt::noBarrier) {
    text += " " + std::to_string(at.barrier);
  } else {
    text += " of lanes 0x";
    for (int shift = 28; shift >= 0; shift -= 4) {
      text += digits[at.mask >> shift & 15];
    }
  }
  std::string place = launch.image->site(at.site);
  return place.empty() ? text : text + " at " + place;
}

void KernelRun::reportDeadlock() {
  static constexpr size_t mostGroups = 6;
  std::string text = "no thread can go on:";
  for (const std::unique_ptr<Block> &block : resident) {
    if (block->live == 0) {
      continue;
    }
    text += " in block " + std::to_string(block->first / block->threads.size());
    const std::vector<KernelThread> &threads = block->threads;
    size_t groups = 0;
    for (uint32_t first = 0, end = 0; first < threads.size(); first = end) {
      end = first + 1;
      const WaitingAt &at = threads[first].waiting;
      if (!at.what) {
        continue;
      }
      while (end < threads.size() && isAlike(threads[end].waiting, at)) {
        ++end;
      }
      if (++groups <= mostGroups) {
        text += (groups == 1 ? " " : ", ") +
                describeWaiting(launch, first, end - 1, at);
      }
    }
    text += groups > mostGroups ? ", and others" : "";
    // One block shows what is wrong.
    break;
  }
  memory.report(FindingKind::Deadlock, text);
}

} // namespace moert::emulator
