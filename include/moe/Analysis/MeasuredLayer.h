// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the placement that a layer has comes to, and what none is below.

#ifndef MOE_ANALYSIS_MEASUREDLAYER_H
#define MOE_ANALYSIS_MEASUREDLAYER_H

#include "moe/Analysis/LayerExchange.h"
#include "moe/Planning/PlacementSolver.h"

namespace mlir::moe {

/// The problem that the layer's placement solves: its loads, in as many slots
/// on each rank as the placement has. Fails, with a diagnostic, when loads do
/// not fit.
FailureOr<::moe::planning::PlacementProblem>
getProblemOf(const PlanFacts &facts, const MoELayer &layer,
             const ExchangedLayer &data);

/// Times of more ranks take longer to work out than a report may.
inline constexpr int64_t maxTimedRanks = 512;

/// The figures of the layer's placement with both bounds. Times are left out
/// where the topology is the default, and of more than maxTimedRanks. Fails,
/// with a diagnostic, when loads do not fit.
FailureOr<::moe::planning::PlacementResult>
measurePlacement(const PlanFacts &facts, const MoELayer &layer,
                 const ExchangedLayer &data);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_MEASUREDLAYER_H
