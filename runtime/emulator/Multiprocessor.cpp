// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Multiprocessor.cpp -------------------------------------------------===//

#include "emulator/Multiprocessor.h"
#include "emulator/Machine.h"

namespace moert::emulator {

/// The CUDA programming guide's table of compute capabilities.
static size_t sharedKibibytesPerBlock(int major, int minor) {
  if (major == 8) {
    return minor == 0 || minor == 7 ? 163 : 99;
  }
  return major == 12 ? 99 : 227;
}

Multiprocessor::Multiprocessor(const MachineOptions &options)
    : sharedBytesPerBlock(sharedKibibytesPerBlock(options.capabilityMajor,
                                                  options.capabilityMinor)
                          << 10) {}

} // namespace moert::emulator
