//===- PlannerStudy.cpp - What a planner asks before buying ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/PlannerStudy.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

using namespace moe::planning;
using moe::model::ModelShape;
using moe::model::WeightGroup;
using moe::model::WeightKind;

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

PlannerQuestion PlannerQuestion::ofModel(llvm::StringRef name,
                                         const ModelShape &shape) {
  PlannerQuestion question;
  question.name = name.str();
  question.shape = shape;
  question.layer.hidden = shape.hidden;
  question.layer.width = shape.expertWidth;
  question.layer.experts = shape.experts;
  question.layer.choices = shape.choices;
  // Biases and scales count as bits of the matrices.
  double matrices =
      shape.expertParameters() / (double(shape.hidden) * shape.expertWidth);
  question.layer.matrices = std::lround(matrices);
  question.layer.weightBits =
      shape.expertBytes() * 8 / question.layer.expertParameters();
  question.layer.elementBytes = std::lround(shape.dtype.bits / 8);
  return question;
}

PlannerQuestion PlannerQuestion::ofLayer(const LayerSize &layer,
                                         int64_t layers) {
  PlannerQuestion question;
  question.name = "plain numbers";
  question.layer = layer;
  ModelShape &shape = question.shape;
  shape.family = "plain numbers";
  shape.hidden = layer.hidden;
  shape.layers = shape.expertLayers = layers;
  shape.experts = layer.experts;
  shape.choices = layer.choices;
  shape.expertWidth = layer.width;
  shape.dtype.bits = 8.0 * layer.elementBytes;
  model::NumberFormat format = {"given", layer.weightBits, 0, 0, 0};
  shape.weights.push_back({WeightKind::Expert, "expert",
                           layer.matrices * layer.width, layer.hidden,
                           layers * layer.experts, format});
  shape.weights.push_back({WeightKind::Router, "router", layer.experts,
                           layer.hidden, layers, shape.dtype});
  return question;
}

ModelShape moe::planning::withExperts(ModelShape shape, int64_t experts) {
  for (WeightGroup &group : shape.weights) {
    if (group.kind == WeightKind::Expert) {
      group.count = group.count / shape.experts * experts;
    } else if (group.kind == WeightKind::Router) {
      (group.rows == shape.experts ? group.rows : group.columns) = experts;
    }
  }
  shape.experts = experts;
  return shape;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

PlannerStudy::PlannerStudy(PlannerQuestion question, const Topology &topology,
                           CostConstants constants)
    : asked(std::move(question)), cluster(topology),
      costs(topology, std::move(constants)), devices(topology.deviceCount()) {
  assert(asked.tokens > 0 && "a step of no tokens");
  std::iota(devices.begin(), devices.end(), 0);
}

/// Each expert's share of all assignments.
static std::vector<double> sharesOf(int64_t experts, int64_t choices,
                                    Skew skew) {
  std::vector<double> shares(experts, (1 - skew.value) / double(experts));
  for (int64_t expert = 0; expert < choices; ++expert) {
    shares[expert] += skew.value / double(choices);
  }
  return shares;
}

ExchangePlan PlannerStudy::planOf(ExchangeDirection direction,
                                  const Placement &placement) const {
  ExchangeRequest request;
  request.direction = direction;
  request.form = asked.form;
  request.axes = {"ep"};
  request.rowBytes = asked.layer.rowBytes();
  request.localSlots = placement.localSlots();
  request.bound = worstCaseRows(asked.tokens, asked.layer.choices, placement);
  return ExchangePlan::create(request);
}

/// The products of a device that hosts the experts [first, last).
static Microseconds computeOf(const CostModel &costs, const LayerSize &layer,
                              llvm::ArrayRef<double> shares, int64_t tokens,
                              double rows) {
  double touched = 0;
  for (double share : shares) {
    // A token takes the expert or not.
    double chance = std::min(share * double(layer.choices), 1.0);
    touched += -std::expm1(double(tokens) * std::log1p(-chance));
  }
  double rowTraffic = rows * double(layer.rowBytes() * 2);
  return costs.computeTime(Flops(2 * rows * layer.expertParameters()),
                           Bytes(touched * layer.expertBytes() + rowTraffic));
}

/// The tier that took longest.
static std::optional<unsigned> slowestTier(const ExchangeCost &cost) {
  std::optional<unsigned> slowest;
  for (unsigned tier = 0; tier < cost.tiers.size(); ++tier) {
    if (cost.tiers[tier].busiestPort > Bytes() &&
        (!slowest || cost.tiers[tier].time > cost.tiers[*slowest].time)) {
      slowest = tier;
    }
  }
  return slowest;
}

LayerStep PlannerStudy::step(int64_t experts, int64_t tokens, Skew skew) const {
  int64_t ranks = devices.size();
  LayerSize layer = asked.layer;
  layer.experts = experts;
  Placement placement = Placement::contiguous(experts, ranks);
  std::vector<double> shares = sharesOf(experts, layer.choices, skew);
  CountMatrix counts = expectedRows(layer.choices, shares,
                                    splitTokens(tokens, ranks), placement);
  LayerStep result;
  for (ExchangeDirection direction :
       {ExchangeDirection::Dispatch, ExchangeDirection::Combine}) {
    ExchangePlan plan = planOf(direction, placement);
    ExchangeCost cost = costs.exchangeCost(plan, {{devices, counts}});
    result.exchange += cost.total();
    result.moved += plan.bytes(counts, cluster, devices).remote().payload;
    if (direction == ExchangeDirection::Dispatch) {
      result.slowestTier = slowestTier(cost);
    }
  }
  double most = 0;
  int64_t first = 0;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    int64_t hosted = placement.expertsOn(rank);
    double rows = counts.receivedBy(rank);
    most = std::max(most, rows);
    result.compute = std::max(
        result.compute,
        computeOf(costs, layer, llvm::ArrayRef(shares).slice(first, hosted),
                  tokens, rows));
    first += hosted;
  }
  result.maxOverMean = most * double(ranks) / counts.total();
  return result;
}

//===----------------------------------------------------------------------===//
// Sweeps
//===----------------------------------------------------------------------===//

int64_t PlannerStudy::devicesPerNode() const {
  return cluster.tierCount() > 1 ? cluster.devicesPerPart(0)
                                 : cluster.deviceCount();
}

std::vector<ExpertsChoice> PlannerStudy::sweepExperts() const {
  std::vector<int64_t> numbers = {asked.layer.experts};
  constexpr int64_t beyond = 4;
  for (int64_t experts = asked.layer.choices;
       experts <= beyond * asked.layer.experts; experts *= 2) {
    numbers.push_back(experts);
  }
  llvm::sort(numbers);
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  int64_t nodes = cluster.deviceCount() / devicesPerNode();
  std::vector<ExpertsChoice> choices;
  for (int64_t experts : numbers) {
    ExpertsChoice choice;
    choice.experts = experts;
    LayerSize layer = asked.layer;
    layer.experts = experts;
    choice.figures = expertLayerFigures(layer, asked.tokens);
    choice.step = step(experts, asked.tokens);
    choice.nodesReached = expectedGroupsReached(experts, layer.choices, nodes);
    choice.memory = estimateMemory(withExperts(asked.shape, experts),
                                   memoryRequest(), costs.constants());
    choices.push_back(choice);
  }
  return choices;
}

std::vector<int64_t> PlannerStudy::tokenCounts() const {
  std::vector<int64_t> counts;
  constexpr int64_t beyond = 16;
  for (int64_t tokens = devices.size(); tokens < 2 * beyond * asked.tokens;
       tokens *= 2) {
    counts.push_back(tokens);
  }
  if (counts.empty()) {
    counts.push_back(asked.tokens);
  }
  return counts;
}

bool PlannerStudy::exchangeIsLonger(int64_t tokens) const {
  LayerStep at = step(asked.layer.experts, tokens);
  return at.exchange > at.compute;
}

std::vector<Crossover> PlannerStudy::crossovers() const {
  std::vector<Crossover> found;
  std::vector<int64_t> counts = tokenCounts();
  bool wasLonger = exchangeIsLonger(counts.front());
  for (size_t index = 1; index < counts.size(); ++index) {
    bool isLonger = exchangeIsLonger(counts[index]);
    if (isLonger == wasLonger) {
      continue;
    }
    int64_t before = counts[index - 1], after = counts[index];
    while (after - before > 1) {
      int64_t middle = before + (after - before) / 2;
      (exchangeIsLonger(middle) == wasLonger ? before : after) = middle;
    }
    found.push_back({after, isLonger});
    wasLonger = isLonger;
  }
  return found;
}

MemoryRequest PlannerStudy::memoryRequest() const {
  MemoryRequest request;
  request.expertRanks = devices.size();
  request.replicas = asked.replicas;
  request.tokens = asked.tokens;
  request.form = asked.form;
  request.sequences = asked.sequences;
  request.context = asked.context;
  return request;
}

MemoryEstimate PlannerStudy::memory() const {
  return estimateMemory(asked.shape, memoryRequest(), costs.constants());
}

std::optional<int64_t> PlannerStudy::fewestDevices() const {
  return fewestExpertRanks(asked.shape, memoryRequest(), costs.constants());
}
