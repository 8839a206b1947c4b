// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the functions of a model: one for each distinct block, called by every
// layer that has it.

#ifndef MOE_LIB_IMPORT_BLOCKBUILDER_H
#define MOE_LIB_IMPORT_BLOCKBUILDER_H

#include "ModelDescription.h"
#include "TensorProgram.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::moe {

/// The parameters of a function: tensors of tokens first, then weights, then
/// the placement where it has experts.
struct Signature {
  SmallVector<std::string> names;
  SmallVector<Type> types;

  void add(StringRef name, Type type) {
    names.push_back(name.str());
    types.push_back(type);
  }
  void add(ArrayRef<WeightSlot> slots) {
    for (const WeightSlot &slot : slots) {
      add(slot.name, slot.type);
    }
  }
};

/// The values of a function's parameters, by name.
class Parameters {
public:
  Parameters(const Signature &signature, Block &entry) {
    for (auto [name, argument] :
         llvm::zip_equal(signature.names, entry.getArguments())) {
      values[name] = argument;
    }
  }
  /// Null if there is none.
  Value lookup(StringRef name) const { return values.lookup(name); }
  SmallVector<Value> lookup(ArrayRef<WeightSlot> slots) const {
    return llvm::map_to_vector(
        slots, [&](const WeightSlot &slot) { return lookup(slot.name); });
  }

private:
  llvm::StringMap<Value> values;
};

class BlockBuilder {
public:
  BlockBuilder(const ModelDescription &model, ModuleOp module);

  /// `[T, H]` in the model's dtype.
  RankedTensorType getTokensType() const;
  PlacementRefType getPlacementType() const;

  /// A function that is called with tokens, `weights`, and a placement where
  /// `experts` is set.
  Signature getBlockSignature(ArrayRef<WeightSlot> weights, bool experts) const;

  func::FuncOp buildMoEBlock(ArrayRef<WeightSlot> weights);
  func::FuncOp buildDenseBlock(ArrayRef<WeightSlot> weights);
  func::FuncOp declareAttention(const Attention &attention);

  /// Starts a function with one block, at whose end the builder then is.
  func::FuncOp beginFunction(StringRef name, StringRef role, bool isPublic,
                             const Signature &signature);
  void endFunction(Value result);

private:
  struct Assignment {
    Value expert;
    Value weight;
  };
  Assignment route(TensorProgram &program, Value x,
                   const Parameters &parameters);
  Value applyExperts(TensorProgram &program, Value x,
                     const Assignment &assignment,
                     const Parameters &parameters);
  void buildExpert(Block &body, const Parameters &parameters);
  Value applySharedExperts(TensorProgram &program, Value x,
                           const Parameters &parameters);
  /// A feed-forward network of tensors, `group` in their names; in the model's
  /// dtype.
  Value applyFeedForward(TensorProgram &program, StringRef group, Value x,
                         const Parameters &parameters);

  const ModelDescription &model;
  ModuleOp module;
  OpBuilder builder;
};

} // namespace mlir::moe

#endif // MOE_LIB_IMPORT_BLOCKBUILDER_H
