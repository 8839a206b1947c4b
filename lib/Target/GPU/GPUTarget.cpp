// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/GPUTarget.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace mlir::moe;

static constexpr int64_t KiB = 1024;

static constexpr GPUTarget chips[] = {
    {"sm_80",
     "+ptx80",
     {/*threads=*/2048, /*blocks=*/32, /*registers=*/64 * KiB,
      /*registersPerWarpUnit=*/256, /*sharedBytes=*/164 * KiB,
      /*sharedBytesPerBlock=*/163 * KiB, /*sharedReservedPerBlock=*/KiB},
     {"A100 SXM 80GB", 108, 312, 19.5, 2039,
      "NVIDIA A100 datasheet (2021); SMs: A100 architecture whitepaper"}},
    {"sm_90a",
     "+ptx80",
     {/*threads=*/2048, /*blocks=*/32, /*registers=*/64 * KiB,
      /*registersPerWarpUnit=*/256, /*sharedBytes=*/228 * KiB,
      /*sharedBytesPerBlock=*/227 * KiB, /*sharedReservedPerBlock=*/KiB},
     {"H100 SXM5 80GB", 132, 989.4, 66.9, 3350,
      "NVIDIA H100 architecture whitepaper (2022) and datasheet"}},
    {"sm_100a",
     "+ptx86",
     {/*threads=*/2048, /*blocks=*/32, /*registers=*/64 * KiB,
      /*registersPerWarpUnit=*/256, /*sharedBytes=*/228 * KiB,
      /*sharedBytesPerBlock=*/227 * KiB, /*sharedReservedPerBlock=*/KiB},
     {"B200 (one of HGX B200)", 148, 2250, 75, 8000,
      "NVIDIA HGX B200 datasheet, an eighth; SMs as the driver reports them"}},
    {"sm_120a",
     "+ptx87",
     {/*threads=*/1536, /*blocks=*/24, /*registers=*/64 * KiB,
      /*registersPerWarpUnit=*/256, /*sharedBytes=*/100 * KiB,
      /*sharedBytesPerBlock=*/99 * KiB, /*sharedReservedPerBlock=*/KiB},
     {"GeForce RTX 5090", 170, 209.5, 104.8, 1792,
      "NVIDIA RTX Blackwell GPU architecture whitepaper (2025), appendix A"}}};

llvm::ArrayRef<GPUTarget> GPUTarget::all() { return chips; }

llvm::Expected<const GPUTarget *> GPUTarget::parse(llvm::StringRef chip) {
  const GPUTarget *found = llvm::find_if(
      chips, [&](const GPUTarget &target) { return target.chip == chip; });
  if (found != std::end(chips)) {
    return found;
  }
  auto name = [](const GPUTarget &target) { return target.chip.str(); };
  return llvm::createStringError(
      "unknown chip '" + chip + "': expected " +
      llvm::join(llvm::map_range(chips, name), ", "));
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
GPUTarget::createTargetMachine() const {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target) {
    return llvm::createStringError(message);
  }
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, chip, features, llvm::TargetOptions(), std::nullopt, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
  if (!machine) {
    return llvm::createStringError("no code generator for " + triple.str());
  }
  return machine;
}
