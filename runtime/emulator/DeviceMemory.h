// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceMemory.h - Addresses that only a device can use ----*- C++ -*-===//

#ifndef MOERT_EMULATOR_DEVICEMEMORY_H
#define MOERT_EMULATOR_DEVICEMEMORY_H

#include "emulator/AccessLog.h"
#include "emulator/ShadowMemory.h"
#include "transports/nccl/CudaDriver.h"

namespace moert::emulator {

/// One cuMemAlloc. Its bytes lie elsewhere than its addresses.
struct Allocation {
  cuda::Pointer base;
  size_t bytes;
  /// Exactly as many, so that a sanitizer sees any access beyond. Null once
  /// freed.
  std::unique_ptr<char[]> data;
  AccessLog log;
  ShadowMemory shadow;
};

/// The memory of one device: a range of addresses of its own that the host can
/// neither read nor write. Addresses are never used twice, so that a use after
/// free is always found.
class DeviceMemory {
public:
  /// `capacity` in bytes.
  DeviceMemory(size_t capacity, uint64_t seed);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory &) = delete;

  /// Returns 0 where memory is used up. What is allocated holds garbage.
  cuda::Pointer allocate(size_t bytes);
  /// Returns whether `pointer` is the begin of a live allocation.
  bool free(cuda::Pointer pointer);
  /// Whether the address is one of this device's.
  bool owns(cuda::Pointer pointer) const {
    return pointer >= first && pointer < first + span;
  }
  /// The allocation that an address lies in, live or freed; null for none.
  Allocation *find(cuda::Pointer pointer);
  size_t liveBytes() const { return live; }

private:
  const size_t capacity;
  /// Of addresses: many times the capacity, since none is used twice.
  const size_t span;
  cuda::Pointer first = 0;
  cuda::Pointer next = 0;
  size_t live = 0;
  uint64_t garbage;
  std::map<cuda::Pointer, Allocation> allocations;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_DEVICEMEMORY_H
