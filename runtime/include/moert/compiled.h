// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- compiled.h - What compiled code calls ----------------------*- C -*-===//
//
// Flat functions for generated code, on top of moert.h. Every compiled function
// takes a `moert_frame *` as its first argument and passes it on.
//
// Compiled code ignores statuses: the first failure in the job is kept, and
// every later call returns at once (destinations from which counts are read are
// filled with zeros, see moert_comm_wait), so that the code runs harmlessly to
// its end. The caller then reads moert_context_status.
//
// Conventions: `group` is an index into the context's list of group sets, or
// MOERT_WORLD; `id` is the collective's number in the program; offsets are
// int32, length n + 1, exclusive prefix sums in rows; enums are int32.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_COMPILED_H
#define MOERT_COMPILED_H

#include "moert/kernels.h"
#include "moert/moert.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What a compiled function finds when it is called. Generated code relies on
/// this layout: `context` at byte 8, `handles` at byte 16, `stream` at byte 24,
/// `kernels` at byte 32 (which a frame of a host that knows no kernels lacks).
typedef struct moert_frame {
  uint32_t struct_size;
  /// None defined yet; 0.
  uint32_t flags;
  /// The rank that runs the function.
  moert_context *context;
  /// handles[i] is what the module's i-th handle stands for: for expert weights
  /// the slot table (one pointer a local slot, null for an empty one), for a
  /// dense tensor its data, for a placement this rank's slice of its table,
  /// int32 [64][experts]: where this rank sends a row of global token t for an
  /// expert is table[t mod 64][expert] = rank in the group * local slots +
  /// slot. Where the module has kernels, all of it is in the device's memory,
  /// slot tables too; the array of handles itself is the host's.
  void *const *handles;
  /// What the function's kernels are launched on and its collectives ordered
  /// by; null: the transport's default. A function keeps to one stream, so none
  /// of the calls below names it; what overlaps does so on streams of the
  /// transport, between start and wait. Ignored by threads.
  moert_stream stream;
  /// kernels[i] is the i-th of the module's kernels, by the order of its
  /// attribute `moe.kernels`; null where it has none.
  moert_kernel *const *kernels;
} moert_frame;

/// A matrix as compiled code and functions of the host hand it to each other:
/// element (i, j) is `data` + offset + i * strides[0] + j * strides[1], in
/// elements. A tensor of another rank has as many sizes and strides as
/// dimensions, at the same place.
///
/// A function of the host is one that a module declares and does not define. It
/// is called by the name that the module gives it, as
///
///   void name(moert_frame *frame, <arguments>, int64_t tokens, <results>)
///
/// with a `moert_matrix *` (or the like of another rank) for each tensor and
/// the number itself for an index (int64_t); `tokens` is the number of tokens
/// of all ranks together. It sees the parts that this rank holds: their extents
/// are in the descriptors. Arguments are to be read, results to be written, in
/// full; strides are those of rows back to back.
///
/// It runs on the thread of its rank, on several ranks at once, and may ask
/// `frame->context` for the rank (moert_context_rank). It must compute its
/// result from its arguments alone, must return, must not keep a pointer, and
/// must take part in no collective of the job, since ranks would not come to it
/// together. What it finds wrong it tells by moert_context_abort.
typedef struct moert_matrix {
  void *allocated;
  void *data;
  int64_t offset;
  int64_t sizes[2];
  int64_t strides[2];
} moert_matrix;

void moert_frame_all_to_all_v(moert_frame *frame, int32_t group, int32_t id,
                              const void *src, const int32_t *src_offsets,
                              void *dst, const int32_t *dst_offsets,
                              int64_t row_bytes);
void moert_frame_all_to_all(moert_frame *frame, int32_t group, int32_t id,
                            const void *src, void *dst, int64_t bytes_per_peer);
/// Every rank contributes `bytes` bytes.
void moert_frame_all_gather(moert_frame *frame, int32_t group, int32_t id,
                            const void *src, void *dst, int64_t bytes);
/// The rank's own rows are as many as dst_offsets says.
void moert_frame_all_gather_v(moert_frame *frame, int32_t group, int32_t id,
                              const void *src, void *dst,
                              const int32_t *dst_offsets, int64_t row_bytes);
/// `count` elements in the destination; the source has `count` for each rank.
void moert_frame_reduce_scatter(moert_frame *frame, int32_t group, int32_t id,
                                const void *src, void *dst, int64_t count,
                                moert_dtype dtype, moert_reduction reduction);
void moert_frame_all_reduce(moert_frame *frame, int32_t group, int32_t id,
                            const void *src, void *dst, int64_t count,
                            moert_dtype dtype, moert_reduction reduction);
void moert_frame_barrier(moert_frame *frame, int32_t group, int32_t id);

/// Starts all_to_all_v, or another kind without a reduction: all_to_all and
/// all_gather take null offsets and their bytes in `row_bytes`, all_gather_v
/// takes null source offsets. The result goes to moert_frame_wait, once.
int64_t moert_frame_start(moert_frame *frame, int32_t group, int32_t id,
                          const void *src, const int32_t *src_offsets,
                          void *dst, const int32_t *dst_offsets,
                          int64_t row_bytes, moert_kind kind);
/// Starts reduce_scatter or all_reduce.
int64_t moert_frame_start_reduction(moert_frame *frame, int32_t group,
                                    int32_t id, const void *src, void *dst,
                                    int64_t count, moert_dtype dtype,
                                    moert_reduction reduction, moert_kind kind);
void moert_frame_wait(moert_frame *frame, int64_t pending);

/// Returns `value` if 0 <= value <= bound. Otherwise ends the job with
/// MOERT_BOUND_EXCEEDED, naming layer, rank and both numbers, and returns 0.
int64_t moert_frame_host_extent(moert_frame *frame, int32_t id, int64_t value,
                                int64_t bound);
/// This rank's index within its group of the set; 0 where it is in none.
int32_t moert_frame_rank(moert_frame *frame, int32_t group);
/// Sets the layer of the calls that follow; -1: none.
void moert_frame_layer(moert_frame *frame, int32_t layer);
/// Time from here on counts to that phase.
void moert_frame_phase(moert_frame *frame, moert_phase phase);

//===----------------------------------------------------------------------===//
// Kernels: functions of transports whose ranks are devices. On others the first
// call ends the job with MOERT_UNSUPPORTED, naming the transport.
//===----------------------------------------------------------------------===//

/// Launches kernel number `kernel` on the frame's stream: `blocks` blocks of
/// `threads` threads, in one dimension, with `shared_bytes` bytes of dynamic
/// shared memory. Of `blocks`, -1 means as many as are resident on the whole
/// device at a time, for kernels that share out their work themselves; 0 means
/// that nothing is launched. arguments[i] is the value of parameter i of
/// `count`, each 8 bytes: an address in the device's memory, or an int64.
void moert_frame_launch(moert_frame *frame, int32_t kernel, int64_t blocks,
                        int32_t threads, int32_t shared_bytes,
                        const uint64_t *arguments, int32_t count);

/// Memory of the device, aligned to 256 bytes, that belongs to what is queued
/// on the frame's stream from now on. It comes from a pool of the context: once
/// a function has run, running it again with the same sizes asks the driver for
/// nothing, and so can be captured in a graph. A capture that finds the pool
/// short ends the job with MOERT_INVALID_ARGUMENT. Null where the job has
/// failed.
void *moert_frame_allocate(moert_frame *frame, int64_t bytes);
/// Gives memory of moert_frame_allocate back, with the bytes that it was asked
/// for; what is queued on the frame's stream so far may still use it. Null is
/// allowed. A graph keeps the blocks that it was captured with as long as the
/// context lives, and shares them with what else runs on the same stream.
void moert_frame_deallocate(moert_frame *frame, void *pointer, int64_t bytes);
/// Copies within the device's memory, on the frame's stream.
void moert_frame_copy(moert_frame *frame, void *to, const void *from,
                      int64_t bytes);

/// moert_frame_host_extent of the last of `count` offsets in the device's
/// memory: waits for the frame's stream. `count` is at least 1. Returns 0 where
/// the job has failed. A stream that is captured cannot be waited for: that
/// ends the job with MOERT_INVALID_ARGUMENT.
int64_t moert_frame_device_extent(moert_frame *frame, int32_t id,
                                  const int32_t *offsets, int64_t count,
                                  int64_t bound);

/// Where a kernel reports that a count exceeds its bound, in the device's
/// memory; words of the layer that the frame is in:
///
/// | word | is                                                              |
/// | 0    | 0 as long as nothing was reported; then the collective's id + 1 |
/// | 1    | the count                                                       |
/// | 2    | the bound                                                       |
///
/// One thread writes them, words 1 and 2 before word 0, and only where word 0
/// is 0. moert_context_synchronize reads them and ends the job with
/// MOERT_BOUND_EXCEEDED, as moert_frame_host_extent does. Until then the kernel
/// must leave harmless counts behind. Null where the job has failed.
#define MOERT_FAULT_WORDS 3
uint64_t *moert_frame_fault_words(moert_frame *frame);

/// Every function above, for a JIT that must be told each address: expands
/// X(name) for each.
#define MOERT_FRAME_FUNCTIONS(X)                                               \
  X(moert_frame_all_to_all_v)                                                  \
  X(moert_frame_all_to_all)                                                    \
  X(moert_frame_all_gather)                                                    \
  X(moert_frame_all_gather_v)                                                  \
  X(moert_frame_reduce_scatter)                                                \
  X(moert_frame_all_reduce)                                                    \
  X(moert_frame_barrier)                                                       \
  X(moert_frame_start)                                                         \
  X(moert_frame_start_reduction)                                               \
  X(moert_frame_wait)                                                          \
  X(moert_frame_host_extent)                                                   \
  X(moert_frame_rank)                                                          \
  X(moert_frame_layer)                                                         \
  X(moert_frame_phase)                                                         \
  X(moert_frame_launch)                                                        \
  X(moert_frame_allocate)                                                      \
  X(moert_frame_deallocate)                                                    \
  X(moert_frame_copy)                                                          \
  X(moert_frame_device_extent)                                                 \
  X(moert_frame_fault_words)

#ifdef __cplusplus
}
#endif

#endif // MOERT_COMPILED_H
