//===- PlannerReport.cpp - A planner's questions, answered ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/PlannerReport.h"
#include "moe/Report/PlanReport.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::report;
using namespace moe::planning;
using llvm::formatv;
using moe::model::ModelShape;
namespace model = moe::model;

//===----------------------------------------------------------------------===//
// The layer
//===----------------------------------------------------------------------===//

static void addLayer(llvm::StringRef name, const LayerFigures &figures,
                     Table &table) {
  table.add({name.str(), figures.parameters / 1e9,
             figures.flopsPerToken.value() / 1e9,
             figures.exchanged.value() / (1 << 20),
             figures.weights.value() / (1 << 30)});
}

Table moe::report::comparisonTable(const LayerSize &layer, int64_t tokens) {
  Table table;
  table.name = "dense_against_experts";
  table.title = "dense against experts at equal arithmetic a token";
  table.columns = {{"layer", ColumnKind::Text},
                   {"parameters", ColumnKind::Number, "billions", 2},
                   {"arithmetic", ColumnKind::Number, "GFLOP a token", 2},
                   {"exchanged a step", ColumnKind::Number, "MiB", 0},
                   {"weights", ColumnKind::Number, "GiB", 2}};
  LayerFigures dense = denseLayerFigures(layer);
  LayerFigures experts = expertLayerFigures(layer, tokens);
  addLayer(layer.choices == 1
               ? "1 dense layer"
               : formatv("{0} dense layers", layer.choices).str(),
           dense, table);
  addLayer(
      formatv("{0} experts, {1} a token", layer.experts, layer.choices).str(),
      experts, table);
  table.notes.push_back(
      formatv("hidden size {0}, width {1}, {2} matrices, {3} tokens a step; "
              "experts have {4:F0} times the parameters",
              layer.hidden, layer.width, layer.matrices, tokens,
              experts.parameters / dense.parameters));
  table.notes.push_back(
      "exchanged: dispatch and combine of all rows, wherever their experts "
      "are; 2 · choices · tokens · row bytes");
  return table;
}

static Table expertsTable(const PlannerStudy &study) {
  Table table;
  table.name = "expert_counts";
  table.title = "number of experts";
  table.columns = {{"experts", ColumnKind::Count},
                   {"capacity ratio", ColumnKind::Number, "", 1},
                   {"parameters", ColumnKind::Number, "billions a layer", 2},
                   {"nodes a token reaches", ColumnKind::Number, "", 2},
                   {"moved a step", ColumnKind::Bytes},
                   {"exchange", ColumnKind::Time},
                   {"compute", ColumnKind::Time},
                   {"exchange / compute", ColumnKind::Number, "", 2,
                    "exchange_over_compute"},
                   {"memory a device", ColumnKind::Bytes},
                   {"fits", ColumnKind::Text}};
  for (const ExpertsChoice &choice : study.sweepExperts()) {
    table.add({double(choice.experts),
               double(choice.experts) / double(study.question().layer.choices),
               choice.figures.parameters / 1e9, choice.nodesReached,
               choice.step.moved.value(), choice.step.exchange.value(),
               choice.step.compute.value(),
               choice.step.exchange / choice.step.compute,
               choice.memory.total().value(),
               std::string(choice.memory.fits() ? "yes" : "no")});
  }
  table.notes.push_back(
      "one layer with experts, balanced load; arithmetic a token is the same "
      "in every line. Capacity ratio: parameters over those of dense layers of "
      "that arithmetic. Moved: between devices, dispatch and combine. Nodes: "
      "D(E, K, G) = G (1 - C(E - E/G, K) / C(E, K))");
  return table;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static void noteActive(const ModelShape &shape, Table &table) {
  table.notes.push_back(formatv(
      "resident against active: all devices together hold {0} of weights "
      "({1:F1} billion parameters); a token uses {2} of them ({3:F1} billion)",
      formatBytes(shape.bytes()), shape.parameters() / 1e9,
      formatBytes(shape.activeBytes()), shape.activeParameters() / 1e9));
}

static std::string fitNote(const PlannerStudy &study,
                           const MemoryEstimate &estimate) {
  std::optional<int64_t> fewest = study.fewestDevices();
  std::string enough =
      fewest
          ? formatv("the fewest devices on which it fits: {0}", *fewest).str()
          : formatv("it does not fit on any number of such devices up to "
                    "one an expert ({0})",
                    study.question().shape.experts)
                .str();
  return estimate.fits()
             ? formatv(
                   "fits, {0} to spare; {1}",
                   formatBytes((estimate.usable - estimate.total()).value()),
                   enough)
             : formatv("does not fit: {0} too much; {1}",
                       formatBytes(estimate.missing().value()), enough);
}

Table moe::report::memoryTable(const PlannerStudy &study) {
  const PlannerQuestion &question = study.question();
  MemoryEstimate estimate = study.memory();
  Table table;
  table.name = "memory";
  table.title = "memory of the fullest device";
  table.columns = {{"part", ColumnKind::Text},
                   {"bytes", ColumnKind::Bytes},
                   {"of what is usable", ColumnKind::Share}};
  auto add = [&](llvm::StringRef name, Bytes bytes) {
    table.add({name.str(), bytes.value(), bytes / estimate.usable});
  };
  add("experts", estimate.experts);
  add("replicas", estimate.replicas);
  add("block scales", estimate.scales);
  add("dense weights", estimate.dense);
  add("exchange buffers", estimate.buffers);
  add("cache", estimate.cache);
  add("sum", estimate.total());
  add("usable", estimate.usable);
  table.notes.push_back(fitNote(study, estimate));
  table.notes.push_back(formatv(
      "{0} experts and {1} replicas a layer over {2} devices, {3} layers with "
      "experts; dense weights on every device; {4} sequences of {5} tokens in "
      "the cache over all devices; buffers: {6}",
      question.shape.experts, question.replicas, study.topology().deviceCount(),
      question.shape.expertLayers, question.sequences, question.context,
      question.form == ExchangeForm::FlatBounded
          ? "the most rows that can arrive"
          : "the rows that are expected"));
  noteActive(question.shape, table);
  for (const std::string &note : question.shape.notes) {
    table.notes.push_back(note);
  }
  return table;
}

static Table weightsTable(const ModelShape &shape) {
  Table table;
  table.name = "weights";
  table.title = "weights of the model";
  table.columns = {{"weights", ColumnKind::Text},
                   {"parameters", ColumnKind::Number, "billions", 3},
                   {"bytes", ColumnKind::Bytes},
                   {"format", ColumnKind::Text}};
  for (unsigned kind = 0; kind < model::weightKindCount; ++kind) {
    model::WeightKind which = model::WeightKind(kind);
    std::string format;
    for (const model::WeightGroup &group : shape.weights) {
      if (group.kind == which && group.rows > 1 && format.empty()) {
        format = group.format.name;
      }
    }
    if (shape.parametersOf(which) > 0) {
      table.add({toString(which).str(), shape.parametersOf(which) / 1e9,
                 shape.bytesOf(which),
                 format.empty() ? shape.dtype.name : format});
    }
  }
  table.add({std::string("all"), shape.parameters() / 1e9, shape.bytes(),
             std::string()});
  return table;
}

//===----------------------------------------------------------------------===//
// Exchange against compute
//===----------------------------------------------------------------------===//

LineChart moe::report::balanceChart(const PlannerStudy &study) {
  LineChart chart;
  chart.title = "time of a layer against the balance of loads";
  chart.x = {
      {"rows of the fullest device over the mean", ColumnKind::Number, "", 2}};
  chart.y = {{"time of a layer", ColumnKind::Time}};
  chart.series = {{"exchange", {}}, {"compute", {}}, {"both", {}}};
  // A cluster's exchanges take a while to add up, so few points there.
  int64_t points = study.topology().deviceCount() > 256 ? 5 : 11;
  double first = 0, last = 0;
  for (int64_t point = 0; point < points; ++point) {
    double skew = double(point) / double(points - 1);
    LayerStep step = study.step(study.question().layer.experts,
                                study.question().tokens, {skew});
    chart.series[0].points.push_back({step.maxOverMean, step.exchange.value()});
    chart.series[1].points.push_back({step.maxOverMean, step.compute.value()});
    chart.series[2].points.push_back({step.maxOverMean, step.total().value()});
    (point == 0 ? first : last) = step.total().value();
  }
  chart.notes.push_back(formatv("left: every expert gets as much; right: every "
                                "token goes to the same {0} "
                                "experts. Collapse costs {1:F1} times the time",
                                study.question().layer.choices, last / first));
  return chart;
}

static LineChart tokensChart(const PlannerStudy &study) {
  LineChart chart;
  chart.title = "exchange against compute by tokens of a step";
  chart.x = {{"tokens of a step, over all devices", ColumnKind::Count}, true};
  chart.y = {{"time of a layer", ColumnKind::Time}, true};
  chart.series = {{"exchange", {}}, {"compute", {}}};
  for (int64_t tokens : study.tokenCounts()) {
    LayerStep step = study.step(study.question().layer.experts, tokens);
    chart.series[0].points.push_back({double(tokens), step.exchange.value()});
    chart.series[1].points.push_back({double(tokens), step.compute.value()});
  }
  for (const Crossover &crossover : study.crossovers()) {
    chart.notes.push_back(
        crossover.exchangeTakesOver
            ? formatv("from {0} tokens on the exchange takes longer than the "
                      "experts",
                      crossover.tokens)
            : formatv("from {0} tokens on the experts take longer than the "
                      "exchange",
                      crossover.tokens));
  }
  if (chart.notes.empty()) {
    const std::vector<Point> &exchange = chart.series[0].points;
    bool isLonger = exchange.back().y > chart.series[1].points.back().y;
    chart.notes.push_back(
        formatv("no crossover: the {0} longer at every number of tokens shown",
                isLonger ? "exchange takes" : "experts take"));
  }
  return chart;
}

static Table stepTable(const PlannerStudy &study) {
  const PlannerQuestion &question = study.question();
  const Topology &topology = study.topology();
  LayerStep step = study.step(question.layer.experts, question.tokens);
  Table table;
  table.name = "step";
  table.title = "one step";
  table.columns = {{"of", ColumnKind::Text},
                   {"exchange", ColumnKind::Time},
                   {"compute", ColumnKind::Time},
                   {"moved", ColumnKind::Bytes}};
  int64_t layers = question.shape.expertLayers;
  table.add({std::string("a layer"), step.exchange.value(),
             step.compute.value(), step.moved.value()});
  table.add({formatv("all {0} layers with experts", layers).str(),
             step.exchange.value() * double(layers),
             step.compute.value() * double(layers),
             step.moved.value() * double(layers)});
  table.notes.push_back(formatv(
      "{0} tokens over {1} devices ({2}), balanced load, experts shared "
      "out in order, {3}",
      question.tokens, topology.deviceCount(), topology.toString(),
      toString(question.form)));
  if (step.slowestTier) {
    table.notes.push_back(
        formatv("slowest tier: {0}", topology.tier(*step.slowestTier).name));
  }
  int64_t perNode = study.devicesPerNode();
  if (perNode < topology.deviceCount()) {
    NodeMessages messages =
        messagesBetweenNodes(topology.deviceCount(), perNode);
    table.notes.push_back(formatv(
        "messages between nodes that a device sends: {0} flat, {1} in two "
        "levels, each {2} times larger",
        messages.flat, messages.twoLevel, perNode));
  }
  return table;
}

Report moe::report::plannerReport(const PlannerStudy &study) {
  const PlannerQuestion &question = study.question();
  Report report;
  report.title = formatv("plan for {0} on {1} devices", question.name,
                         study.topology().deviceCount());
  report.figures.push_back(balanceChart(study));
  report.figures.push_back(tokensChart(study));
  report.tables.push_back(stepTable(study));
  report.tables.push_back(comparisonTable(question.layer, question.tokens));
  report.tables.push_back(expertsTable(study));
  report.tables.push_back(memoryTable(study));
  report.tables.push_back(weightsTable(question.shape));
  report.tables.push_back(constantsTable(study.model().constants()));
  report.notes.push_back(
      "predicted, not measured: every figure follows from the constants in the "
      "last table and the topology");
  return report;
}
