// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MemoryAccess.cpp - What work on a stream may touch -----------------===//

#include "emulator/Machine.h"

namespace moert::emulator {

cuda::ContextObject *Machine::ownerOf(cuda::Pointer pointer) {
  for (const std::unique_ptr<cuda::ContextObject> &device : devices) {
    if (device->memory.owns(pointer)) {
      return device.get();
    }
  }
  return nullptr;
}

Machine::Located Machine::locate(const cuda::ContextObject &device,
                                 cuda::Pointer pointer, size_t bytes) {
  cuda::ContextObject *owner = ownerOf(pointer);
  if (owner != &device) {
    return {nullptr, 0,
            owner ? "memory of device " + std::to_string(owner->ordinal)
                  : "memory of the host",
            FindingKind::WrongMemory};
  }
  Allocation *allocation = owner->memory.find(pointer);
  if (!allocation) {
    return {nullptr, 0, "memory of no allocation", FindingKind::OutOfBounds};
  }
  size_t offset = size_t(pointer - allocation->base);
  if (!allocation->data) {
    return {allocation, offset, "memory that was freed",
            FindingKind::UseAfterFree};
  }
  if (bytes > allocation->bytes - offset) {
    return {allocation, offset,
            "bytes " + std::to_string(offset) + " to " +
                std::to_string(offset + bytes) + " of an allocation of " +
                std::to_string(allocation->bytes),
            FindingKind::OutOfBounds};
  }
  return {allocation, offset, {}, FindingKind::OutOfBounds};
}

char *Machine::access(cuda::Stream stream, cuda::Pointer pointer, size_t bytes,
                      AccessKind kind, const std::string &name) {
  static char nothing;
  if (bytes == 0) {
    return &nothing;
  }
  cuda::ContextObject &device = *stream->device;
  std::string what = name + " on " + nameOf(*stream);
  const char *verb = kind == AccessKind::Read ? " reads " : " writes ";
  Located located = locate(device, pointer, bytes);
  if (!located.error.empty()) {
    report(located.kind, what + verb + located.error);
    device.error = cuda::IllegalAddress;
    return nullptr;
  }
  Allocation &allocation = *located.allocation;
  size_t offset = located.offset;
  Step step = {stream->actor, stream->clock.of(stream->actor),
               std::make_shared<const std::string>(what)};
  Step other =
      allocation.log.add(offset, offset + bytes, kind, step, stream->clock);
  if (other.what) {
    report(FindingKind::Race,
           what + verb + "bytes " + std::to_string(offset) + " to " +
               std::to_string(offset + bytes) + " of an allocation of " +
               std::to_string(allocation.bytes) +
               ", and nothing orders it after the " + *other.what);
  }
  if (kind == AccessKind::Write) {
    allocation.shadow.setInitialized(offset, bytes);
  }
  return allocation.data.get() + offset;
}

void Machine::copyInitialized(cuda::Pointer to, cuda::Pointer from,
                              size_t bytes) {
  if (bytes == 0) {
    return;
  }
  Allocation &target = *ownerOf(to)->memory.find(to);
  const Allocation &source = *ownerOf(from)->memory.find(from);
  target.shadow.copyInitialized(size_t(to - target.base), source.shadow,
                                size_t(from - source.base), bytes);
}

char *Machine::accessHost(cuda::Stream stream, cuda::Pointer pointer,
                          const std::string &name) {
  if (cuda::ContextObject *owner = ownerOf(pointer)) {
    report(FindingKind::WrongMemory,
           name + " on " + nameOf(*stream) + " takes an address of device " +
               std::to_string(owner->ordinal) + " for one of the host");
    stream->device->error = cuda::IllegalAddress;
    return nullptr;
  }
  // The driver's addresses are integers.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<char *>(uintptr_t(pointer));
}

} // namespace moert::emulator
