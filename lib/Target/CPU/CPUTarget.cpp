// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/CPUTarget.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

#include <mutex>

using namespace mlir::moe;

static llvm::Error makeError(const llvm::Twine &message) {
  return llvm::createStringError(message);
}

static llvm::Expected<const llvm::Target *>
findTarget(const std::string &triple) {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(llvm::Triple(triple), message);
  if (!target) {
    return makeError(message);
  }
  return target;
}

/// What LLVM knows about a CPU with its features.
static llvm::Expected<std::unique_ptr<llvm::MCSubtargetInfo>>
describe(const CPUTarget &cpu) {
  llvm::Expected<const llvm::Target *> target = findTarget(cpu.triple);
  if (!target) {
    return target.takeError();
  }
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      (*target)->createMCSubtargetInfo(llvm::Triple(cpu.triple), cpu.cpu,
                                       cpu.features));
}

/// Derives what kernels use from what the CPU has.
static void chooseInstructions(CPUTarget &cpu,
                               const llvm::MCSubtargetInfo &info) {
  cpu.hasFMA = info.checkFeatures("+fma");
  if (info.checkFeatures("+avx512f,+avx512bw,+avx512vl,+avx512dq")) {
    cpu.vectorLanes = 16;
    cpu.vectorRegisters = 32;
    // AVX-512 brings its own fused multiply-add.
    cpu.hasFMA = true;
    cpu.hasBF16Dot = info.checkFeatures("+avx512bf16");
  } else if (info.checkFeatures("+avx2")) {
    cpu.vectorLanes = 8;
  }
}

static llvm::Error checkSpelling(const CPUTarget &cpu,
                                 const llvm::MCSubtargetInfo &info) {
  if (!info.isCPUStringValid(cpu.cpu)) {
    return makeError("unknown CPU '" + cpu.cpu + "' for " + cpu.triple);
  }
  llvm::SubtargetFeatures features(cpu.features);
  for (const std::string &feature : features.getFeatures()) {
    if (!llvm::SubtargetFeatures::hasFlag(feature)) {
      return makeError("expected '+' or '-' before the CPU feature '" +
                       feature + "'");
    }
    llvm::StringRef bare = llvm::SubtargetFeatures::StripFlag(feature);
    bool known = llvm::any_of(
        info.getAllProcessorFeatures(),
        [&](const llvm::SubtargetFeatureKV &kv) { return bare == kv.Key; });
    if (!known) {
      return makeError("unknown CPU feature '" + feature + "' for " +
                       cpu.triple);
    }
  }
  return llvm::Error::success();
}

/// LLVM ends the process over x86 CPUs that its 64-bit triple cannot have.
static llvm::Error checkWidth(const CPUTarget &cpu,
                              const llvm::MCSubtargetInfo &info) {
  if (!llvm::Triple(cpu.triple).isX86() || info.checkFeatures("+64bit")) {
    return llvm::Error::success();
  }
  return makeError("expected a CPU with 64-bit instructions, but got '" +
                   cpu.cpu + "'");
}

CPUTarget CPUTarget::host() {
  CPUTarget cpu;
  cpu.triple = llvm::sys::getProcessTriple();
  cpu.cpu = llvm::sys::getHostCPUName().str();
  llvm::SubtargetFeatures features;
  // A hypervisor may hide what the CPU's name promises: each feature is spelt
  // out, sorted so that the target's description does not vary from run to run.
  llvm::StringMap<bool> found = llvm::sys::getHostCPUFeatures();
  std::vector<std::string> names;
  for (const auto &entry : found) {
    names.push_back((entry.second ? "+" : "-") + entry.first().str());
  }
  llvm::sort(names, [](llvm::StringRef a, llvm::StringRef b) {
    return a.drop_front() < b.drop_front();
  });
  cpu.features = llvm::join(names, ",");
  llvm::Expected<std::unique_ptr<llvm::MCSubtargetInfo>> info = describe(cpu);
  if (!info) {
    llvm::consumeError(info.takeError());
    return cpu;
  }
  chooseInstructions(cpu, **info);
  return cpu;
}

llvm::Expected<CPUTarget> CPUTarget::parse(llvm::StringRef spec) {
  if (spec == "native") {
    return host();
  }
  CPUTarget cpu;
  cpu.triple = llvm::sys::getProcessTriple();
  auto [name, features] = spec.split(',');
  cpu.cpu = name.str();
  cpu.features = features.str();
  // LLVM itself would only warn, on stderr: names are checked before it sees
  // them.
  CPUTarget generic;
  generic.triple = cpu.triple;
  llvm::Expected<std::unique_ptr<llvm::MCSubtargetInfo>> known =
      describe(generic);
  if (!known) {
    return known.takeError();
  }
  if (llvm::Error error = checkSpelling(cpu, **known)) {
    return std::move(error);
  }
  llvm::Expected<std::unique_ptr<llvm::MCSubtargetInfo>> info = describe(cpu);
  if (!info) {
    return info.takeError();
  }
  if (llvm::Error error = checkWidth(cpu, **info)) {
    return std::move(error);
  }
  chooseInstructions(cpu, **info);
  return cpu;
}

llvm::Expected<CPUTarget> CPUTarget::parseToRunHere(llvm::StringRef spec) {
  llvm::Expected<CPUTarget> target = parse(spec);
  if (!target) {
    return target;
  }
  if (llvm::Error error = target->checkRunsHere()) {
    return std::move(error);
  }
  return target;
}

llvm::Error CPUTarget::checkRunsHere() const {
  llvm::Expected<std::unique_ptr<llvm::MCSubtargetInfo>> info = describe(*this);
  if (!info) {
    return info.takeError();
  }
  // The host's list has instructions only, not what a CPU is tuned for.
  std::vector<std::string> missing;
  for (const auto &entry : llvm::sys::getHostCPUFeatures()) {
    if (!entry.second && (*info)->checkFeatures("+" + entry.first().str())) {
      missing.push_back(entry.first().str());
    }
  }
  if (missing.empty()) {
    return llvm::Error::success();
  }
  llvm::sort(missing);
  return makeError("expected a CPU whose instructions this machine has, but "
                   "got '" +
                   cpu + "', which also has " + llvm::join(missing, ", "));
}

std::string CPUTarget::name() const {
  std::string result = triple + " " + cpu + " f32x" + llvm::utostr(vectorLanes);
  if (hasFMA) {
    result += " fma";
  }
  if (hasBF16Dot) {
    result += " bf16-dot";
  }
  return result + ", kernels " + llvm::utostr(kernelSet);
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
CPUTarget::createTargetMachine() const {
  llvm::Expected<const llvm::Target *> target = findTarget(triple);
  if (!target) {
    return target.takeError();
  }
  llvm::TargetOptions options;
  std::unique_ptr<llvm::TargetMachine> machine((*target)->createTargetMachine(
      llvm::Triple(triple), cpu, features, options, llvm::Reloc::PIC_));
  if (!machine) {
    return makeError("no code generator for " + triple);
  }
  return machine;
}
