// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DevicePlatform.h"
#include "DeviceRankWork.h"

#include "moe/Runner/RankRun.h"
#include "moert/emulator.h"

#include "llvm/Support/raw_ostream.h"

using namespace moe::runner;

namespace {
class DevicePlatform : public RankPlatform {
public:
  explicit DevicePlatform(PlatformOptions options)
      : options(std::move(options)) {}

  llvm::StringRef transport() const override {
    return options.transport.empty() ? "nccl"
                                     : llvm::StringRef(options.transport);
  }
  std::unique_ptr<RankWork> prepare(const RankCall &call,
                                    moert_frame &frame) const override {
    return std::make_unique<DeviceRankWork>(call, frame);
  }

protected:
  const PlatformOptions options;
};

/// The machine's own.
class RealDevices : public DevicePlatform {
public:
  using DevicePlatform::DevicePlatform;

  /// Without a device there is nothing to compile for.
  llvm::Error begin(int64_t) override {
    std::string name = transport().str();
    moert_options alone = {};
    alone.struct_size = sizeof(alone);
    alone.abi_version = MOERT_ABI_VERSION;
    alone.transport = name.c_str();
    moert_context *context = nullptr;
    moert_message message = {};
    message.struct_size = sizeof(message);
    if (moert_context_create(&alone, nullptr, &context, &message) != MOERT_OK) {
      return llvm::createStringError(message.text);
    }
    moert_context_destroy(context);
    return llvm::Error::success();
  }
};

class EmulatedDevices : public DevicePlatform {
public:
  using DevicePlatform::DevicePlatform;
  ~EmulatedDevices() override { moert_emulator_destroy(emulator); }

  const moert_devices *devices() const override {
    return emulator ? moert_emulator_devices(emulator) : nullptr;
  }

  llvm::Error begin(int64_t ranks) override {
    moert_emulator_options machine = {};
    machine.struct_size = sizeof(machine);
    machine.devices = static_cast<int32_t>(ranks);
    machine.seed = options.scheduleSeed;
    moert_message message = {};
    message.struct_size = sizeof(message);
    if (moert_emulator_create(&machine, &emulator, &message) != MOERT_OK) {
      return llvm::createStringError(message.text);
    }
    return llvm::Error::success();
  }

  llvm::Error end() override {
    int64_t count = moert_emulator_finding_count(emulator);
    for (int64_t i = 0; i < count; ++i) {
      llvm::errs() << "emulated device: " << moert_emulator_finding(emulator, i)
                   << '\n';
    }
    moert_emulator_destroy(emulator);
    emulator = nullptr;
    if (count > 0) {
      return llvm::make_error<RankFailure>("the emulated devices found " +
                                           std::to_string(count) +
                                           (count == 1 ? " error" : " errors"));
    }
    return llvm::Error::success();
  }

private:
  moert_emulator *emulator = nullptr;
};
} // namespace

std::unique_ptr<RankPlatform>
moe::runner::createDevicePlatform(const PlatformOptions &options) {
  if (options.device == PlatformOptions::Device::Emulated) {
    return std::make_unique<EmulatedDevices>(options);
  }
  return std::make_unique<RealDevices>(options);
}
