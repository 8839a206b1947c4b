// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SpecializeBlocks.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"

#include <map>

using namespace mlir;
using namespace mlir::moe;

namespace {
/// A layer below some function: the operations that lead to it from there.
struct LayerBelow {
  ExpertsOp experts;
  ArrayRef<LayerCall> path;
  FlatSymbolRefAttr choice;
};

class BlockSpecializer {
public:
  explicit BlockSpecializer(ModuleOp module) : symbols(module) {}

  /// Sets the choices of the layers below a function. Paths lead through the
  /// original functions; `mapping` leads from there to a clone.
  void specialize(ArrayRef<LayerBelow> below, const IRMapping *mapping) {
    auto getHere = [&](Operation *original) {
      return mapping ? mapping->lookup(original) : original;
    };
    llvm::MapVector<Operation *, SmallVector<LayerBelow>> byCall;
    DenseMap<Operation *, func::FuncOp> callees;
    for (const LayerBelow &layer : below) {
      if (layer.path.empty()) {
        cast<ExpertsOp>(getHere(layer.experts)).setExchangeAttr(layer.choice);
        continue;
      }
      const LayerCall &next = layer.path.front();
      callees[next.call] = next.callee;
      byCall[next.call].push_back(
          {layer.experts, layer.path.drop_front(), layer.choice});
    }
    for (auto &[call, layers] : byCall) {
      func::FuncOp variant = getVariant(callees[call], layers);
      cast<func::CallOp>(getHere(call))
          .setCalleeAttr(FlatSymbolRefAttr::get(variant.getSymNameAttr()));
    }
  }

private:
  /// The function, or a clone, whose layers below have just these choices.
  func::FuncOp getVariant(func::FuncOp callee, ArrayRef<LayerBelow> below) {
    std::vector<const void *> choices;
    for (const LayerBelow &layer : below) {
      choices.push_back(layer.choice.getAsOpaquePointer());
    }
    auto &variants = variantsByCallee[callee];
    auto known = variants.find(choices);
    if (known != variants.end()) {
      return known->second;
    }
    if (variants.empty()) {
      variants[choices] = callee;
      specialize(below, /*mapping=*/nullptr);
      return callee;
    }
    IRMapping mapping;
    auto clone = cast<func::FuncOp>(callee->clone(mapping));
    clone.setSymName(
        (callee.getSymName() + "_" + below.front().choice.getValue()).str());
    symbols.insert(clone, std::next(callee->getIterator()));
    variants[choices] = clone;
    specialize(below, &mapping);
    return clone;
  }

  SymbolTable symbols;
  /// Only looked up, never walked: the keys are pointers.
  DenseMap<Operation *, std::map<std::vector<const void *>, func::FuncOp>>
      variantsByCallee;
};
} // namespace

void mlir::moe::specializeBlocks(ModuleOp module, ArrayRef<MoELayer> layers,
                                 ArrayRef<FlatSymbolRefAttr> choices) {
  llvm::MapVector<Operation *, SmallVector<LayerBelow>> byRoot;
  for (auto [layer, choice] : llvm::zip_equal(layers, choices)) {
    byRoot[layer.root].push_back({layer.experts, layer.path, choice});
  }
  BlockSpecializer specializer(module);
  for (auto &[root, below] : byRoot) {
    specializer.specialize(below, /*mapping=*/nullptr);
  }
}
