// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A layer's dispatch and combine as plans of the planning library, with the
// rows that are expected to travel. What passes decide by, what reports print
// and what lowering emits all come from these plans.

#ifndef MOE_ANALYSIS_LAYEREXCHANGE_H
#define MOE_ANALYSIS_LAYEREXCHANGE_H

#include "moe/Analysis/PlanFacts.h"
#include "moe/Planning/LoadProfile.h"

namespace mlir::moe {

/// How rows travel, as `moe.exchange` says it.
struct ExchangeChoice {
  ::moe::planning::ExchangeForm form = ::moe::planning::ExchangeForm::FlatExact;
  /// The most rows that a rank may receive.
  int64_t bound = 0;

  bool operator==(const ExchangeChoice &other) const {
    return form == other.form && bound == other.bound;
  }
};

/// One layer's part in an exchange.
struct ExchangedLayer {
  ExpertShape shape;
  ::moe::planning::Placement placement;
  /// Slots that every rank's code works on: the most of any placement of the
  /// module over as many experts.
  int64_t localSlots = 1;
  ::moe::planning::ExpertShares loads;
  std::vector<::moe::planning::AxisRef> expertAxes;
  /// What the columns of the experts' matrices are sharded over.
  std::vector<::moe::planning::AxisRef> columnAxes;
  /// What the columns that come back are sharded over.
  std::vector<::moe::planning::AxisRef> resultAxes;

  /// Whether the same rows are expected to travel between the same ranks.
  bool hasTrafficOf(const ExchangedLayer &other) const;

  /// Gathers it from a layer with axes and a placement. Fails, with a
  /// diagnostic, when the placement is wrong or the loads do not fit.
  static FailureOr<ExchangedLayer> gather(const MoELayer &layer);
};

struct LayerExchange {
  ::moe::planning::ExchangePlan dispatch;
  ::moe::planning::ExchangePlan combine;
};

/// What the last dimension of an operation's result is sharded over, as
/// `moe-choose-mesh-mapping` wrote it.
std::vector<::moe::planning::AxisRef> getColumnAxes(Operation *op);

/// What the tokens are sharded over where the experts get them: the axes of the
/// model's tokens, then those of the experts that are not among them.
std::vector<::moe::planning::AxisRef>
getExchangedTokenAxes(const PlanFacts &facts,
                      ArrayRef<::moe::planning::AxisRef> expertAxes);

/// The most rows that a rank can receive, over all groups.
int64_t getWorstCaseRows(const PlanFacts &facts, const ExchangedLayer &layer);

/// The rows that are expected to travel when the module's most tokens arrive,
/// one entry a group over the expert axes. A number for each pair of ranks: for
/// thousands of them ask once.
std::vector<::moe::planning::GroupCounts>
getExpectedRows(const PlanFacts &facts, const ExchangedLayer &layer);

/// What a plan moves in all groups.
::moe::planning::ExchangeTraffic
getTraffic(const ::moe::planning::ExchangePlan &plan,
           const ::moe::planning::Topology &topology,
           llvm::ArrayRef<::moe::planning::GroupCounts> groups);

LayerExchange makeExchange(const PlanFacts &facts, const ExchangedLayer &layer,
                           const ExchangeChoice &choice);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_LAYEREXCHANGE_H
