// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WarpSchedule.cpp ---------------------------------------------------===//

#include "emulator/WarpSchedule.h"

namespace moert::emulator {

/// splitmix64: any seed will do, and a step costs next to nothing.
uint64_t WarpSchedule::draw() {
  state += 0x9e3779b97f4a7c15u;
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

WarpSchedule::WarpSchedule(uint64_t seed) : state(seed) {
  // From threads that take turns at every few accesses to such that nearly only
  // synchronisation stops.
  accessesBetween = 16u << (draw() % 4 * 4);
  leaveWarp();
}

void WarpSchedule::leaveWarp() {
  untilSwitch = 1 + uint32_t(draw() % (2 * uint64_t(accessesBetween)));
  current = nullptr;
}

void WarpSchedule::wake(Warp &warp, uint32_t lanes) {
  if (warp.runnable == 0 && lanes != 0) {
    warp.place = runnable.size();
    runnable.push_back(&warp);
  }
  warp.runnable |= lanes;
}

void WarpSchedule::stop(Warp &warp, uint32_t stopped) {
  warp.runnable &= ~(uint32_t(1) << stopped);
  if (warp.runnable == 0) {
    runnable.back()->place = warp.place;
    runnable[warp.place] = runnable.back();
    runnable.pop_back();
  }
}

KernelThread *WarpSchedule::next() {
  if (runnable.empty()) {
    return nullptr;
  }
  if (!current || current->runnable == 0) {
    uint64_t drawn = draw();
    current = runnable[(drawn >> 8) % runnable.size()];
    lane = drawn % warpSize;
    descends = (drawn >> 5 & 1) != 0;
  }
  // Lanes in the order in which they are visited, from the next one on.
  uint32_t lanes = current->runnable;
  if (descends) {
    uint32_t turned =
        lanes << (31 - lane) | (lane == 31 ? 0 : lanes >> (lane + 1));
    lane = (lane - uint32_t(__builtin_clz(turned))) % warpSize;
  } else {
    uint32_t turned = lanes >> lane | (lane == 0 ? 0 : lanes << (32 - lane));
    lane = (lane + uint32_t(__builtin_ctz(turned))) % warpSize;
  }
  KernelThread *thread = current->lanes + lane;
  lane = (descends ? lane - 1 : lane + 1) % warpSize;
  return thread;
}

} // namespace moert::emulator
