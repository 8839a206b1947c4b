//===- Workload.cpp - Loads on a cluster, layer by layer ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/Workload.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;
namespace model = moe::model;

int64_t moe::placement::elementBytes(llvm::StringRef dtype) {
  return llvm::StringSwitch<int64_t>(dtype)
      .Cases({"bf16", "f16"}, 2)
      .Case("f32", 4)
      .Case("fp8", 1)
      .Default(0);
}

const LayerWork *Workload::find(int64_t layer) const {
  auto found = llvm::find_if(
      layers, [&](const LayerWork &work) { return work.layer == layer; });
  return found == layers.end() ? nullptr : &*found;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static llvm::Error readShape(const WorkloadOptions &options,
                             Workload &workload) {
  if (options.config.empty()) {
    return llvm::Error::success();
  }
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(options.config);
  if (!file) {
    return createStringError(options.config + ": " + file.getError().message());
  }
  llvm::Expected<model::ModelShape> shape =
      model::readModelShape((*file)->getBuffer(), options.config);
  if (!shape) {
    return shape.takeError();
  }
  workload.shape = std::move(*shape);
  return llvm::Error::success();
}

/// What the flag says, else what the model says. Fails where both do and
/// disagree.
static llvm::Error setSize(llvm::StringRef flag, int64_t said, int64_t model,
                           const WorkloadOptions &options, int64_t &size) {
  if (said != 0 && model != 0 && said != model) {
    return createStringError(
        formatv("{0}: expected {1}, as {2} says, but got {3}", flag, model,
                options.config, said)
            .str());
  }
  size = said != 0 ? said : model;
  return llvm::Error::success();
}

static llvm::Error setFacts(const WorkloadOptions &options,
                            const Cluster &cluster, const LoadProfile &loads,
                            Workload &workload) {
  ProblemFacts &facts = workload.facts;
  facts.nodes = cluster.knowsNodes ? cluster.nodes : 0;
  facts.groups = options.groups;
  facts.tokens = options.tokens;
  facts.topology = cluster.topology ? cluster.topology->toString() : "";
  int64_t choices = workload.shape ? workload.shape->choices : 0;
  int64_t hidden = workload.shape ? workload.shape->hidden : 0;
  if (choices == 0 && loads.routingTrace()) {
    choices = loads.routingTrace()->choices();
  }
  if (llvm::Error error = llvm::joinErrors(
          setSize("--choices", options.choices, choices, options,
                  facts.choices),
          setSize("--hidden", options.hidden, hidden, options, facts.hidden))) {
    return error;
  }
  facts.dtype = options.dtype.empty() ? "bf16" : options.dtype;
  if (facts.tokens > 0 && facts.hidden > 0 && facts.choices == 0) {
    facts.choices = 1;
    workload.notes.push_back(
        "nothing says how many experts a token takes (--choices): bytes and "
        "times are for one");
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// `3-7, 9`
static std::string listLayers(llvm::ArrayRef<int64_t> layers) {
  std::string text;
  for (size_t first = 0; first < layers.size();) {
    size_t last = first;
    while (last + 1 < layers.size() && layers[last + 1] == layers[last] + 1) {
      ++last;
    }
    text += formatv("{0}{1}", text.empty() ? "" : ", ", layers[first]).str();
    text += last > first ? formatv("-{0}", layers[last]).str() : "";
    first = last + 1;
  }
  return text;
}

/// The layers to place; those without loads are noted.
static std::vector<int64_t> chooseLayers(const WorkloadOptions &options,
                                         const LoadProfile &loads,
                                         Workload &workload) {
  std::vector<int64_t> layers =
      options.layers.empty() ? loads.layers() : options.layers;
  if (loads.isAssumedUniform()) {
    workload.notes.push_back("no loads are given (--loads): every expert is "
                             "assumed to get as much");
    return layers.empty() ? std::vector<int64_t>{0} : layers;
  }
  std::vector<int64_t> missing = loads.missingLayers(layers);
  if (!missing.empty()) {
    workload.notes.push_back(
        formatv("{0} has no loads of layers {1}: their experts are assumed to "
                "get as much each",
                options.loads, listLayers(missing)));
  }
  int64_t known = loads.layers().size();
  if (workload.shape && options.layers.empty() &&
      known != workload.shape->expertLayers) {
    workload.notes.push_back(formatv(
        "{0} has loads of {1} layers, {2} says that {3} have experts: only "
        "those with loads are placed (--layers says which)",
        options.loads, known, options.config, workload.shape->expertLayers));
  }
  return layers;
}

static llvm::Error setExperts(const WorkloadOptions &options,
                              const LoadProfile &loads,
                              const Workload &workload, int64_t &experts) {
  int64_t model = workload.shape ? workload.shape->experts : 0;
  if (llvm::Error error =
          setSize("--experts", options.experts, model, options, experts)) {
    return error;
  }
  if (experts == 0) {
    experts = loads.expertCount();
  }
  if (experts == 0) {
    return createStringError("expected --loads, --experts or --config");
  }
  return llvm::Error::success();
}

static llvm::Error setLayers(const WorkloadOptions &options,
                             const Cluster &cluster, const LoadProfile &loads,
                             Workload &workload) {
  int64_t experts = 0;
  if (llvm::Error error = setExperts(options, loads, workload, experts)) {
    return error;
  }
  for (int64_t layer : chooseLayers(options, loads, workload)) {
    llvm::Expected<LayerLoads> known =
        loads.loadsOf(layer, experts, cluster.gpus);
    if (!known) {
      return createStringError(options.loads + ": " +
                               llvm::toString(known.takeError()));
    }
    LayerWork &work = workload.layers.emplace_back();
    work.layer = layer;
    work.isAssumedUniform = known->isAssumedUniform;
    PlacementProblem &problem = work.problem;
    problem.loads = std::move(known->loads);
    problem.loadsBySource = std::move(known->bySource);
    problem.slotsByRank = PlacementProblem::spreadSlots(
        options.slots == 0 ? experts : options.slots, cluster.gpus);
    problem.nodes = cluster.nodes;
    problem.expertGroups = options.groups;
    if (llvm::Error error = verify(problem)) {
      return createStringError(
          formatv("layer {0}: {1}", layer, llvm::toString(std::move(error)))
              .str());
    }
  }
  return llvm::Error::success();
}

llvm::Expected<Workload>
moe::placement::readWorkload(const WorkloadOptions &options) {
  Workload workload;
  llvm::Expected<Cluster> cluster = readCluster(options);
  if (!cluster) {
    return cluster.takeError();
  }
  workload.topology = cluster->topology;
  workload.constants = cluster->constants;
  LoadProfile loads;
  if (!options.loads.empty()) {
    llvm::Expected<LoadProfile> read =
        LoadProfile::open(options.loads, options.selection);
    if (!read) {
      return read.takeError();
    }
    loads = std::move(*read);
  }
  if (llvm::Error error = readShape(options, workload)) {
    return std::move(error);
  }
  if (llvm::Error error = setFacts(options, *cluster, loads, workload)) {
    return std::move(error);
  }
  if (llvm::Error error = setLayers(options, *cluster, loads, workload)) {
    return std::move(error);
  }
  if (workload.topology || workload.shape) {
    llvm::append_range(workload.notes, cluster->notes);
  }
  deploy(options, workload);
  if (llvm::Error error = expectFits(options, workload)) {
    return std::move(error);
  }
  return workload;
}
