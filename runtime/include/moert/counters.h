// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- counters.h - What a rank sent, and where its time went -----*- C -*-===//
//
// The part of moert.h, which includes it, about bytes, messages, phases and the
// trace.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_COUNTERS_H
#define MOERT_COUNTERS_H

// NOLINTNEXTLINE(misc-header-include-cycle): this header can be read alone, too
#include "moert/moert.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What this rank sent on one class of link. Every byte is counted once, at
/// the rank that holds it; the sum over ranks is the traffic of the job.
typedef struct moert_traffic {
  /// Payload bytes.
  int64_t bytes;
  /// Non-empty blocks, one per receiving rank and collective.
  int64_t messages;
} moert_traffic;

/// All calls of one collective: same kind, id, layer and set.
typedef struct moert_counter {
  uint32_t struct_size;
  /// As in moert_collective.
  moert_kind kind;
  /// As in moert_collective.
  int32_t id;
  /// As in moert_collective.
  int32_t layer;
  /// Index of the group set, or MOERT_WORLD.
  int32_t set;
  /// Number of entries in `tiers`.
  int32_t tier_count;
  /// How often it was started.
  int64_t calls;
  /// Time in which this rank could do nothing but wait.
  int64_t wait_ns;
  /// Time in which this rank moved data for this collective, its own or its
  /// peers'.
  int64_t move_ns;
  /// What stayed on this rank.
  moert_traffic local;
  /// [tier_count]; valid until the context's next call.
  const moert_traffic *tiers;
} moert_counter;

/// The number of counters so far; they are ordered by first use.
int64_t moert_context_counter_count(const moert_context *context);
moert_status moert_context_counter(const moert_context *context, int64_t index,
                                   moert_counter *counter);
/// Sum over all counters of a kind (negative: of all kinds) on one tier
/// (MOERT_TIER_LOCAL: what stayed on this rank).
#define MOERT_TIER_LOCAL (-1)
moert_status moert_context_traffic(const moert_context *context,
                                   moert_kind kind, int32_t tier,
                                   moert_traffic *traffic);
int32_t moert_context_tier_count(const moert_context *context);
/// Null for an index that is none; "local" for MOERT_TIER_LOCAL.
const char *moert_context_tier_name(const moert_context *context, int32_t tier);

/// What a rank spends its time on. A program sets all but exchange and wait,
/// into which the runtime switches by itself inside a collective.
typedef int32_t moert_phase;
enum {
  MOERT_PHASE_ROUTER = 0,
  MOERT_PHASE_LAYOUT = 1,
  MOERT_PHASE_PERMUTE = 2,
  /// Moving data, and the bookkeeping of collectives.
  MOERT_PHASE_EXCHANGE = 3,
  MOERT_PHASE_EXPERTS = 4,
  MOERT_PHASE_SHARED = 5,
  MOERT_PHASE_COMBINE = 6,
  /// The phase of a new context.
  MOERT_PHASE_OTHER = 7,
  /// Waiting for other ranks, or for a core.
  MOERT_PHASE_WAIT = 8
};
#define MOERT_PHASE_COUNT 9
const char *moert_phase_name(moert_phase phase);

/// Time from here on counts to `phase`.
moert_status moert_context_set_phase(moert_context *context, moert_phase phase);
/// Nanoseconds spent so far, wall clock.
moert_status moert_context_phase_ns(const moert_context *context,
                                    moert_phase phase, int64_t *ns);
/// Sets all counters, phase times and trace events of this rank to zero.
void moert_context_reset_counters(moert_context *context);

/// Receives text piece by piece; returns 0 to go on.
typedef int32_t (*moert_write)(void *state, const char *text, int64_t bytes);
/// Writes this rank's events in Chrome's trace format (a JSON array; the time
/// unit is the microsecond, the thread id is the rank), which Perfetto reads.
moert_status moert_context_write_trace(const moert_context *context,
                                       moert_write write, void *state);

#ifdef __cplusplus
}
#endif

#endif // MOERT_COUNTERS_H
