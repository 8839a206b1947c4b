//===- LowerBound.h - What no placement can beat ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lower bounds on the objective, with the argument that proves them. They hold
// for every placement within the problem's slots that has no two replicas of an
// expert on one rank, whatever the shares of replicas, so for shares in cells
// too. docs/Rationale/placement.md has the proofs and a worked example.
//
// Bounds know the problem and nothing of solvers.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_LOWERBOUND_H
#define MOE_PLANNING_LOWERBOUND_H

#include "moe/Planning/PlacementProblem.h"

namespace moe::planning {

struct LowerBound {
  double value = 0;
  /// Names the argument and its numbers: `mean load`, `partners: 20 experts
  /// need …`.
  std::string argument;

  /// (value − bound) / bound; 0 where the bound is met or is 0 itself.
  double gapOf(double reached) const;
};

/// For Objective::Load: the best of the arguments
///   mean      all load over all ranks
///   replicas  an expert of load w needs ⌈w / T⌉ slots to stay below T
///   partners  the same, but slots beside it hold other experts too
///   hosts     the ranks that host the heaviest experts must also host the
///             lightest of those that find no slot elsewhere
///   pairing   of the q·R + 1 heaviest experts, some ranks share too many
///   alone     ranks that spare slots do not reach are full of whole experts
///   rounding  loads rounded to points, of which ranks of two slots have few
LowerBound loadBound(const PlacementProblem &problem);

/// For Objective::Time, in microseconds: what each part of the time takes at
/// least, added up. The problem must have a deployment.
///   compute   the load bound's rows, and the weights of experts, which some
///             rank must read
///   cut       rows that must leave a device, a part of a tier or a node, as
///             its slots cannot hold all that its tokens ask for, over the
///             links that lead out
///   start     latencies and messages that no placement avoids
LowerBound timeBound(const PlacementProblem &problem);

} // namespace moe::planning

#endif // MOE_PLANNING_LOWERBOUND_H
