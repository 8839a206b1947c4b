// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- threads.h - Running N ranks, each on a thread --------------*- C -*-===//

#ifndef MOERT_THREADS_H
#define MOERT_THREADS_H

#include "moert/moert.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What one rank does, on a thread of its own, with a core permit held where
/// ranks are threads (on devices nothing is permitted or bound). A
/// result other than MOERT_OK, or a C++ exception, ends the job with
/// MOERT_RANK_FAILED, naming the rank.
typedef moert_status (*moert_rank_body)(moert_context *context, void *user);

/// Where there are at least as many ranks as cores (and core_permits is the
/// default), each rank's thread is bound to a core, so that ranks of one core
/// hand it over to each other; it moves to another core when that has nothing
/// else to run. With this
/// flag the operating system places threads as it likes.
#define MOERT_THREADS_UNBOUND 1u

typedef struct moert_threads_options {
  uint32_t struct_size;
  /// Number of ranks, at least 1.
  int32_t ranks;
  /// Null: the defaults. With a transport whose ranks are devices, each rank
  /// works on one of this process from a thread of its own.
  const moert_options *options;
  /// [set_count] group sets, bound on every rank before its body runs; null
  /// where there are none.
  const moert_group_set *sets;
  /// Number of sets.
  int32_t set_count;
  /// MOERT_THREADS_UNBOUND or 0.
  uint32_t flags;
  /// If not null: a file that receives the trace of all ranks (needs
  /// options->trace_events). Opened before the ranks run, and written also when
  /// the job fails.
  const char *trace_path;
  /// Called from the calling thread, once, if a rank's body has not returned
  /// one deadline after the job failed (a thread cannot be ended from outside).
  /// Null: moert_threads_run goes on waiting for it. A tool prints the message
  /// and ends the process here.
  void (*on_stuck)(void *user, int32_t rank, const moert_message *message);
} moert_threads_options;

/// Runs `body` on every rank, each on a thread of its own, and returns when all
/// have returned and no thread is left: MOERT_OK, or the job's first failure,
/// with its text in `message` if that is not null. `user` is passed on to
/// `body` and on_stuck.
moert_status moert_threads_run(const moert_threads_options *options,
                               moert_rank_body body, void *user,
                               moert_message *message);

#ifdef __cplusplus
}
#endif

#endif // MOERT_THREADS_H
