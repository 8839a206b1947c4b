//===- Deployment.h - What a placement runs on ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What Objective::Time needs beyond loads: the devices of each expert-parallel
// group and the links between them, the tokens that they hold, what a row
// weighs on the wire and what an expert costs to run. Layers of one model share
// a deployment.
//
// Exchanges come from ExchangePlan and are costed by CostModel, as everywhere:
// what a solver minimises is what reports print and what compiled code sends.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_DEPLOYMENT_H
#define MOE_PLANNING_DEPLOYMENT_H

#include "moe/Planning/CostModel.h"

namespace moe::planning {

/// What one expert has to do.
struct ExpertWork {
  /// Of all its matrix products, for one row.
  Flops flopsPerRow;
  /// Read once a step, however many rows there are; scales included.
  Bytes weightBytes;
  /// What a row adds to that: it is read, and its result written.
  Bytes bytesPerRow;
};

/// One expert-parallel group: the device of each rank and the global tokens
/// that it holds.
struct DeployedGroup {
  DeviceGroup devices;
  std::vector<TokenRange> sources;
};

struct Deployment {
  /// Never null.
  std::shared_ptr<const Topology> topology;
  CostConstants constants;
  /// All of them use the placement and exchange at once; their ranks are
  /// equally many.
  std::vector<DeployedGroup> groups;
  /// Experts that a token takes.
  int64_t choices = 1;
  ExpertWork work;
  ExchangeForm form = ExchangeForm::FlatExact;
  /// Bytes of a row on its way to its expert, and back.
  int64_t dispatchRowBytes = 0;
  int64_t combineRowBytes = 0;
  /// What plans call the group.
  std::vector<AxisRef> axes = {"ep"};

  /// One group of all devices of the topology, rank r on device r, with
  /// `tokens` tokens split over them.
  static Deployment ofAllDevices(std::shared_ptr<const Topology> topology,
                                 int64_t tokens);

  /// Tokens of a group, the largest if they differ.
  int64_t tokens() const;

  /// An exchange of a layer that is placed so.
  ExchangePlan plan(ExchangeDirection direction,
                    const Placement &placement) const;
};

/// Fails, in one line, on a deployment that is none or not over `ranks` ranks:
/// devices out of range or twice, no tokens, rows without bytes.
llvm::Error verify(const Deployment &deployment, int64_t ranks);

} // namespace moe::planning

#endif // MOE_PLANNING_DEPLOYMENT_H
