// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MemoryCalls.cpp - Allocating, copying, filling ---------------------===//

#include "emulator/CurrentDevice.h"
#include "emulator/DriverTable.h"
#include "emulator/Machine.h"

#include <cstdlib>

namespace moert::emulator {

static cuda::Result memoryAllocate(cuda::Pointer *pointer, size_t bytes) {
  Call call;
  cuda::ContextObject *device = currentDevice();
  if (!device) {
    return cuda::InvalidContext;
  }
  if (bytes == 0) {
    return cuda::InvalidValue;
  }
  *pointer = device->memory.allocate(bytes);
  return *pointer ? cuda::Success : cuda::OutOfMemory;
}

static cuda::Result memoryFree(cuda::Pointer pointer) {
  Call call;
  cuda::ContextObject *device = call->ownerOf(pointer);
  if (pointer == 0) {
    return cuda::Success;
  }
  if (!device || !device->memory.free(pointer)) {
    call->report(FindingKind::UseAfterFree,
                 "cuMemFree of what is not allocated (any more)");
    return cuda::InvalidValue;
  }
  return cuda::Success;
}

static cuda::Result hostAllocate(void **pointer, size_t bytes, unsigned) {
  *pointer = std::malloc(bytes);
  return *pointer ? cuda::Success : cuda::OutOfMemory;
}

static cuda::Result hostFree(void *pointer) {
  std::free(pointer);
  return cuda::Success;
}

static cuda::Result submitCopy(cuda::Stream stream, CopyItem::Kind kind,
                               cuda::Pointer to, cuda::Pointer from,
                               size_t bytes, unsigned char value = 0) {
  Call call;
  stream = call->resolve(stream);
  if (!stream) {
    return cuda::InvalidHandle;
  }
  if (stream->device->error != cuda::Success) {
    return stream->device->error;
  }
  if (bytes > 0) {
    call->submit(stream,
                 std::make_unique<CopyItem>(kind, to, from, bytes, value));
  }
  return cuda::Success;
}

static cuda::Pointer addressOf(const void *pointer) {
  return cuda::Pointer(reinterpret_cast<uintptr_t>(pointer));
}

static cuda::Result copyToDevice(cuda::Pointer to, const void *from,
                                 size_t bytes, cuda::Stream stream) {
  return submitCopy(stream, CopyItem::Kind::ToDevice, to, addressOf(from),
                    bytes);
}

static cuda::Result copyToHost(void *to, cuda::Pointer from, size_t bytes,
                               cuda::Stream stream) {
  return submitCopy(stream, CopyItem::Kind::ToHost, addressOf(to), from, bytes);
}

static cuda::Result copyOnDevice(cuda::Pointer to, cuda::Pointer from,
                                 size_t bytes, cuda::Stream stream) {
  return submitCopy(stream, CopyItem::Kind::OnDevice, to, from, bytes);
}

static cuda::Result fillBytes(cuda::Pointer to, unsigned char value,
                              size_t bytes, cuda::Stream stream) {
  return submitCopy(stream, CopyItem::Kind::Fill, to, 0, bytes, value);
}

void setMemoryCalls(cuda::Driver &driver) {
  driver.memoryAllocate = memoryAllocate;
  driver.memoryFree = memoryFree;
  driver.hostAllocate = hostAllocate;
  driver.hostFree = hostFree;
  driver.copyToDevice = copyToDevice;
  driver.copyToHost = copyToHost;
  driver.copyOnDevice = copyOnDevice;
  driver.fillBytes = fillBytes;
}

} // namespace moert::emulator
