// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FrameCalls.cpp - What compiled code asks of its device -------------===//

#include "core/Guarded.h"
#include "transports/device/RankDevice.h"

using namespace moert;

/// Calls `body` with the device of the frame's rank, unless it has none or the
/// job has failed.
template <typename Body>
static void onDevice(moert_frame &frame, const char *what, Body body) {
  guarded(*frame.context, [&] {
    DeviceWork *work = deviceOf(*frame.context, what);
    if (work && frame.context->status() == MOERT_OK) {
      body(*work);
    }
    return MOERT_OK;
  });
}

void moert_frame_launch(moert_frame *frame, int32_t kernel, int64_t blocks,
                        int32_t threads, int32_t shared_bytes,
                        const uint64_t *arguments, int32_t count) {
  onDevice(*frame, "kernels", [&](DeviceWork &work) {
    if (!MOERT_HAS_FIELD(*frame, kernels) || !frame->kernels) {
      work.fail(MOERT_INVALID_ARGUMENT,
                "kernel " + std::to_string(kernel) +
                    ": the frame of the function has no kernels");
      return;
    }
    work.launch(*frame->kernels[kernel],
                {blocks, threads, shared_bytes, arguments, count},
                frame->stream);
  });
}

void *moert_frame_allocate(moert_frame *frame, int64_t bytes) {
  void *pointer = nullptr;
  onDevice(*frame, "memory of a device", [&](DeviceWork &work) {
    pointer = work.allocate(bytes, frame->stream);
    if (!pointer && frame->context->synchronize(frame->stream) == MOERT_OK) {
      work.releaseIdle(frame->stream);
      pointer = work.allocate(bytes, frame->stream);
    }
    if (!pointer) {
      work.fail(MOERT_OUT_OF_MEMORY,
                "the device has no " + std::to_string(bytes) + " bytes left");
    }
  });
  return pointer;
}

void moert_frame_deallocate(moert_frame *frame, void *pointer, int64_t bytes) {
  // A job that has failed still gives its memory back.
  guarded(*frame->context, [&] {
    if (DeviceWork *work = deviceOf(*frame->context, "memory of a device")) {
      work->deallocate(pointer, bytes, frame->stream);
    }
    return MOERT_OK;
  });
}

void moert_frame_copy(moert_frame *frame, void *to, const void *from,
                      int64_t bytes) {
  onDevice(*frame, "memory of a device", [&](DeviceWork &work) {
    work.copy(to, from, bytes, frame->stream);
  });
}

int64_t moert_frame_device_extent(moert_frame *frame, int32_t id,
                                  const int32_t *offsets, int64_t count,
                                  int64_t bound) {
  int32_t total = 0;
  onDevice(*frame, "memory of a device", [&](DeviceWork &work) {
    work.download(&total, offsets + count - 1, sizeof(total), frame->stream);
    if (frame->context->synchronize(frame->stream) != MOERT_OK) {
      total = 0;
    }
  });
  return moert_frame_host_extent(frame, id, total, bound);
}

uint64_t *moert_frame_fault_words(moert_frame *frame) {
  uint64_t *words = nullptr;
  onDevice(*frame, "memory of a device", [&](DeviceWork &work) {
    words = work.faultWords(frame->context->layer, frame->stream);
  });
  return words;
}
