// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/RankPlatform.h"
#include "DevicePlatform.h"

#include "moe/Runner/RankRun.h"

using namespace moe::runner;

namespace {
/// Code and data are in the process; functions return when they are done.
class ThreadsPlatform : public RankPlatform {
public:
  llvm::StringRef transport() const override { return "threads"; }
  std::unique_ptr<RankWork> prepare(const RankCall &call,
                                    moert_frame &frame) const override {
    frame.handles = call.handles;
    return std::make_unique<RankWork>();
  }
};
} // namespace

std::unique_ptr<RankPlatform>
RankPlatform::create(const PlatformOptions &options) {
  if (options.device == PlatformOptions::Device::CPU) {
    return std::make_unique<ThreadsPlatform>();
  }
  return createDevicePlatform(options);
}
