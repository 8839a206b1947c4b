// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- moert.h - The runtime's C ABI ------------------------------*- C -*-===//
//
// What a program of communicating ranks needs: contexts, groups, collectives,
// counters. C11 and C++17. Rules that hold everywhere:
//
// * Every descriptor begins with `struct_size`, which the caller sets to
//   sizeof(the struct) as compiled; arrays are laid out with it. moe-c/moe.h
//   has the same rule: a struct shorter than the library's is an older
//   caller's, and the fields that it lacks are zero, which is the default of
//   every field that is ever appended. A longer one is a newer caller's, and is
//   taken where all that the library does not know is zero; else it is
//   MOERT_VERSION_MISMATCH, so that nothing which was asked for is passed over.
//   So is a struct shorter than its first version (no descriptor has a second
//   one yet).
// * Fields called `reserved` are 0.
// * Every function that can fail returns a moert_status; outputs come last and
//   are written only on MOERT_OK, unless said otherwise.
// * Handles are opaque. A context, and all that hangs on it, belongs to one
//   rank and is used by one thread at a time; different contexts are
//   independent. The library has no global state.
// * The first failure of any rank ends the job: it becomes the status of every
//   rank ("sticky"), every blocked call returns, every later call returns at
//   once. No exception ever crosses this interface, and nothing blocks longer
//   than the deadline.
// * Text is UTF-8, one line, without a full stop.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_MOERT_H
#define MOERT_MOERT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Changes when a caller must be recompiled. Appending fields to a descriptor
/// does not change it: struct_size tells them apart.
#define MOERT_ABI_VERSION 1

/// The version that the library was built with.
uint32_t moert_abi_version(void);

//===----------------------------------------------------------------------===//
// Status
//===----------------------------------------------------------------------===//

typedef int32_t moert_status;
enum {
  MOERT_OK = 0,
  /// The caller broke a rule of this header.
  MOERT_INVALID_ARGUMENT = 1,
  /// The transport cannot do it (ask moert_context_query beforehand).
  MOERT_UNSUPPORTED = 2,
  /// A struct_size, or the ABI version, that this library does not know.
  MOERT_VERSION_MISMATCH = 3,
  MOERT_OUT_OF_MEMORY = 4,
  /// Ranks of one group asked for different collectives or sizes.
  MOERT_DIVERGED = 5,
  /// A rank left while another one needed it.
  MOERT_RANK_EXITED = 6,
  /// A rank's own code failed: it threw, or returned an error.
  MOERT_RANK_FAILED = 7,
  /// No rank made progress for the length of the deadline.
  MOERT_TIMED_OUT = 8,
  /// A count exceeded the bound that the program was compiled for.
  MOERT_BOUND_EXCEEDED = 9,
  /// moert_context_abort was called.
  MOERT_ABORTED = 10,
  /// The host's bootstrap table failed.
  MOERT_BOOTSTRAP_FAILED = 11,
  MOERT_INTERNAL = 12
};

/// The status in lower-case words, for example "diverged". Never null.
const char *moert_status_name(moert_status status);

#define MOERT_MESSAGE_BYTES 512

/// A status with its text: the optional last output of calls that can fail
/// before a context exists.
typedef struct moert_message {
  uint32_t struct_size;
  /// What the call returned.
  moert_status status;
  /// Zero-terminated, cut off where it does not fit.
  char text[MOERT_MESSAGE_BYTES];
} moert_message;

//===----------------------------------------------------------------------===//
// Element types and reductions
//===----------------------------------------------------------------------===//

typedef int32_t moert_dtype;
enum {
  MOERT_F32 = 0,
  MOERT_BF16 = 1,
  MOERT_F16 = 2,
  /// OCP FP8 E4M3 without infinities ("fn").
  MOERT_F8E4M3 = 3,
  MOERT_F8E5M2 = 4,
  MOERT_INT8 = 5,
  MOERT_INT16 = 6,
  MOERT_INT32 = 7,
  MOERT_INT64 = 8
};

/// Bytes of one element; 0 for an unknown type.
int64_t moert_dtype_bytes(moert_dtype dtype);

/// Reductions go over the ranks of the group in their order in the group.
/// Floating types accumulate in f32 and are rounded once (to nearest even; what
/// overflows E4M3 becomes NaN); integers wrap around. A NaN wins max and min.
typedef int32_t moert_reduction;
enum { MOERT_SUM = 0, MOERT_MAX = 1, MOERT_MIN = 2 };

//===----------------------------------------------------------------------===//
// Bootstrap: how ranks find each other
//===----------------------------------------------------------------------===//

/// Supplied by the host program: the least that ranks need to meet. Used only
/// inside moert_context_create. Functions return 0 on success.
typedef struct moert_bootstrap {
  uint32_t struct_size;
  /// This rank, 0 <= rank < size.
  int32_t rank;
  /// The number of ranks in the job.
  int32_t size;
  uint32_t reserved;
  /// Passed back as the first argument; may be null.
  void *state;
  /// Collects `bytes` bytes of `source` of every rank into `destination`
  /// (size * bytes, in rank order), on every rank.
  int32_t (*all_gather)(void *state, const void *source, int64_t bytes,
                        void *destination);
  /// Returns when every rank has called it.
  int32_t (*barrier)(void *state);
} moert_bootstrap;

//===----------------------------------------------------------------------===//
// Context: one rank of a job
//===----------------------------------------------------------------------===//

typedef struct moert_context moert_context;

/// Where payload memory comes from. The threads transport stages nothing, so
/// it serves moert_context_allocate only. Called by the rank's own thread.
typedef struct moert_allocator {
  uint32_t struct_size;
  uint32_t reserved;
  /// Passed back as the first argument; may be null. It and the functions must
  /// be valid as long as the context.
  void *state;
  /// Returns null when there is no memory. `alignment` is a power of two.
  void *(*allocate)(void *state, int64_t bytes, int64_t alignment);
  /// Gives back what allocate returned for as many bytes.
  void (*deallocate)(void *state, void *pointer, int64_t bytes);
} moert_allocator;

/// When a started collective may move its data. The last two exist to find
/// programs that touch a buffer in flight.
typedef int32_t moert_movement;
enum {
  /// At any time from the last rank's start on: the fastest.
  MOERT_MOVE_ANYTIME = 0,
  /// Only when all ranks of the group are in its wait. All ranks must wait for
  /// their collectives in the same order.
  MOERT_MOVE_LATE = 1,
  /// Inside start, which then blocks until the data is there.
  MOERT_MOVE_EARLY = 2
};

/// Which link a pair of ranks uses, for the counters.
typedef struct moert_tiers {
  uint32_t struct_size;
  /// Number of tiers, at least 1.
  int32_t count;
  /// [count] names, for example {"nvlink", "ib"}.
  const char *const *names;
  /// [size * size], row-major: tier_of[from * size + to] is an index below
  /// count. The diagonal is not read: what stays on a rank counts as local.
  const int32_t *tier_of;
} moert_tiers;

/// CUDA devices that are not the machine's own; see moert/emulator.h.
typedef struct moert_devices moert_devices;

/// What all ranks of a job agree on; equal on all ranks.
typedef struct moert_options {
  uint32_t struct_size;
  /// MOERT_ABI_VERSION.
  uint32_t abi_version;
  /// "threads" (or null, which means it), or "nccl": each rank has a CUDA
  /// device of its own, the calling thread's current context's or else one by
  /// number.
  const char *transport;
  /// When started collectives move their data.
  moert_movement movement;
  /// How many ranks may compute at a time; a rank gives its permit up while it
  /// waits in a collective. 0: no limit, except in moert_threads_run, where 0
  /// means the number of cores that the process may use. With a limit, a rank
  /// asks for its permit with moert_context_acquire_core.
  int32_t core_permits;
  /// A job in which no rank enters or leaves a collective for this long has
  /// stalled. Nanoseconds; 0: 60 seconds; negative: never.
  int64_t deadline_ns;
  /// How long a waiting rank stays awake before it sleeps: it spins, or yields
  /// to ranks that can use its core. Nanoseconds; 0: the default (20 us, and
  /// none where more ranks may run than there are cores); negative: never.
  int64_t spin_ns;
  /// Events to keep per rank for moert_context_write_trace; 0: none.
  int64_t trace_events;
  /// Null: one tier with the name of the transport.
  const moert_tiers *tiers;
  /// Null: the C library's aligned_alloc and free, with nccl cuMemAlloc and
  /// cuMemFree.
  const moert_allocator *allocator;
  /// Null: the machine's own, through libcuda and libnccl.
  const moert_devices *devices;
} moert_options;

/// Joins the job: a collective call of all ranks. `options` may be null and is
/// not kept. With a table of size 1, or null, the job has one rank. On failure
/// `message`, if not null, says why.
moert_status moert_context_create(const moert_options *options,
                                  const moert_bootstrap *bootstrap,
                                  moert_context **context,
                                  moert_message *message);

/// Leaves the job. Ranks that wait for this one, now or later, fail with
/// MOERT_RANK_EXITED; so does the job if a started collective was not waited
/// for. Null is allowed.
void moert_context_destroy(moert_context *context);

int32_t moert_context_rank(const moert_context *context);
int32_t moert_context_size(const moert_context *context);

/// The job's first failure as seen by this rank. `text`, if not null, receives
/// a string that lives as long as the context ("" while all is well).
moert_status moert_context_status(const moert_context *context,
                                  const char **text);

/// Ends the job for all ranks with `status` (not MOERT_OK) and a text that
/// names this rank, its last collective and `reason` (null: "aborted"). Returns
/// once no peer touches this rank's buffers any more, so it is the way out for
/// a rank that cannot wait for what it has started.
void moert_context_abort(moert_context *context, moert_status status,
                         const char *reason);

typedef int32_t moert_capability;
enum {
  /// 1 if source and destination may be device memory.
  MOERT_CAPABILITY_DEVICE_BUFFERS = 0,
  /// 1 if offsets may be in device memory.
  MOERT_CAPABILITY_DEVICE_OFFSETS = 1,
  /// 1 if calls are ordered by their stream, 0 if they block the caller.
  MOERT_CAPABILITY_STREAMS = 2,
  /// 1 if bytes are moved once, from source to destination (a few hundred bytes
  /// may be copied once more where that saves waiting).
  MOERT_CAPABILITY_DIRECT = 3,
  /// Collectives that may be in flight per group; 0: no limit.
  MOERT_CAPABILITY_MAX_IN_FLIGHT = 4,
  /// Bit d is set if moert_dtype d can be reduced.
  MOERT_CAPABILITY_REDUCIBLE_DTYPES = 5,
  /// The moert_movement in force.
  MOERT_CAPABILITY_MOVEMENT = 6,
  /// Core permits of the job; 0: no limit.
  MOERT_CAPABILITY_CORE_PERMITS = 7,
  /// 1 if reductions are as moert_reduction says, 0 if floating types are added
  /// in another order, rounded more often, and a NaN may lose max and min.
  MOERT_CAPABILITY_ORDERED_REDUCTIONS = 8
};
moert_status moert_context_query(const moert_context *context,
                                 moert_capability capability, int64_t *value);

/// Waits for a core permit. Has no effect for a rank that holds one, or where
/// permits are not limited.
moert_status moert_context_acquire_core(moert_context *context);
/// Gives the permit up, for example around blocking I/O.
void moert_context_release_core(moert_context *context);

/// Memory through the allocator hook, aligned to 64 bytes.
moert_status moert_context_allocate(moert_context *context, int64_t bytes,
                                    void **pointer);
void moert_context_deallocate(moert_context *context, void *pointer,
                              int64_t bytes);

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// Disjoint groups of ranks, as a set of mesh axes gives: on dp=2, ep=2 the
/// axis ep gives {0, 1}, {2, 3} and the axis dp gives {0, 2}, {1, 3}. A rank
/// belongs to one group of a set, or to none (then it must not use the set).
typedef struct moert_group_set {
  uint32_t struct_size;
  /// Number of groups.
  int32_t count;
  /// For messages; may be null.
  const char *name;
  /// [count + 1]: group g is ranks[offsets[g]] … ranks[offsets[g + 1] - 1].
  const int32_t *offsets;
  /// Ranks of the job. A rank's index in its group is its position here.
  const int32_t *ranks;
} moert_group_set;

/// Appends sets to the context's list; `first`, if not null, receives the index
/// of the first one. Every rank must bind the same sets in the same order, each
/// before it uses them; with nccl the call waits for the other ranks.
moert_status moert_context_bind_groups(moert_context *context,
                                       const moert_group_set *sets,
                                       int32_t count, int32_t *first);

/// This rank's communicator in a set; owned by the context.
typedef struct moert_comm moert_comm;
/// The set of all ranks, present from the start and not in the list.
#define MOERT_WORLD (-1)
moert_status moert_context_comm(moert_context *context, int32_t set,
                                moert_comm **comm);
/// Index within the group; -1 where the rank is in none.
int32_t moert_comm_rank(const moert_comm *comm);
/// Ranks in the group; 0 where the rank is in none.
int32_t moert_comm_size(const moert_comm *comm);

//===----------------------------------------------------------------------===//
// Collectives
//===----------------------------------------------------------------------===//

typedef int32_t moert_kind;
enum {
  MOERT_ALL_TO_ALL_V = 0,
  MOERT_ALL_TO_ALL = 1,
  MOERT_ALL_GATHER = 2,
  MOERT_ALL_GATHER_V = 3,
  MOERT_REDUCE_SCATTER = 4,
  MOERT_ALL_REDUCE = 5,
  MOERT_BARRIER = 6
};
#define MOERT_KIND_COUNT 7

/// For example "all_to_all_v"; "unknown" for an unknown kind.
const char *moert_kind_name(moert_kind kind);

/// The queue that a call is ordered on: a cudaStream_t for a device transport,
/// ignored by threads. Null is the transport's default. Work that is queued on
/// the stream before the call is done before the source is read, and what is
/// queued after the wait finds the destination complete.
typedef void *moert_stream;

/// One rank's part of a collective. With n ranks in the group and this rank at
/// index r, source and destination hold:
///
/// | kind           | source                     | destination              |
/// | all_to_all_v   | src_offsets[n] rows; rows  | dst_offsets[n] rows; row |
/// |                | src_offsets[p] … go to p   | dst_offsets[p] … from p  |
/// | all_to_all     | n blocks of `count` bytes, | n blocks, block p from p |
/// |                | block p goes to p          |                          |
/// | all_gather     | `count` bytes              | n blocks, block p from p |
/// | all_gather_v   | own rows: dst_offsets[r+1] | dst_offsets[n] rows, the |
/// |                | - dst_offsets[r]           | same offsets everywhere  |
/// | reduce_scatter | n blocks of `count`        | `count` elements: block  |
/// |                | elements                   | r reduced over the ranks |
/// | all_reduce     | `count` elements           | `count` elements         |
/// | barrier        | —                          | —                        |
///
/// Source and destination must not overlap, except: all_reduce with both equal;
/// reduce_scatter onto block r, all_gather from block r. Source, destination
/// and both offset arrays belong to the collective from start until wait
/// returns, also where the rank fails in between: it calls moert_context_abort
/// before it frees them. At the same point of a group's sequence of collectives
/// all ranks must agree on kind, id, layer, and sizes: what p sends to r is
/// what r expects from p. A pointer to nothing may be null.
typedef struct moert_collective {
  uint32_t struct_size;
  /// What is done; says which of the fields below are read.
  moert_kind kind;
  /// The collective's number in the program, for messages and counters.
  int32_t id;
  /// The model's layer, for messages and counters; -1: none.
  int32_t layer;
  /// May be null.
  moert_stream stream;
  /// The source, as above.
  const void *src;
  /// The destination, as above.
  void *dst;
  /// Exclusive prefix sums, in rows, length n + 1, of the source; for
  /// all_to_all_v.
  const int32_t *src_offsets;
  /// The same of the destination; for the `_v` kinds.
  const int32_t *dst_offsets;
  /// Bytes of one row; for the `_v` kinds.
  int64_t row_bytes;
  /// Bytes (all_to_all, all_gather) or elements (reductions), as above.
  int64_t count;
  /// The type of the elements; for reductions.
  moert_dtype dtype;
  /// How they are combined; for reductions.
  moert_reduction reduction;
  /// MOERT_OFFSETS_ON_DEVICE or 0.
  uint32_t flags;
  uint32_t reserved;
  /// Overrides the context's deadline for this rank's wait where not 0;
  /// negative: never.
  int64_t deadline_ns;
} moert_collective;

#define MOERT_OFFSETS_ON_DEVICE 1u

/// A started collective. 0 is none.
typedef int64_t moert_pending;

/// Publishes this rank's part. Does not wait for other ranks to arrive (except
/// under MOERT_MOVE_EARLY). No more than MOERT_CAPABILITY_MAX_IN_FLIGHT may be
/// in flight in one group. On failure `pending` is set to 0.
moert_status moert_comm_start(moert_comm *comm,
                              const moert_collective *collective,
                              moert_pending *pending);

/// Returns when the destination is complete and the source may be written
/// again; where calls are ordered by their stream (MOERT_CAPABILITY_STREAMS),
/// this holds for what is queued on the stream from now on, and the call does
/// not block. A failure then shows at the latest in the next call of
/// moert_context_synchronize. Exactly one wait a start; waiting for 0 returns
/// the sticky status. On failure the destination of all_to_all, all_gather,
/// reduce_scatter and all_reduce is filled with zeros, so that counts read from
/// it are harmless.
moert_status moert_comm_wait(moert_comm *comm, moert_pending pending);

/// start and wait in one.
moert_status moert_comm_run(moert_comm *comm,
                            const moert_collective *collective);

/// Returns when all that is queued on the stream was done, or the job has
/// failed: what a host calls before it reads results, in place of the driver's
/// own, which neither sees that another rank has failed nor ends at a deadline.
/// Without streams, returns at once.
moert_status moert_context_synchronize(moert_context *context,
                                       moert_stream stream);

#ifdef __cplusplus
}
#endif

#include "moert/counters.h"

#endif // MOERT_MOERT_H
