// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Transforms/Extract/ModelLayers.h"
#include "moe/Transforms/Extract/Passes.h"

#include "moe/Analysis/ModelLayers.h"
#include "moe/Dialect/MoE/MoE.h"

#include "llvm/ADT/SetVector.h"

namespace mlir::moe {
#define GEN_PASS_DEF_EXTRACTLAYERPASS
#include "moe/Transforms/Extract/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// The operation that makes the handle `value`, an operand of
/// `calls[depth]`, in that call's function or further out; null where `value`
/// is computed.
static Operation *findHandle(Value value, ArrayRef<func::CallOp> calls,
                             size_t depth) {
  while (auto argument = dyn_cast<BlockArgument>(value)) {
    if (depth == 0) {
      return nullptr;
    }
    func::CallOp outer = calls[--depth];
    value = outer.getOperand(argument.getArgNumber());
  }
  Operation *producer = value.getDefiningOp();
  return isa<UseWeightOp, UsePlacementOp>(producer) ? producer : nullptr;
}

/// The sharding of the first value among `count` that has one, as `getAttr`
/// gives it.
static Attribute findSharding(unsigned count,
                              llvm::function_ref<Attribute(unsigned)> getAttr) {
  for (unsigned i = 0; i < count; ++i) {
    if (Attribute sharding = getAttr(i)) {
      return sharding;
    }
  }
  return nullptr;
}

/// Makes @layer: the handles of the block that `layer` calls, and the call.
static func::FuncOp createLayerFunction(func::FuncOp model,
                                        const ModelLayer &layer) {
  func::CallOp block = layer.calls.back();
  SmallVector<Operation *> handles;
  SmallVector<Type> argumentTypes;
  for (Value operand : block.getOperands()) {
    handles.push_back(findHandle(operand, layer.calls, layer.calls.size() - 1));
    if (!handles.back()) {
      argumentTypes.push_back(operand.getType());
    }
  }

  OpBuilder builder(model);
  auto function = func::FuncOp::create(
      builder, block.getLoc(), kLayerFunctionName,
      builder.getFunctionType(argumentTypes, block.getResultTypes()));
  function->setAttr(kLayerAttrName, layer.id);
  function->setAttr(kRoleAttrName, builder.getStringAttr("layer"));
  builder.setInsertionPointToStart(function.addEntryBlock());

  llvm::DenseMap<Operation *, Value> clones;
  SmallVector<Value> operands;
  unsigned nextArgument = 0;
  for (Operation *handle : handles) {
    if (!handle) {
      operands.push_back(function.getArgument(nextArgument++));
      continue;
    }
    Value &clone = clones[handle];
    if (!clone) {
      clone = builder.clone(*handle)->getResult(0);
    }
    operands.push_back(clone);
  }
  auto call = func::CallOp::create(builder, block.getLoc(), block.getCallee(),
                                   block.getResultTypes(), operands);
  call->setAttr(kLayerAttrName, layer.id);
  func::ReturnOp::create(builder, block.getLoc(), call.getResults());
  return function;
}

/// Gives the tokens of `function` the sharding that those of `model` have.
static void copyShardings(func::FuncOp model, func::FuncOp function) {
  Attribute argument = findSharding(model.getNumArguments(), [&](unsigned i) {
    return model.getArgAttr(i, comm::kShardingAttrName);
  });
  Attribute result = findSharding(model.getNumResults(), [&](unsigned i) {
    return model.getResultAttr(i, comm::kShardingAttrName);
  });
  for (unsigned i = 0; argument && i < function.getNumArguments(); ++i) {
    function.setArgAttr(i, comm::kShardingAttrName, argument);
  }
  for (unsigned i = 0; result && i < function.getNumResults(); ++i) {
    function.setResultAttr(i, comm::kShardingAttrName, result);
  }
}

/// Erases every symbol that `root` does not lead to. The mesh and the topology
/// stay: they say how many ranks the program has.
static void eraseUnreachable(ModuleOp module, func::FuncOp root) {
  SymbolTable symbols(module);
  llvm::SetVector<Operation *> reached;
  reached.insert(root);
  for (Operation &op : module.getOps()) {
    if (isa<comm::MeshOp, comm::TopologyOp>(op)) {
      reached.insert(&op);
    }
  }
  for (size_t i = 0; i < reached.size(); ++i) {
    std::optional<SymbolTable::UseRange> uses =
        SymbolTable::getSymbolUses(reached[i]);
    if (!uses) {
      continue;
    }
    for (SymbolTable::SymbolUse use : *uses) {
      if (Operation *target =
              symbols.lookup(use.getSymbolRef().getRootReference())) {
        reached.insert(target);
      }
    }
  }
  for (Operation &op : llvm::make_early_inc_range(module.getOps())) {
    if (isa<SymbolOpInterface>(op) && !reached.contains(&op)) {
      op.erase();
    }
  }
}

namespace {
struct ExtractLayerPass
    : public mlir::moe::impl::ExtractLayerPassBase<ExtractLayerPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(verifyNoRecursion(module))) {
      return signalPassFailure();
    }
    func::FuncOp model = findModelFunction(module);
    if (!model) {
      emitError(module.getLoc(),
                "expected a function with moe.role \"model\", but the "
                "module has none");
      return signalPassFailure();
    }
    if (layer == "all") {
      emitError(model.getLoc(),
                "expected the number or the name of one layer, but got 'all'");
      return signalPassFailure();
    }
    FailureOr<ModelLayer> selected = selectLayer(model, layer);
    if (failed(selected)) {
      return signalPassFailure();
    }
    if (Operation *other = module.lookupSymbol(kLayerFunctionName)) {
      emitError(other->getLoc(), "expected no other symbol called '")
          << kLayerFunctionName << "'";
      return signalPassFailure();
    }
    func::FuncOp function = createLayerFunction(model, *selected);
    copyShardings(model, function);
    eraseUnreachable(module, function);
  }
};
} // namespace
