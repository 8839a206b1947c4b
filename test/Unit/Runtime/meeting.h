// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- meeting.h - A bootstrap table over the C library
//--------------------===//
//
// Ranks that are threads of one process meet at a barrier and lay what they
// have to say on a table.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TEST_UNIT_RUNTIME_MEETING_H
#define MOE_TEST_UNIT_RUNTIME_MEETING_H

#include "moert/moert.h"

#include <pthread.h>
#include <string.h>

enum { meetingSeats = 4 };

/// What all ranks share; the barrier is for `ranks` threads.
struct Meeting {
  pthread_barrier_t barrier;
  int32_t ranks;
  char table[meetingSeats][256];
};

/// What is a rank's own.
struct Seat {
  struct Meeting *meeting;
  int32_t rank;
};

static int32_t meetBarrier(void *state) {
  struct Seat *seat = state;
  int result = pthread_barrier_wait(&seat->meeting->barrier);
  return result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : 1;
}

static int32_t meetAllGather(void *state, const void *source, int64_t bytes,
                             void *destination) {
  struct Seat *seat = state;
  struct Meeting *meeting = seat->meeting;
  if (bytes > (int64_t)sizeof(meeting->table[0])) {
    return 1;
  }
  memcpy(meeting->table[seat->rank], source, (size_t)bytes);
  if (meetBarrier(state) != 0) {
    return 1;
  }
  for (int32_t rank = 0; rank < meeting->ranks; ++rank) {
    memcpy((char *)destination + rank * bytes, meeting->table[rank],
           (size_t)bytes);
  }
  // Nobody writes to the table before all have read it.
  return meetBarrier(state);
}

/// The table of a rank, which lives as long as its seat.
static moert_bootstrap bootstrapOf(struct Seat *seat) {
  moert_bootstrap bootstrap = {0};
  bootstrap.struct_size = sizeof(bootstrap);
  bootstrap.rank = seat->rank;
  bootstrap.size = seat->meeting->ranks;
  bootstrap.state = seat;
  bootstrap.all_gather = meetAllGather;
  bootstrap.barrier = meetBarrier;
  return bootstrap;
}

#endif // MOE_TEST_UNIT_RUNTIME_MEETING_H
