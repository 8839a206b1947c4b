// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Bundle/BundleSource.h"

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

/// What only a module can do, and what the code has fixed.
static llvm::Error checkCode(const Manifest &manifest,
                             const SessionOptions &options) {
  if (options.replan) {
    return llvm::createStringError(
        "expected a module to plan again, but got a bundle");
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
  const LayerFacts &facts = manifest.facts;
  if (!options.layer.empty() && options.layer != facts.layer) {
    return llvm::createStringError(
        formatv("expected layer {0}, but the bundle holds layer {1}",
                options.layer, facts.layer));
  }
  if (options.cpu == "native") {
    return llvm::Error::success();
  }
  llvm::Expected<CPUTarget> asked = CPUTarget::parse(options.cpu);
  if (!asked) {
    return asked.takeError();
  }
  return asked->name() == facts.cpu
             ? llvm::Error::success()
             : llvm::createStringError(formatv(
                   "expected code for {0}, but the bundle is compiled for {1}",
                   asked->name(), facts.cpu));
}

static PlanAtHand planAtHand(const PlannedLayer &layer) {
  const LayerTraffic &traffic = layer.traffic;
  PlanAtHand plan{"the bundle is compiled",
                  traffic.mesh,
                  std::nullopt,
                  {{layer.facts.placementPolicy, traffic.dispatch.form,
                    traffic.dispatch.bound}},
                  layer.recordedOptions};
  if (layer.facts.topology != "none") {
    plan.topology = traffic.topology;
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
    return llvm::createStringError(options.modulePath + ": " +
                                   llvm::toString(std::move(error)));
  };
  if (llvm::Error error = checkTarget(bundle->manifest.target)) {
    return fail(std::move(error));
  }
  if (llvm::Error error = checkCode(bundle->manifest, options)) {
    return fail(std::move(error));
  }
  llvm::Expected<PlannedLayer> layer = bundle->manifest.plan();
  if (!layer) {
    return fail(layer.takeError());
  }
  llvm::Expected<std::optional<std::string>> difference =
      options.plan.findDifference(planAtHand(*layer),
                                  moe::topology::readTopologyFile);
  if (!difference) {
    return difference.takeError();
  }
  if (*difference) {
    return fail(llvm::createStringError(**difference));
  }
  return std::unique_ptr<BundleSource>(
      new BundleSource(options.modulePath, std::move(*bundle),
                       std::move(*layer), options.functions));
}

llvm::Expected<CompiledProgram> BundleSource::load(ProgramKind kind) {
  llvm::Expected<ProgramLayout> layout = bundle.manifest.layoutOf(kind);
  if (!layout) {
    return layout.takeError();
  }
  std::string name = nameOf(kind).str();
  SourceDiagnostic place;
  place.file = path;
  for (const std::string &function :
       bundle.manifest.programs.at(name).functions) {
    if (llvm::Error error = checkFunction(functions, function, place)) {
      return std::move(error);
    }
  }
  llvm::Expected<std::unique_ptr<ObjectCode>> code =
      ObjectCode::load(llvm::MemoryBufferRef(bundle.objects.at(name), name),
                       symbolsFor(functions));
  if (!code) {
    return code.takeError();
  }
  llvm::Expected<void *> entry =
      (*code)->lookup(bundle.manifest.programs.at(name).entry);
  if (!entry) {
    return entry.takeError();
  }
  return CompiledProgram{std::move(*code), *entry, std::move(*layout)};
}
