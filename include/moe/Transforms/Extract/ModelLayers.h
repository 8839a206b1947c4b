// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers of a model, found through its calls.

#ifndef MOE_TRANSFORMS_EXTRACT_MODELLAYERS_H
#define MOE_TRANSFORMS_EXTRACT_MODELLAYERS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace mlir::moe {

/// One layer of a model and the way to its block.
struct ModelLayer {
  /// As the call's `moe.layer` has it: i64 or string.
  Attribute id;
  /// The calls from the model's function to the block, outermost first; empty
  /// where the layer has no block.
  SmallVector<func::CallOp> calls;
  /// Whether the block routes tokens to experts.
  bool isMoE = false;

  /// "3" or "encoder.1".
  std::string getName() const;
};

/// The function with the role "model"; null without one.
func::FuncOp findModelFunction(ModuleOp module);

/// The layers that `model` calls, in the order of the calls.
SmallVector<ModelLayer> findLayers(func::FuncOp model);

/// The layer called `name`, or the first MoE layer where `name` is empty.
/// Otherwise an error on `model` that lists the MoE layers.
FailureOr<ModelLayer> selectLayer(func::FuncOp model, StringRef name);

} // namespace mlir::moe

#endif // MOE_TRANSFORMS_EXTRACT_MODELLAYERS_H
