// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadMeeting.cpp --------------------------------------------------===//

#include "transports/device/ThreadMeeting.h"

#include <cstring>

namespace moert {

ThreadMeeting::ThreadMeeting(int32_t size) : size(size) {
  seats.reserve(size_t(size));
  for (int32_t rank = 0; rank < size; ++rank) {
    seats.push_back({this, rank});
    moert_bootstrap table = {};
    table.struct_size = sizeof(table);
    table.rank = rank;
    table.size = size;
    table.state = &seats.back();
    table.all_gather = allGather;
    table.barrier = barrier;
    tables.push_back(table);
  }
}

void ThreadMeeting::close() {
  std::lock_guard<std::mutex> lock(mutex);
  closed = true;
  changed.notify_all();
}

int32_t ThreadMeeting::allGather(void *state, const void *source, int64_t bytes,
                                 void *destination) {
  Seat &seat = *static_cast<Seat *>(state);
  ThreadMeeting &meeting = *seat.meeting;
  {
    std::lock_guard<std::mutex> lock(meeting.mutex);
    meeting.board.resize(size_t(meeting.size * bytes));
    std::memcpy(meeting.board.data() + seat.rank * bytes, source,
                size_t(bytes));
  }
  if (barrier(state) != 0) {
    return 1;
  }
  std::memcpy(destination, meeting.board.data(), meeting.board.size());
  // Nobody writes the next one before all have read this one.
  return barrier(state);
}

int32_t ThreadMeeting::barrier(void *state) {
  ThreadMeeting &meeting = *static_cast<Seat *>(state)->meeting;
  std::unique_lock<std::mutex> lock(meeting.mutex);
  int64_t turn = meeting.turns;
  if (++meeting.arrived == meeting.size) {
    meeting.arrived = 0;
    ++meeting.turns;
    meeting.changed.notify_all();
  }
  meeting.changed.wait(lock,
                       [&] { return meeting.turns != turn || meeting.closed; });
  return meeting.turns != turn ? 0 : 1;
}

} // namespace moert
