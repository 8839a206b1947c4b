// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which MoE layers a module has. Blocks are shared: one `moe.experts` serves
// every layer that calls its function, and what differs by layer (weights, the
// placement) comes in as handles. This analysis follows the calls from the
// functions that nobody calls and finds, for each way to a `moe.experts`, the
// handles that it gets.

#ifndef MOE_ANALYSIS_MODELLAYERS_H
#define MOE_ANALYSIS_MODELLAYERS_H

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::moe {

/// A call on the way to a layer, and the function that it calls.
struct LayerCall {
  func::CallOp call;
  func::FuncOp callee;
};

/// What an exchange needs to know of a layer's experts.
struct ExpertShape {
  int64_t experts = 0;
  /// Experts that a token chooses.
  int64_t choices = 0;
  /// Columns of a row that goes to an expert, and of one that comes back.
  int64_t inputColumns = 0;
  int64_t outputColumns = 0;
  /// Columns of the widest product inside.
  int64_t innerColumns = 0;
  /// Bytes of an element of such rows.
  int64_t inputElementBytes = 0;
  int64_t outputElementBytes = 0;
  /// Whether the columns that come back can be split: not where a dropped
  /// choice returns its input.
  bool returnsColumns = true;

  bool operator==(const ExpertShape &other) const;
};

/// One MoE layer of the model.
struct MoELayer {
  ExpertsOp experts;
  /// Null when the layer's experts have no placement.
  UsePlacementOp placement;
  /// The handles of the experts' weights, each once.
  SmallVector<UseWeightOp> weights;
  /// From the outermost function to the one that holds `experts`.
  SmallVector<LayerCall> path;
  /// The function that nobody calls.
  func::FuncOp root;

  /// The number of `moe.use_placement`; 0 without one.
  int64_t getNumber() const;
  /// What reports call the layer: `moe.layer` of the innermost call that has
  /// one, else its number.
  std::string getName() const;
  ExpertShape getShape() const;
};

/// The functions with a body that nobody in the module calls, in order.
SmallVector<func::FuncOp> getRootFunctions(ModuleOp module);

/// Fails, with a diagnostic at the call, where a function calls itself,
/// directly or through others. Whoever follows calls asks first.
LogicalResult verifyNoRecursion(ModuleOp module);

/// All MoE layers, in the order in which they run. Fails, with a diagnostic, on
/// recursion and on handles that come from elsewhere than `moe.use_placement`
/// and `moe.use_weight`.
FailureOr<SmallVector<MoELayer>> collectLayers(ModuleOp module);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_MODELLAYERS_H
