//===- Planner.cpp - A planner's question from flags and files ------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/Planner.h"
#include "moe/Report/PlannerReport.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;
namespace model = moe::model;

/// One flag that says what nothing else says.
static llvm::Error expectFlag(llvm::StringRef flag, int64_t value) {
  return value != 0 ? llvm::Error::success()
                    : createStringError("--report: expected a config.json, or "
                                        "plain numbers: " +
                                        flag + " is missing");
}

/// The question about a layer of plain numbers.
static llvm::Expected<PlannerQuestion>
askAboutNumbers(const WorkloadOptions &options, const PlannerOptions &planner) {
  std::pair<llvm::StringRef, int64_t> needed[] = {
      {"--experts", options.experts},
      {"--choices", options.choices},
      {"--hidden", options.hidden},
      {"--width", options.width}};
  for (auto [flag, value] : needed) {
    if (llvm::Error error = expectFlag(flag, value)) {
      return std::move(error);
    }
  }
  LayerSize layer;
  layer.hidden = options.hidden;
  layer.width = options.width;
  layer.matrices = planner.matrices;
  layer.experts = options.experts;
  layer.choices = options.choices;
  layer.weightBits = planner.weightBits;
  layer.elementBytes =
      elementBytes(options.dtype.empty() ? "bf16" : options.dtype);
  return PlannerQuestion::ofLayer(layer,
                                  std::max<int64_t>(options.layers.size(), 1));
}

static llvm::Expected<PlannerQuestion>
askAboutModel(const WorkloadOptions &options) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(options.config);
  if (!file) {
    return createStringError(options.config + ": " + file.getError().message());
  }
  llvm::Expected<model::ModelShape> shape =
      model::readModelShape((*file)->getBuffer(), options.config);
  if (!shape) {
    return shape.takeError();
  }
  if (shape->experts == 0 || shape->expertLayers == 0) {
    return createStringError(options.config +
                             ": expected a model with experts");
  }
  return PlannerQuestion::ofModel(llvm::sys::path::stem(options.config),
                                  *shape);
}

/// Nodes of GPUs joined by what products have, where no file says.
static llvm::Error assumeTopology(const WorkloadOptions &options,
                                  Cluster &cluster) {
  if (cluster.topology) {
    return llvm::Error::success();
  }
  const Accelerator *product = cluster.constants.accelerator();
  double inside = product && product->linkBandwidth.value() > 0
                      ? product->linkBandwidth.value()
                      : findAccelerator("H100")->linkBandwidth.value();
  constexpr double usualGbps = 400, bitsPerByte = 8;
  double between = options.machine.interNodeGbps.value_or(usualGbps);
  std::vector<Tier> tiers;
  if (cluster.nodes > 1) {
    tiers.push_back({"network", cluster.nodes,
                     GigabytesPerSecond(between / bitsPerByte),
                     Microseconds(5)});
    cluster.notes.push_back(formatv(
        "assumed: {0:F0} Gb/s from each GPU to other nodes{1}, 5 us", between,
        options.machine.interNodeGbps ? "" : " (--inter-node-gbps)"));
  }
  int64_t perNode = cluster.gpus / cluster.nodes;
  if (perNode > 1 || tiers.empty()) {
    tiers.push_back(
        {"nvlink", perNode, GigabytesPerSecond(inside), Microseconds(1.5)});
    cluster.notes.push_back(
        formatv("assumed: {0:F1} GB/s from each GPU inside a "
                "node (--topology says what it is), 1.5 us",
                inside));
  }
  llvm::Expected<Topology> topology = Topology::create(std::move(tiers));
  if (!topology) {
    return topology.takeError();
  }
  cluster.topology = std::make_shared<Topology>(std::move(*topology));
  return llvm::Error::success();
}

llvm::Expected<moe::report::Report>
moe::placement::planReport(const WorkloadOptions &options,
                           const PlannerOptions &planner) {
  llvm::Expected<Cluster> cluster = readCluster(options);
  if (!cluster) {
    return cluster.takeError();
  }
  llvm::Expected<PlannerQuestion> question =
      options.config.empty() ? askAboutNumbers(options, planner)
                             : askAboutModel(options);
  if (!question) {
    return question.takeError();
  }
  if (llvm::Error error = assumeTopology(options, *cluster)) {
    return std::move(error);
  }
  int64_t experts = question->shape.experts;
  if (options.slots != 0 && options.slots < experts) {
    return createStringError(
        formatv("--replicas: expected at least {0} slots for {0} experts, but "
                "got {1}",
                experts, options.slots)
            .str());
  }
  // A few thousand tokens a device keep products and links busy.
  constexpr int64_t usualTokens = 1024;
  question->tokens =
      options.tokens != 0 ? options.tokens : usualTokens * cluster->gpus;
  question->sequences = options.sequences;
  question->context = options.context;
  question->replicas = options.slots == 0 ? 0 : options.slots - experts;
  PlannerStudy study(std::move(*question), *cluster->topology,
                     cluster->constants);
  report::Report report = report::plannerReport(study);
  report.notes.insert(report.notes.end(), cluster->notes.begin(),
                      cluster->notes.end());
  if (options.tokens == 0) {
    report.notes.push_back(formatv("assumed: {0} tokens a step, {1} a device "
                                   "(--tokens)",
                                   study.question().tokens, usualTokens));
  }
  return report;
}
