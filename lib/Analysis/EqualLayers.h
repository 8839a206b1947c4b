// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reports of plans share: layers of which they say the same.

#ifndef MOE_LIB_ANALYSIS_EQUALLAYERS_H
#define MOE_LIB_ANALYSIS_EQUALLAYERS_H

#include "moe/Analysis/LayerExchange.h"
#include "moe/Analysis/PlanReports.h"

namespace mlir::moe {

/// Layers of which a report says the same.
struct EqualLayers {
  SmallVector<MoELayer> layers;
  ExchangedLayer data;

  const MoELayer &front() const { return layers.front(); }
  PlacementOp getPlacement() const;
  ExchangeOp getExchange() const;
  /// The layers' numbers; nothing where one of them has none.
  std::optional<::moe::report::Numbers> getNumbers() const;
  std::string getTitle() const;
  /// What a table about them says of itself to scripts.
  std::vector<::moe::report::Fact> describe() const;
};

/// A report of the module's layers, whose tables `fill` writes. Fails, with a
/// diagnostic, where the module has no plan or `fill` fails.
FailureOr<::moe::report::Report>
makeReport(ModuleOp module, StringRef title,
           function_ref<LogicalResult(const PlanFacts &, ArrayRef<EqualLayers>,
                                      ::moe::report::Report &)>
               fill);

} // namespace mlir::moe

#endif // MOE_LIB_ANALYSIS_EQUALLAYERS_H
