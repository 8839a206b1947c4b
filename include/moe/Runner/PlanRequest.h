// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a user asks of a plan, and whether a plan is that. A module that is not
// planned is planned as asked; a plan that is there, in a module or a bundle,
// must agree: nothing that was asked for is passed over.
#ifndef MOE_RUNNER_PLANREQUEST_H
#define MOE_RUNNER_PLANREQUEST_H

#include "moe/Planning/ExchangePlan.h"
#include "moe/TopologyFiles/TopologyFile.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <map>

namespace moe::runner {

/// What a plan says of one layer.
struct LayerPlan {
  /// Who chose its placement; see getPlacementOrigin.
  std::string placement;
  planning::ExchangeForm form = planning::ExchangeForm::FlatExact;
  int64_t bound = 0;
};

/// What there is to compare with.
struct PlanAtHand {
  /// `the module is planned`, `the bundle is compiled`.
  llvm::StringRef is;
  planning::Mesh mesh;
  std::optional<planning::Topology> topology;
  std::vector<LayerPlan> layers;
  /// See PlannedLayer::recordedOptions.
  std::map<std::string, std::string> recorded;
};

/// Reads a file that describes a cluster.
using TopologyReader = llvm::function_ref<llvm::Expected<planning::Topology>(
    llvm::StringRef path, const topology::TopologyOptions &options)>;

struct PlanRequest {
  /// 0: as the mesh says. Alone it means the mesh ep=N.
  int64_t ranks = 0;
  /// Values by the names of moe-plan-pipeline's options, which are those of the
  /// tools' flags too: "mesh" → "dp=2,ep=4". What has no entry is for planning,
  /// or for the plan at hand, to decide.
  std::map<std::string, std::string> options;

  bool isEmpty() const { return ranks == 0 && options.empty(); }
  /// The value of an option; "" where nothing is asked.
  llvm::StringRef get(llvm::StringRef option) const;

  /// Fails on options that there are not, on numbers that cannot be read, on
  /// options that mean nothing without another one, and where ranks and mesh
  /// contradict each other.
  llvm::Error verify() const;

  // Of a request that is verified:

  /// Those of the mesh, or `ranks`.
  int64_t rankCount() const;
  /// Where the plan is not what is asked for, a sentence with both values: the
  /// first of them. Fails where a file cannot be read.
  llvm::Expected<std::optional<std::string>>
  findDifference(const PlanAtHand &plan, TopologyReader readTopology) const;

  /// Whether there is an option of the name, and so a comparison.
  static bool isCompared(llvm::StringRef option);
};

} // namespace moe::runner

#endif // MOE_RUNNER_PLANREQUEST_H
