// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- host-program.c - A host's own threads and bootstrap table ----------===//
//
// Four ranks that a C program starts itself, and that meet through the C
// library only: what a framework that embeds the runtime does. It brings its
// own threads, bootstrap table and memory, asks what the transport can do,
// calls the collectives as compiled code does, and at last ends the job.
//
//===----------------------------------------------------------------------===//

#define _POSIX_C_SOURCE 200809L

#include "meeting.h"

#include "moert/compiled.h"
#include "moert/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { rankCount = 4 };

struct Member {
  struct Seat seat;
  /// Bytes that the runtime has not given back.
  int64_t allocated;
};

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

  int stream = 0;
  moert_frame frame = {0};
  frame.struct_size = sizeof(frame);
  frame.context = context;
  frame.stream = &stream;
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

static void *allocate(void *state, int64_t bytes, int64_t alignment) {
  struct Member *member = state;
  void *pointer = NULL;
  if (posix_memalign(&pointer, (size_t)alignment, (size_t)bytes) != 0) {
    return NULL;
  }
  member->allocated += bytes;
  return pointer;
}

static void deallocate(void *state, void *pointer, int64_t bytes) {
  struct Member *member = state;
  member->allocated -= bytes;
  free(pointer);
}

static void checkMemory(moert_context *context, const struct Member *member) {
  void *pointer = NULL;
  require(moert_context_allocate(context, 1 << 20, &pointer) == MOERT_OK &&
              member->allocated == 1 << 20,
          "allocate");
  moert_context_deallocate(context, pointer, 1 << 20);
  require(member->allocated == 0, "deallocate");
}

static void checkCapabilities(moert_context *context) {
  int64_t value = -1;
  require(moert_context_query(context, MOERT_CAPABILITY_STREAMS, &value) ==
                  MOERT_OK &&
              value == 0,
          "streams are for devices");
  require(moert_context_query(context, MOERT_CAPABILITY_REDUCIBLE_DTYPES,
                              &value) == MOERT_OK &&
              (value >> MOERT_BF16 & 1) == 1,
          "bf16 can be reduced");
}

/// Rank 3 ends the job; every rank is told why. Without it the others would
/// wait until the deadline of a minute.
static void endTogether(moert_context *context, struct Member *member) {
  // Not while others are still in a collective.
  require(meetBarrier(&member->seat) == 0, "barrier");
  if (member->seat.rank == 3) {
    moert_context_abort(context, MOERT_ABORTED, "no more work");
  }
  moert_comm *comm = NULL;
  require(moert_context_comm(context, MOERT_WORLD, &comm) == MOERT_OK, "comm");
  moert_collective barrier = {0};
  barrier.struct_size = sizeof(barrier);
  barrier.kind = MOERT_BARRIER;
  barrier.id = 3;
  barrier.layer = -1;
  require(moert_comm_run(comm, &barrier) == MOERT_ABORTED, "abort");
  const char *text = NULL;
  require(moert_context_status(context, &text) == MOERT_ABORTED &&
              strcmp(text, "rank 3: after all_to_all_v #2: no more work") == 0,
          text);
}

static void *runMember(void *argument) {
  struct Member *member = argument;
  moert_bootstrap bootstrap = bootstrapOf(&member->seat);
  moert_allocator allocator = {0};
  allocator.struct_size = sizeof(allocator);
  allocator.state = member;
  allocator.allocate = allocate;
  allocator.deallocate = deallocate;
  moert_options options = {0};
  options.struct_size = sizeof(options);
  options.abi_version = MOERT_ABI_VERSION;
  options.deadline_ns = INT64_C(60000000000);
  options.allocator = &allocator;
  moert_message message = {0};
  message.struct_size = sizeof(message);
  moert_context *context = NULL;
  if (moert_context_create(&options, &bootstrap, &context, &message) !=
      MOERT_OK) {
    fprintf(stderr, "error: %s\n", message.text);
    exit(1);
  }
  checkMemory(context, member);
  checkCapabilities(context);
  takePart(context, member->seat.rank);
  endTogether(context, member);
  moert_context_destroy(context);
  return NULL;
}

int main(void) {
  require(moert_abi_version() == MOERT_ABI_VERSION, "ABI version");
  struct Meeting meeting;
  meeting.ranks = rankCount;
  require(pthread_barrier_init(&meeting.barrier, NULL, rankCount) == 0,
          "barrier");
  struct Member members[rankCount];
  pthread_t threads[rankCount];
  for (int32_t rank = 0; rank < rankCount; ++rank) {
    members[rank].seat.meeting = &meeting;
    members[rank].seat.rank = rank;
    members[rank].allocated = 0;
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
