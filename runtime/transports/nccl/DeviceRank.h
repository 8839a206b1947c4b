// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceRank.h - A rank's device, and memory on it ---------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_NCCL_DEVICERANK_H
#define MOERT_TRANSPORTS_NCCL_DEVICERANK_H

#include "moert/moert.h"
#include "transports/nccl/DeviceLibraries.h"

namespace moert {

/// Makes a context current as long as it lives: the caller's own comes back.
class CurrentContext {
public:
  CurrentContext(const cuda::Driver &driver, cuda::Context context)
      : driver(driver) {
    driver.contextPush(context);
  }
  ~CurrentContext() { driver.contextPop(nullptr); }
  CurrentContext(const CurrentContext &) = delete;

private:
  const cuda::Driver &driver;
};

/// The device that a rank works on.
class DeviceRank {
public:
  explicit DeviceRank(const DeviceLibraries &libraries)
      : libraries(libraries), driver(*libraries.driver), nccl(*libraries.nccl) {
  }
  ~DeviceRank();
  DeviceRank(const DeviceRank &) = delete;

  /// Takes the calling thread's context, or where it has none the primary
  /// context of device `index` modulo their number. Returns what is wrong.
  std::string open(int32_t index);
  CurrentContext makeCurrent() const { return {driver, context}; }
  cuda::Device device() const { return ordinal; }
  /// Bit d is set if NCCL reduces moert_dtype d on this device.
  int64_t reducibleDtypes() const { return reducible; }

  const DeviceLibraries libraries;
  const cuda::Driver &driver;
  const nccl::Library &nccl;
  /// Of all collectives, beside the streams of the caller.
  cuda::Stream stream = nullptr;
  /// What a barrier reduces: one element of four bytes.
  cuda::Pointer scratch = 0;
  /// Memory of this device.
  moert_allocator allocator = {};

private:
  cuda::Context context = nullptr;
  cuda::Device ordinal = -1;
  bool retained = false;
  int64_t reducible = 0;
};

/// The pointer as CUDA's driver has it, and back.
inline cuda::Pointer devicePointer(const void *pointer) {
  return cuda::Pointer(reinterpret_cast<uintptr_t>(pointer));
}
inline void *asPointer(cuda::Pointer pointer) {
  // The driver's addresses are integers.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<void *>(uintptr_t(pointer));
}

/// NCCL's number of a type; -1 where it has none.
nccl::DataType ncclType(moert_dtype dtype);

} // namespace moert

#endif // MOERT_TRANSPORTS_NCCL_DEVICERANK_H
