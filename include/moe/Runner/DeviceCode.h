// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_DEVICECODE_H
#define MOE_RUNNER_DEVICECODE_H

#include <string>
#include <vector>

namespace moe::runner {

/// The kernels of a program, for the devices that it was loaded for.
struct DeviceCode {
  /// PTX, a cubin, or the image of emulated devices.
  std::string image;
  /// By the number that the program's launches have.
  std::vector<std::string> kernels;
};

} // namespace moe::runner

#endif // MOE_RUNNER_DEVICECODE_H
