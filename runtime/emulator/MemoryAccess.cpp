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

/// Says what is wrong with an access, and which kind of error it is; nothing if
/// all is well.
static std::string checkAccess(cuda::ContextObject *owner,
                               const cuda::ContextObject &device,
                               const Allocation *allocation, size_t offset,
                               size_t bytes, FindingKind &kind) {
  kind = FindingKind::WrongMemory;
  if (!owner) {
    return "memory of the host";
  }
  if (owner != &device) {
    return "memory of device " + std::to_string(owner->ordinal);
  }
  kind = FindingKind::OutOfBounds;
  if (!allocation) {
    return "memory of no allocation";
  }
  if (!allocation->data) {
    kind = FindingKind::UseAfterFree;
    return "memory that was freed";
  }
  if (bytes > allocation->bytes - offset) {
    return "bytes " + std::to_string(offset) + " to " +
           std::to_string(offset + bytes) + " of an allocation of " +
           std::to_string(allocation->bytes);
  }
  return {};
}

char *Machine::access(cuda::Stream stream, cuda::Pointer pointer, size_t bytes,
                      AccessKind kind, const std::string &name) {
  static char nothing;
  if (bytes == 0) {
    return &nothing;
  }
  cuda::ContextObject &device = *stream->device;
  cuda::ContextObject *owner = ownerOf(pointer);
  Allocation *allocation = owner ? owner->memory.find(pointer) : nullptr;
  size_t offset = allocation ? size_t(pointer - allocation->base) : 0;
  std::string what = name + " on " + nameOf(*stream);
  const char *verb = kind == AccessKind::Read ? " reads " : " writes ";
  FindingKind found = FindingKind::WrongMemory;
  std::string error =
      checkAccess(owner, device, allocation, offset, bytes, found);
  if (!error.empty()) {
    report(found, what + verb + error);
    device.error = cuda::IllegalAddress;
    return nullptr;
  }
  Step step = {stream->actor, stream->clock.of(stream->actor),
               std::make_shared<const std::string>(what)};
  Step other =
      allocation->log.add(offset, offset + bytes, kind, step, stream->clock);
  if (other.what) {
    report(FindingKind::Race,
           what + verb + "bytes " + std::to_string(offset) + " to " +
               std::to_string(offset + bytes) + " of an allocation of " +
               std::to_string(allocation->bytes) +
               ", and nothing orders it after the " + *other.what);
  }
  return allocation->data.get() + offset;
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
