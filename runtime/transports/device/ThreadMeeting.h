// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadMeeting.h - A bootstrap for threads of one process -*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_DEVICE_THREADMEETING_H
#define MOERT_TRANSPORTS_DEVICE_THREADMEETING_H

#include "moert/moert.h"

#include <condition_variable>
#include <mutex>
#include <vector>

namespace moert {

/// Where the ranks of a job meet that are threads of one process.
class ThreadMeeting {
public:
  explicit ThreadMeeting(int32_t size);

  /// The table of one rank; valid as long as the meeting.
  const moert_bootstrap &table(int32_t rank) const {
    return tables[size_t(rank)];
  }
  /// A rank will not come: who waits for it, now or later, fails.
  void close();

private:
  struct Seat {
    ThreadMeeting *meeting;
    int32_t rank;
  };

  static int32_t allGather(void *state, const void *source, int64_t bytes,
                           void *destination);
  static int32_t barrier(void *state);

  const int32_t size;
  std::vector<Seat> seats;
  std::vector<moert_bootstrap> tables;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<char> board;
  int32_t arrived = 0;
  int64_t turns = 0;
  bool closed = false;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_DEVICE_THREADMEETING_H
