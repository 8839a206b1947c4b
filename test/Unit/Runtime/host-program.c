// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- host-program.c - A host's own threads and bootstrap table ----------===//
//
// Four ranks that a C program starts itself, and that meet through the C
// library only: what a framework that embeds the runtime does.
//
//===----------------------------------------------------------------------===//

#define _POSIX_C_SOURCE 200809L

#include "moert/compiled.h"
#include "moert/threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { rankCount = 4 };

struct Meeting {
  pthread_barrier_t barrier;
  char gathered[rankCount][256];
};

struct Member {
  struct Meeting *meeting;
  int32_t rank;
};

static int32_t meetBarrier(void *state) {
  struct Member *member = state;
  int result = pthread_barrier_wait(&member->meeting->barrier);
  return result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : 1;
}

static int32_t meetAllGather(void *state, const void *source, int64_t bytes,
                             void *destination) {
  struct Member *member = state;
  char (*gathered)[256] = member->meeting->gathered;
  if (bytes > (int64_t)sizeof(gathered[0])) {
    return 1;
  }
  memcpy(gathered[member->rank], source, (size_t)bytes);
  if (meetBarrier(state) != 0) {
    return 1;
  }
  for (int32_t rank = 0; rank < rankCount; ++rank) {
    memcpy((char *)destination + rank * bytes, gathered[rank], (size_t)bytes);
  }
  return meetBarrier(state);
}

static void require(int condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "error: %s\n", what);
    exit(1);
  }
}

/// Sums a number over all ranks, exchanges rows within pairs, and leaves.
static void takePart(moert_context *context, int32_t rank) {
  const int32_t offsets[] = {0, 2, 4};
  const int32_t ranks[] = {0, 1, 2, 3};
  moert_group_set pairs = {0};
  pairs.struct_size = sizeof(pairs);
  pairs.count = 2;
  pairs.name = "pair";
  pairs.offsets = offsets;
  pairs.ranks = ranks;
  int32_t set = -7;
  require(moert_context_bind_groups(context, &pairs, 1, &set) == MOERT_OK &&
              set == 0,
          "bind_groups");

  moert_frame frame = {sizeof(frame), 0, context, NULL};
  int64_t sum = rank + 1;
  moert_frame_all_reduce(&frame, MOERT_WORLD, 1, &sum, &sum, 1, MOERT_INT64,
                         MOERT_SUM);
  require(sum == 10, "all_reduce");

  const int32_t rows[] = {0, 1, 2};
  int32_t source[2] = {10 * rank, 10 * rank + 1};
  int32_t destination[2] = {-1, -1};
  moert_frame_all_to_all_v(&frame, set, 2, source, rows, destination, rows,
                           sizeof(int32_t));
  int32_t first = rank / 2 * 2;
  require(destination[0] == 10 * first + rank % 2 &&
              destination[1] == 10 * (first + 1) + rank % 2,
          "all_to_all_v");
  require(moert_context_status(context, NULL) == MOERT_OK, "status");
}

static void *runMember(void *argument) {
  struct Member *member = argument;
  moert_bootstrap bootstrap = {0};
  bootstrap.struct_size = sizeof(bootstrap);
  bootstrap.rank = member->rank;
  bootstrap.size = rankCount;
  bootstrap.state = member;
  bootstrap.all_gather = meetAllGather;
  bootstrap.barrier = meetBarrier;
  moert_message message = {0};
  message.struct_size = sizeof(message);
  moert_context *context = NULL;
  if (moert_context_create(NULL, &bootstrap, &context, &message) != MOERT_OK) {
    fprintf(stderr, "error: %s\n", message.text);
    exit(1);
  }
  takePart(context, member->rank);
  moert_context_destroy(context);
  return NULL;
}

int main(void) {
  require(moert_abi_version() == MOERT_ABI_VERSION, "ABI version");
  struct Meeting meeting;
  require(pthread_barrier_init(&meeting.barrier, NULL, rankCount) == 0,
          "barrier");
  struct Member members[rankCount];
  pthread_t threads[rankCount];
  for (int32_t rank = 0; rank < rankCount; ++rank) {
    members[rank].meeting = &meeting;
    members[rank].rank = rank;
    require(pthread_create(&threads[rank], NULL, runMember, &members[rank]) ==
                0,
            "thread");
  }
  for (int32_t rank = 0; rank < rankCount; ++rank) {
    pthread_join(threads[rank], NULL);
  }
  pthread_barrier_destroy(&meeting.barrier);
  puts("4 ranks agreed");
  return 0;
}
