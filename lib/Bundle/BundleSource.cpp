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

static llvm::Error checkPlan(const LayerFacts &facts,
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
  if (!options.mesh.empty() && options.mesh != facts.mesh) {
    return llvm::createStringError(
        formatv("expected the mesh {0}, but the bundle is compiled for {1}",
                options.mesh, facts.mesh));
  }
  if (options.ranks && options.ranks != facts.ranks) {
    return llvm::createStringError(
        formatv("expected {0} ranks, but the bundle is compiled for the mesh "
                "{1} of {2}",
                options.ranks, facts.mesh, facts.ranks));
  }
  if (!options.layer.empty() && options.layer != facts.layer) {
    return llvm::createStringError(
        formatv("expected layer {0}, but the bundle holds layer {1}",
                options.layer, facts.layer));
  }
  return llvm::Error::success();
}

/// What was compiled must be what is asked for.
static llvm::Error checkMachine(const PlannedLayer &planned,
                                const SessionOptions &options) {
  if (options.cpu != "native") {
    llvm::Expected<CPUTarget> asked = CPUTarget::parse(options.cpu);
    if (!asked) {
      return asked.takeError();
    }
    if (asked->name() != planned.facts.cpu) {
      return llvm::createStringError(
          formatv("expected code for {0}, but the bundle is compiled for {1}",
                  asked->name(), planned.facts.cpu));
    }
  }
  if (options.topology.empty()) {
    return llvm::Error::success();
  }
  llvm::Expected<moe::planning::Topology> asked =
      moe::topology::readTopologyFile(options.topology,
                                      moe::topology::TopologyOptions());
  if (!asked) {
    return asked.takeError();
  }
  if (asked->toString() != planned.traffic.topology.toString()) {
    return llvm::createStringError(
        formatv("expected the topology of {0}, but the bundle is compiled for "
                "{1}",
                options.topology, planned.facts.topology));
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<BundleSource>>
BundleSource::open(const SessionOptions &options) {
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
  if (llvm::Error error = checkPlan(bundle->manifest.facts, options)) {
    return fail(std::move(error));
  }
  llvm::Expected<PlannedLayer> layer = bundle->manifest.plan();
  if (!layer) {
    return fail(layer.takeError());
  }
  if (llvm::Error error = checkMachine(*layer, options)) {
    return fail(std::move(error));
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
