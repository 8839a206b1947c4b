// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- kernels.h - Kernels and memory of a rank's device ----------*- C -*-===//
//
// What a host needs to run compiled code on devices, beside moert.h: code,
// streams, and copies to and from the device's memory, which
// moert_context_allocate hands out. Only for transports whose ranks are devices
// (MOERT_CAPABILITY_DEVICE_BUFFERS); elsewhere each of these ends the job with
// MOERT_UNSUPPORTED, naming the transport.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_KERNELS_H
#define MOERT_KERNELS_H

#include "moert/moert.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Code that is loaded on the device of a context.
typedef struct moert_module moert_module;
/// One function of a module, which owns it.
typedef struct moert_kernel moert_kernel;

/// Loads `bytes` bytes of a cubin, a fat binary or PTX; on emulated devices of
/// an emulator image. The image is not kept. A module must be unloaded before
/// its context is destroyed.
moert_status moert_module_load(moert_context *context, const void *image,
                               int64_t bytes, moert_module **module);
/// Unloads a module, and with it its kernels, which nothing that is queued may
/// use any more. Null is allowed.
void moert_module_unload(moert_module *module);
/// Finds a kernel by name. One that is not there ends the job with
/// MOERT_INVALID_ARGUMENT.
moert_status moert_module_kernel(moert_module *module, const char *name,
                                 moert_kernel **kernel);

/// Makes a stream of the rank's device, beside its default one.
moert_status moert_stream_create(moert_context *context, moert_stream *stream);
/// The stream ends when what is queued on it is done.
void moert_stream_destroy(moert_context *context, moert_stream stream);

/// Queues a copy of `bytes` bytes from the host's memory to the device's, or
/// back. The host's side belongs to the copy until moert_context_synchronize
/// has returned.
moert_status moert_context_upload(moert_context *context, moert_stream stream,
                                  void *to, const void *from, int64_t bytes);
moert_status moert_context_download(moert_context *context, moert_stream stream,
                                    void *to, const void *from, int64_t bytes);

#ifdef __cplusplus
}
#endif

#endif // MOERT_KERNELS_H
