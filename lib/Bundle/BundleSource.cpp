// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Bundle/BundleSource.h"

#include "moe/Formats/FileError.h"
#include "moe/Target/CPU/ObjectCode.h"
#include "moe/TopologyFiles/TopologyFile.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace moe::bundle;
using namespace moe::runner;
using llvm::formatv;
using mlir::moe::CPUTarget;
using mlir::moe::ObjectCode;

/// Code for another architecture, or for instructions that are not here, must
/// not even be loaded.
static llvm::Error checkTarget(const CPUTarget &target) {
  llvm::Triple here(llvm::sys::getProcessTriple());
  llvm::Triple there(target.triple);
  if (here.getArch() != there.getArch() || here.getOS() != there.getOS()) {
    return llvm::createStringError("expected code for " + here.str() +
                                   ", but got code for " + there.str());
  }
  // LLVM would only warn of names that it does not know.
  std::string spec = target.cpu;
  if (!target.features.empty()) {
    spec += "," + target.features;
  }
  llvm::Expected<CPUTarget> known = CPUTarget::parse(spec);
  return known ? known->checkRunsHere() : known.takeError();
}

/// "layer 3", or "3 layers in one function".
static std::string describeLayers(const Manifest &manifest) {
  return manifest.layers.size() == 1
             ? "layer " + manifest.layers.front().name
             : formatv("{0} layers in one function", manifest.layers.size())
                   .str();
}

static llvm::Error checkLayer(const Manifest &manifest,
                              const std::string &asked) {
  bool isWhole = manifest.facts.scope == ProgramScope::Function;
  bool isThere =
      asked.empty() || (asked == "all" && isWhole) ||
      (manifest.layers.size() == 1 && asked == manifest.layers.front().name);
  return isThere ? llvm::Error::success()
                 : llvm::createStringError(
                       formatv("expected {0}, but the bundle holds {1}",
                               asked == "all" ? "all layers" : "layer " + asked,
                               describeLayers(manifest)));
}

/// What only a module can do, and what the code has fixed.
static llvm::Error checkCode(const Manifest &manifest,
                             const SessionOptions &options) {
  if (options.replan) {
    return llvm::createStringError(
        "expected a module to plan again, but got a bundle");
  }
  if (options.platform.device != PlatformOptions::Device::CPU) {
    return llvm::createStringError(
        "expected a module to run on devices, but got a bundle, which is "
        "compiled for the CPU");
  }
  if (options.takesRouting) {
    return llvm::createStringError(
        "expected a module to give a routing to, but got a bundle, which "
        "computes it");
  }
  if (!options.overlaps && manifest.overlaps) {
    return llvm::createStringError(
        "expected --no-overlap, but the bundle is compiled without");
  }
  if (llvm::Error error = checkLayer(manifest, options.layer)) {
    return error;
  }
  if (options.cpu.empty()) {
    return llvm::Error::success();
  }
  llvm::Expected<CPUTarget> asked = CPUTarget::parse(options.cpu);
  if (!asked) {
    return asked.takeError();
  }
  return asked->name() == manifest.facts.cpu
             ? llvm::Error::success()
             : llvm::createStringError(formatv(
                   "expected code for {0}, but the bundle is compiled for {1}",
                   asked->name(), manifest.facts.cpu));
}

static PlanAtHand planAtHand(const PlannedProgram &program) {
  PlanAtHand plan{"the bundle is compiled",
                  program.mesh,
                  std::nullopt,
                  {},
                  program.recordedOptions};
  for (const PlannedLayer &layer : program.layers) {
    const moe::planning::ExchangeRequest &dispatch = layer.traffic.dispatch;
    plan.layers.push_back(
        {layer.placementPolicy, dispatch.form, dispatch.bound});
  }
  if (program.facts.topology != "none") {
    plan.topology = program.topology;
  }
  return plan;
}

llvm::Expected<std::unique_ptr<BundleSource>>
BundleSource::open(const SessionOptions &options) {
  if (llvm::Error error = options.plan.verify()) {
    return std::move(error);
  }
  llvm::Expected<Bundle> bundle = readBundle(options.modulePath);
  if (!bundle) {
    return bundle.takeError();
  }
  auto fail = [&](llvm::Error error) {
    return formats::inFile(options.modulePath, std::move(error));
  };
  if (llvm::Error error = checkTarget(bundle->manifest.target)) {
    return fail(std::move(error));
  }
  if (llvm::Error error = checkCode(bundle->manifest, options)) {
    return fail(std::move(error));
  }
  llvm::Expected<PlannedProgram> program = bundle->manifest.plan();
  if (!program) {
    return fail(program.takeError());
  }
  llvm::Expected<std::optional<std::string>> difference =
      options.plan.findDifference(planAtHand(*program),
                                  moe::topology::readTopologyFile);
  if (!difference) {
    return difference.takeError();
  }
  if (*difference) {
    return fail(llvm::createStringError(**difference));
  }
  return std::unique_ptr<BundleSource>(
      new BundleSource(options.modulePath, std::move(*bundle),
                       std::move(*program), options.functions));
}

llvm::Expected<CompiledProgram> BundleSource::load(ProgramKind kind) {
  auto fail = [&](llvm::Error error) {
    return formats::inFile(path, std::move(error));
  };
  llvm::Expected<ProgramLayout> layout = bundle.manifest.layoutOf(kind);
  if (!layout) {
    return fail(layout.takeError());
  }
  std::string name = nameOf(kind).str();
  const ProgramData &data = bundle.manifest.programs.at(name);
  SourceDiagnostic place;
  place.file = path;
  for (const std::string &function : data.functions) {
    if (llvm::Error error = checkFunction(functions, function, place)) {
      return std::move(error);
    }
  }
  llvm::Expected<std::unique_ptr<ObjectCode>> code =
      ObjectCode::load(llvm::MemoryBufferRef(bundle.objects.at(name), name),
                       symbolsFor(functions));
  if (!code) {
    return fail(code.takeError());
  }
  llvm::Expected<void *> entry = (*code)->lookup(data.entry);
  if (!entry) {
    return fail(entry.takeError());
  }
  return CompiledProgram{std::move(*code), *entry, std::move(*layout)};
}
