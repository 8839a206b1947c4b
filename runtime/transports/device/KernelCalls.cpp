// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelCalls.cpp - What a host asks of a rank's device --------------===//

#include "core/Guarded.h"
#include "transports/device/RankDevice.h"

using namespace moert;

/// Calls `body` with the device of the rank, unless it has none or the job has
/// failed. Returns the job's status.
template <typename Body>
static moert_status onDevice(moert_context &context, const char *what,
                             Body body) {
  return guarded(context, [&] {
    DeviceWork *work = deviceOf(context, what);
    if (work && context.status() == MOERT_OK) {
      body(*work);
    }
    return context.status();
  });
}

moert_status moert_module_load(moert_context *context, const void *image,
                               int64_t bytes, moert_module **module) {
  return onDevice(*context, "kernels", [&](DeviceWork &work) {
    if (!image || bytes <= 0 || !module) {
      work.fail(MOERT_INVALID_ARGUMENT, "module: expected an image and a place "
                                        "for the module");
      return;
    }
    // PTX ends with a zero byte, which files do not have.
    std::string terminated(static_cast<const char *>(image), size_t(bytes));
    auto made = std::make_unique<moert_module>();
    made->context = context;
    made->handle = work.load(terminated);
    if (made->handle) {
      *module = made.release();
    }
  });
}

void moert_module_unload(moert_module *module) {
  if (module) {
    // Of a job that has failed, too.
    module->context->transport->device()->unload(module->handle);
    delete module;
  }
}

moert_status moert_module_kernel(moert_module *module, const char *name,
                                 moert_kernel **kernel) {
  return onDevice(*module->context, "kernels", [&](DeviceWork &work) {
    if (moert_kernel *found = work.find(*module, name)) {
      *kernel = found;
    }
  });
}

moert_status moert_stream_create(moert_context *context, moert_stream *stream) {
  return onDevice(*context, "streams", [&](DeviceWork &work) {
    if (moert_stream made = work.createStream()) {
      *stream = made;
    }
  });
}

void moert_stream_destroy(moert_context *context, moert_stream stream) {
  // Of a job that has failed, too.
  if (DeviceWork *work = context->transport->device(); work && stream) {
    work->destroyStream(stream);
  }
}

moert_status moert_context_upload(moert_context *context, moert_stream stream,
                                  void *to, const void *from, int64_t bytes) {
  return onDevice(*context, "memory of a device", [&](DeviceWork &work) {
    work.upload(to, from, bytes, stream);
  });
}

moert_status moert_context_download(moert_context *context, moert_stream stream,
                                    void *to, const void *from, int64_t bytes) {
  return onDevice(*context, "memory of a device", [&](DeviceWork &work) {
    work.download(to, from, bytes, stream);
  });
}
