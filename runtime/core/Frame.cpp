// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Frame.cpp - The calls of compiled code -----------------------------===//

#include "core/Context.h"
#include "moert/compiled.h"

using namespace moert;

static moert_collective describeCall(const moert_frame &frame, int32_t id,
                                     moert_kind kind, const void *src,
                                     void *dst) {
  moert_collective call = {};
  call.struct_size = sizeof(call);
  call.kind = kind;
  call.id = id;
  call.layer = frame.context->layer;
  call.stream = frame.stream;
  call.src = src;
  call.dst = dst;
  bool hasOffsets = kind == MOERT_ALL_TO_ALL_V || kind == MOERT_ALL_GATHER_V;
  // Code of a device leaves offsets there, too.
  if (hasOffsets && frame.context->transport->device()) {
    call.flags = MOERT_OFFSETS_ON_DEVICE;
  }
  return call;
}

static moert_comm *findComm(moert_frame &frame, int32_t group) {
  if (!isReadable(frame)) {
    frame.context->fail(MOERT_VERSION_MISMATCH,
                        checkSize("moert_frame", &frame));
    return nullptr;
  }
  moert_comm *comm = frame.context->comm(group);
  if (!comm) {
    frame.context->fail(MOERT_INVALID_ARGUMENT,
                        "expected a group set below " +
                            std::to_string(frame.context->setCount()) +
                            ", but got " + std::to_string(group));
  }
  return comm;
}

static void runCall(moert_frame &frame, int32_t group,
                    const moert_collective &call) {
  if (moert_comm *comm = findComm(frame, group)) {
    moert_comm_run(comm, &call);
  }
}

static int64_t startCall(moert_frame &frame, int32_t group,
                         const moert_collective &call) {
  moert_pending pending = 0;
  if (moert_comm *comm = findComm(frame, group)) {
    moert_comm_start(comm, &call, &pending);
  }
  return pending;
}

void moert_frame_all_to_all_v(moert_frame *frame, int32_t group, int32_t id,
                              const void *src, const int32_t *src_offsets,
                              void *dst, const int32_t *dst_offsets,
                              int64_t row_bytes) {
  moert_collective call =
      describeCall(*frame, id, MOERT_ALL_TO_ALL_V, src, dst);
  call.src_offsets = src_offsets;
  call.dst_offsets = dst_offsets;
  call.row_bytes = row_bytes;
  runCall(*frame, group, call);
}

void moert_frame_all_to_all(moert_frame *frame, int32_t group, int32_t id,
                            const void *src, void *dst,
                            int64_t bytes_per_peer) {
  moert_collective call = describeCall(*frame, id, MOERT_ALL_TO_ALL, src, dst);
  call.count = bytes_per_peer;
  runCall(*frame, group, call);
}

void moert_frame_all_gather(moert_frame *frame, int32_t group, int32_t id,
                            const void *src, void *dst, int64_t bytes) {
  moert_collective call = describeCall(*frame, id, MOERT_ALL_GATHER, src, dst);
  call.count = bytes;
  runCall(*frame, group, call);
}

void moert_frame_all_gather_v(moert_frame *frame, int32_t group, int32_t id,
                              const void *src, void *dst,
                              const int32_t *dst_offsets, int64_t row_bytes) {
  moert_collective call =
      describeCall(*frame, id, MOERT_ALL_GATHER_V, src, dst);
  call.dst_offsets = dst_offsets;
  call.row_bytes = row_bytes;
  runCall(*frame, group, call);
}

void moert_frame_reduce_scatter(moert_frame *frame, int32_t group, int32_t id,
                                const void *src, void *dst, int64_t count,
                                moert_dtype dtype, moert_reduction reduction) {
  moert_collective call =
      describeCall(*frame, id, MOERT_REDUCE_SCATTER, src, dst);
  call.count = count;
  call.dtype = dtype;
  call.reduction = reduction;
  runCall(*frame, group, call);
}

void moert_frame_all_reduce(moert_frame *frame, int32_t group, int32_t id,
                            const void *src, void *dst, int64_t count,
                            moert_dtype dtype, moert_reduction reduction) {
  moert_collective call = describeCall(*frame, id, MOERT_ALL_REDUCE, src, dst);
  call.count = count;
  call.dtype = dtype;
  call.reduction = reduction;
  runCall(*frame, group, call);
}

void moert_frame_barrier(moert_frame *frame, int32_t group, int32_t id) {
  runCall(*frame, group,
          describeCall(*frame, id, MOERT_BARRIER, nullptr, nullptr));
}

int64_t moert_frame_start(moert_frame *frame, int32_t group, int32_t id,
                          const void *src, const int32_t *src_offsets,
                          void *dst, const int32_t *dst_offsets,
                          int64_t row_bytes, moert_kind kind) {
  moert_collective call = describeCall(*frame, id, kind, src, dst);
  call.src_offsets = src_offsets;
  call.dst_offsets = dst_offsets;
  call.row_bytes = row_bytes;
  call.count = row_bytes;
  return startCall(*frame, group, call);
}

int64_t moert_frame_start_reduction(moert_frame *frame, int32_t group,
                                    int32_t id, const void *src, void *dst,
                                    int64_t count, moert_dtype dtype,
                                    moert_reduction reduction,
                                    moert_kind kind) {
  moert_collective call = describeCall(*frame, id, kind, src, dst);
  call.count = count;
  call.dtype = dtype;
  call.reduction = reduction;
  return startCall(*frame, group, call);
}

void moert_frame_wait(moert_frame *frame, int64_t pending) {
  if (pending == 0) {
    return;
  }
  if (moert_comm *comm = findComm(*frame, transportSetOf(pending) - 1)) {
    moert_comm_wait(comm, pending);
  }
}

int64_t moert_frame_host_extent(moert_frame *frame, int32_t id, int64_t value,
                                int64_t bound) {
  moert_context &context = *frame->context;
  if (value >= 0 && value <= bound) {
    return value;
  }
  context.fail(MOERT_BOUND_EXCEEDED,
               explainBound(id, context.layer, bound, value));
  return 0;
}

int32_t moert_frame_rank(moert_frame *frame, int32_t group) {
  moert_comm *comm = findComm(*frame, group);
  return comm && comm->rank >= 0 ? comm->rank : 0;
}

void moert_frame_layer(moert_frame *frame, int32_t layer) {
  frame->context->layer = layer;
}

void moert_frame_phase(moert_frame *frame, moert_phase phase) {
  moert_context_set_phase(frame->context, phase);
}
