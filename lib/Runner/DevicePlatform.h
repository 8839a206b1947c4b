// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_DEVICEPLATFORM_H
#define MOE_LIB_RUNNER_DEVICEPLATFORM_H

#include "moe/Runner/RankPlatform.h"

namespace moe::runner {

/// Devices: the machine's own, or emulated ones, which are there from begin to
/// end.
std::unique_ptr<RankPlatform>
createDevicePlatform(const PlatformOptions &options);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_DEVICEPLATFORM_H
