//===- PlannerStudy.h - What a planner asks before buying -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Times, bytes and memory of one layer with experts on a cluster, as the number
// of experts, the tokens of a step or the balance of loads change. Experts are
// shared out over all devices, consecutive ones together; tokens likewise.
//
// One step of a layer is dispatch, the experts' products on the slowest device,
// and combine. The products take as long as their arithmetic or the reading of
// weights and rows, whichever is longer; of the weights only those are read
// whose expert is expected to get a token.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_PLANNERSTUDY_H
#define MOE_PLANNING_PLANNERSTUDY_H

#include "moe/Planning/CostModel.h"
#include "moe/Planning/Estimates.h"
#include "moe/Planning/Memory.h"

namespace moe::planning {

struct PlannerQuestion {
  /// What reports call the model.
  std::string name;
  model::ModelShape shape;
  LayerSize layer;
  /// Tokens of a step over all devices; at least 1.
  int64_t tokens = 1;
  /// Sequences over all devices, and tokens of each in the cache.
  int64_t sequences = 0;
  int64_t context = 0;
  int64_t replicas = 0;
  ExchangeForm form = ExchangeForm::FlatExact;

  /// About a model that was read.
  static PlannerQuestion ofModel(llvm::StringRef name,
                                 const model::ModelShape &shape);
  /// About `layers` layers, of which nothing else is known.
  static PlannerQuestion ofLayer(const LayerSize &layer, int64_t layers);
};

/// How the assignments fall on the experts: from all alike (0) to all tokens
/// on the same experts (1), which are consecutive.
struct Skew {
  double value = 0;
};

/// One layer in one step.
struct LayerStep {
  /// Dispatch and combine.
  Microseconds exchange;
  Microseconds compute;
  /// What travels between devices, out and back, all devices together.
  Bytes moved;
  /// The most that one tier carries is on this one; none where nothing moves.
  std::optional<unsigned> slowestTier;
  /// Rows of the fullest device over the mean.
  double maxOverMean = 1;

  Microseconds total() const { return exchange + compute; }
};

/// A number of experts.
struct ExpertsChoice {
  int64_t experts = 0;
  LayerFigures figures;
  LayerStep step;
  /// Distinct nodes that a token reaches.
  double nodesReached = 0;
  MemoryEstimate memory;
};

/// A number of tokens at which exchange and products take equally long.
struct Crossover {
  int64_t tokens = 0;
  /// From there on the exchange takes longer.
  bool exchangeTakesOver = false;
};

class PlannerStudy {
public:
  /// The topology must outlive the study.
  PlannerStudy(PlannerQuestion question, const Topology &topology,
               CostConstants constants);

  const PlannerQuestion &question() const { return asked; }
  const Topology &topology() const { return cluster; }
  const CostModel &model() const { return costs; }

  LayerStep step(int64_t experts, int64_t tokens, Skew skew = {}) const;

  /// The question's number of experts among powers of two of its choices, from
  /// as many experts as choices to four times the question's.
  std::vector<ExpertsChoice> sweepExperts() const;

  /// Powers of two of tokens, from one a device to at least sixteen times the
  /// question's.
  std::vector<int64_t> tokenCounts() const;

  /// Between the first and the last of tokenCounts, by rising tokens.
  std::vector<Crossover> crossovers() const;

  MemoryEstimate memory() const;
  /// See fewestExpertRanks.
  std::optional<int64_t> fewestDevices() const;

  /// Devices of one node: of the outermost tier's parts.
  int64_t devicesPerNode() const;

private:
  MemoryRequest memoryRequest() const;
  ExchangePlan planOf(ExchangeDirection direction,
                      const Placement &placement) const;
  bool exchangeIsLonger(int64_t tokens) const;

  PlannerQuestion asked;
  const Topology &cluster;
  CostModel costs;
  DeviceGroup devices;
};

/// The model with another number of experts in each layer.
model::ModelShape withExperts(model::ModelShape shape, int64_t experts);

} // namespace moe::planning

#endif // MOE_PLANNING_PLANNERSTUDY_H
