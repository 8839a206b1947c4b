// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DeviceLibraries.h - CUDA and NCCL, found at run time -----*- C++ -*-===//
//
// Nothing links against CUDA: without a driver such a program would not even
// start, and could not say what is missing.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_NCCL_DEVICELIBRARIES_H
#define MOERT_TRANSPORTS_NCCL_DEVICELIBRARIES_H

#include "transports/nccl/NcclLibrary.h"

#include <string>

namespace moert {

/// The two tables that the transport works through: real or emulated, both of
/// the same kind. They must be valid as long as any context.
struct DeviceLibraries {
  const cuda::Driver *driver = nullptr;
  const nccl::Library *nccl = nullptr;
  /// Set by emulated devices, whose work runs only while every host thread
  /// waits: `count` more threads (fewer if negative) are such. A thread that
  /// waits for another one, not for a device, is none meanwhile.
  void (*expectHosts)(int count) = nullptr;

  bool isEmulated() const { return expectHosts != nullptr; }
};

} // namespace moert

struct moert_devices {
  moert::DeviceLibraries libraries;
};

namespace moert {

/// Fills the table from a shared library, which stays loaded. Returns what is
/// wrong, for example "no CUDA driver: libcuda.so.1: cannot open shared object
/// file: No such file or directory"; empty if all is well.
std::string loadDriver(const char *file, cuda::Driver &driver);
std::string loadNccl(const char *file, nccl::Library &nccl);

/// The machine's own libraries, loaded and initialised at first use:
/// libcuda.so.1 and libnccl.so.2, where the dynamic linker finds them. Returns
/// what is missing; empty if nothing is.
std::string findDeviceLibraries(DeviceLibraries &libraries);

/// For example "CUDA_ERROR_OUT_OF_MEMORY (out of memory)".
std::string explain(const cuda::Driver &driver, cuda::Result result);

} // namespace moert

#endif // MOERT_TRANSPORTS_NCCL_DEVICELIBRARIES_H
