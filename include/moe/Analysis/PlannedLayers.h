// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a program is to do for the layers of its model, in their order, and how
// that is read off the program at each of its levels. `moe-partition` records
// it in `moe.layers`, `moe-verify-communication` compares with the record.

#ifndef MOE_ANALYSIS_PLANNEDLAYERS_H
#define MOE_ANALYSIS_PLANNEDLAYERS_H

#include "moe/Analysis/ModelLayers.h"

namespace mlir::moe {

/// Whether an operation stands for the exchange of a layer's rows: a
/// `moe.experts`, a `moe.dispatch_layout` or a `moe.assign_slots`.
bool isExchangeSite(Operation *op);

/// `moe.layer` of a call or of a function, a number of 64 bits or a string;
/// null without one.
Attribute getLayerName(Operation *op);

/// The calls from a function that nobody calls to where the program is.
class LayerPath {
public:
  explicit LayerPath(func::FuncOp root) : root(root) {}

  void enter(func::CallOp call, func::FuncOp callee) {
    calls.push_back({call, callee});
  }
  void leave() { calls.pop_back(); }

  func::FuncOp getRoot() const { return root; }
  /// From the outermost to the innermost.
  ArrayRef<LayerCall> getCalls() const { return calls; }

  /// What the program does for a layer at an exchange site.
  PlannedLayerAttr describe(Operation *site) const;

private:
  /// `moe.layer` of the innermost call that has one, else of the root; null
  /// without any.
  Attribute getName() const;
  /// Where a handle comes from, followed through the calls; null where it is
  /// from elsewhere.
  UsePlacementOp findPlacement(Value handle) const;

  func::FuncOp root;
  SmallVector<LayerCall> calls;
};

/// Writes `moe.layers` on each function that nobody calls, does something for a
/// layer, and has none yet. Fails, with a diagnostic, on recursion.
LogicalResult recordPlannedLayers(ModuleOp module);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_PLANNEDLAYERS_H
