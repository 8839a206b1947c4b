// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceMemory.cpp ---------------------------------------------------===//

#include "emulator/DeviceMemory.h"

#include <iterator>
#include <new>
#include <sys/mman.h>

namespace moert::emulator {

/// What cuMemAlloc promises.
static constexpr size_t alignment = 256;

DeviceMemory::DeviceMemory(size_t capacity, uint64_t seed)
    : capacity(capacity), span(capacity * 16), garbage(seed | 1) {
  void *addresses = mmap(nullptr, span, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (addresses == MAP_FAILED) {
    throw std::bad_alloc();
  }
  first = next = cuda::Pointer(reinterpret_cast<uintptr_t>(addresses));
}

DeviceMemory::~DeviceMemory() {
  // The driver's addresses are integers.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  munmap(reinterpret_cast<void *>(uintptr_t(first)), span);
}

cuda::Pointer DeviceMemory::allocate(size_t bytes) {
  // A gap follows each allocation: an index beyond the end hits nothing.
  size_t taken = (bytes / alignment + 2) * alignment;
  if (bytes == 0 || bytes > capacity - live || next + taken > first + span) {
    return 0;
  }
  auto data = std::make_unique<char[]>(bytes);
  for (size_t i = 0; i < bytes; ++i) {
    garbage = garbage * 6364136223846793005u + 1442695040888963407u;
    data[i] = char(garbage >> 56);
  }
  cuda::Pointer base = next;
  next += taken;
  live += bytes;
  allocations.emplace(base, Allocation{base, bytes, std::move(data),
                                       AccessLog(bytes), ShadowMemory(bytes)});
  return base;
}

bool DeviceMemory::free(cuda::Pointer pointer) {
  auto found = allocations.find(pointer);
  if (found == allocations.end() || !found->second.data) {
    return false;
  }
  live -= found->second.bytes;
  found->second.data.reset();
  found->second.shadow = ShadowMemory(0);
  return true;
}

Allocation *DeviceMemory::find(cuda::Pointer pointer) {
  auto after = allocations.upper_bound(pointer);
  if (after == allocations.begin()) {
    return nullptr;
  }
  Allocation &candidate = std::prev(after)->second;
  return pointer < candidate.base + candidate.bytes ? &candidate : nullptr;
}

} // namespace moert::emulator
