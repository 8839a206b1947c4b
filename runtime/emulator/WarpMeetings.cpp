// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WarpMeetings.cpp ---------------------------------------------------===//

#include "emulator/WarpMeetings.h"
#include "emulator/KernelRun.h"
#include "emulator/WarpOperations.h"

#include <algorithm>

namespace moert::emulator {

static const char *nameOf(WarpCall::Kind kind) {
  switch (kind) {
  case WarpCall::Kind::Barrier:
    return "bar.warp.sync";
  case WarpCall::Kind::Shuffle:
    return "shfl.sync";
  case WarpCall::Kind::Vote:
    return "vote.sync";
  case WarpCall::Kind::Reduce:
    return "redux.sync";
  case WarpCall::Kind::LoadMatrix:
    return "ldmatrix.sync.aligned";
  case WarpCall::Kind::Multiply:
    return "mma.sync.aligned";
  }
  return "";
}

static bool isComplete(const Warp &warp, const Meeting &meeting) {
  return meeting.arrived == (meeting.call.mask & warp.live);
}

/// Instructions that are .aligned need all lanes of the warp.
static void checkWhole(const Warp &warp, const Meeting &meeting) {
  bool isAligned = meeting.call.kind == WarpCall::Kind::LoadMatrix ||
                   meeting.call.kind == WarpCall::Kind::Multiply;
  if (isAligned && meeting.arrived != ~0u) {
    const KernelThread &first = warp.lanes[__builtin_ctz(meeting.arrived)];
    first.run->memory.report(FindingKind::Divergence, first, meeting.call.place,
                             std::string("is at ") + nameOf(meeting.call.kind) +
                                 " without all lanes of its warp");
  }
}

/// Does what the lanes have met for, and lets them go on.
static void conclude(Warp &warp, Meeting meeting, KernelRun &run) {
  checkWhole(warp, meeting);
  perform(warp, meeting.call, meeting.arrived);
  run.wake(warp, meeting.arrived);
}

void meetInWarp(KernelThread &thread, const WarpCall &call, void *operands,
                uint32_t site) {
  Warp &warp = *thread.warp;
  uint32_t self = uint32_t(1) << thread.lane;
  WarpCall made = call;
  if ((made.mask & self) == 0) {
    thread.run->memory.report(FindingKind::Divergence, thread, site,
                              std::string("is at ") + nameOf(call.kind) +
                                  " with a mask that lacks its own lane");
    made.mask = self;
  }
  thread.operands = operands;
  auto meeting =
      std::find_if(warp.meetings.begin(), warp.meetings.end(),
                   [&](const Meeting &other) { return other.call == made; });
  if (meeting == warp.meetings.end()) {
    warp.meetings.push_back({made, 0});
    meeting = std::prev(warp.meetings.end());
  }
  meeting->arrived |= self;
  if (isComplete(warp, *meeting)) {
    Meeting complete = *meeting;
    warp.meetings.erase(meeting);
    conclude(warp, complete, *thread.run);
    return;
  }
  WaitingAt here;
  here.what = nameOf(call.kind);
  here.mask = made.mask;
  here.site = site;
  thread.run->wait(thread, here);
}

void endMeetings(KernelThread &thread) {
  Warp &warp = *thread.warp;
  for (size_t i = 0; i < warp.meetings.size();) {
    if (!isComplete(warp, warp.meetings[i])) {
      ++i;
      continue;
    }
    Meeting complete = warp.meetings[i];
    warp.meetings.erase(warp.meetings.begin() + std::ptrdiff_t(i));
    conclude(warp, complete, *thread.run);
  }
}

} // namespace moert::emulator
