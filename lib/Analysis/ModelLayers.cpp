// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/ModelLayers.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

#include <tuple>

using namespace mlir;
using namespace mlir::moe;

bool ExpertShape::operator==(const ExpertShape &other) const {
  auto fields = [](const ExpertShape &shape) {
    return std::tie(shape.experts, shape.choices, shape.inputColumns,
                    shape.outputColumns, shape.innerColumns,
                    shape.inputElementBytes, shape.outputElementBytes,
                    shape.returnsColumns);
  };
  return fields(*this) == fields(other);
}

int64_t MoELayer::getNumber() const {
  // Accessors of operations are not const.
  UsePlacementOp op = placement;
  return op ? static_cast<int64_t>(op.getLayer()) : 0;
}

std::string MoELayer::getName() const {
  for (const LayerCall &step : llvm::reverse(path)) {
    func::CallOp call = step.call;
    Attribute layer = call->getAttr(kLayerAttrName);
    if (auto name = dyn_cast_or_null<StringAttr>(layer)) {
      return name.str();
    }
    if (auto number = dyn_cast_or_null<IntegerAttr>(layer)) {
      return std::to_string(number.getInt());
    }
  }
  return std::to_string(getNumber());
}

static int64_t getElementBytes(ShapedType type) {
  return llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

ExpertShape MoELayer::getShape() const {
  ExpertsOp op = experts;
  Block &body = op.getBody().front();
  auto rows = cast<ShapedType>(body.getArgument(0).getType());
  auto out = cast<ShapedType>(body.getTerminator()->getOperand(0).getType());
  ExpertShape shape;
  shape.choices = cast<ShapedType>(op.getExpert().getType()).getDimSize(1);
  shape.inputColumns = rows.getDimSize(1);
  shape.outputColumns = out.getDimSize(1);
  shape.inputElementBytes = getElementBytes(rows);
  shape.outputElementBytes = getElementBytes(out);
  shape.returnsColumns = op.getDropped() == DroppedReturn::Zero;
  for (UseWeightOp weight : weights) {
    auto type = cast<WeightsType>(weight.getResult().getType());
    shape.experts = type.getSlots();
    shape.innerColumns = std::max(shape.innerColumns, type.getInner());
  }
  if (UsePlacementOp handle = placement) {
    shape.experts = handle.getResult().getType().getExperts();
  }
  return shape;
}

SmallVector<func::FuncOp> mlir::moe::getRootFunctions(ModuleOp module) {
  DenseSet<StringAttr> called;
  module.walk([&](func::CallOp call) {
    called.insert(call.getCalleeAttr().getLeafReference());
  });
  SmallVector<func::FuncOp> roots;
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    if (!function.isDeclaration() && !called.contains(function.getNameAttr())) {
      roots.push_back(function);
    }
  }
  return roots;
}

namespace {
/// Looks for a call of a function that is still being visited.
class RecursionSearch {
public:
  explicit RecursionSearch(ModuleOp module) : symbols(module) {}

  LogicalResult visit(func::FuncOp function) {
    auto [state, isNew] = isDone.try_emplace(function, false);
    if (!isNew) {
      return success();
    }
    WalkResult walk = function.walk([&](func::CallOp call) -> WalkResult {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      auto known = isDone.find(callee);
      if (known != isDone.end() && !known->second) {
        return emitError(call.getLoc(),
                         "expected no recursion, but got a call of '")
               << callee.getSymName() << "' inside itself";
      }
      return visit(callee);
    });
    isDone[function] = true;
    return failure(walk.wasInterrupted());
  }

private:
  SymbolTable symbols;
  DenseMap<Operation *, bool> isDone;
};
} // namespace

LogicalResult mlir::moe::verifyNoRecursion(ModuleOp module) {
  RecursionSearch search(module);
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    if (failed(search.visit(function))) {
      return failure();
    }
  }
  return success();
}

namespace {
/// Follows the calls from one root.
class LayerWalk {
public:
  LayerWalk(SymbolTableCollection &symbols, func::FuncOp root,
            SmallVectorImpl<MoELayer> &layers)
      : symbols(symbols), root(root), layers(layers) {}

  LogicalResult visit(func::FuncOp function) {
    WalkResult result =
        function.walk<WalkOrder::PreOrder>([&](Operation *op) -> WalkResult {
          if (auto experts = dyn_cast<ExpertsOp>(op)) {
            return addLayer(experts);
          }
          if (auto call = dyn_cast<func::CallOp>(op)) {
            return enter(call);
          }
          return WalkResult::advance();
        });
    return failure(result.wasInterrupted());
  }

private:
  /// The operation that made a handle, seen through the calls; null for what
  /// is no handle.
  Operation *getOrigin(Value value) const {
    if (Operation *op = value.getDefiningOp()) {
      return isa<UsePlacementOp, UseWeightOp>(op) ? op : nullptr;
    }
    return origins.lookup(value);
  }

  LogicalResult enter(func::CallOp call) {
    auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    if (!callee || callee.isDeclaration()) {
      return success();
    }
    DenseMap<Value, Operation *> outer = origins;
    for (auto [argument, operand] :
         llvm::zip_equal(callee.getArguments(), call.getOperands())) {
      origins[argument] = getOrigin(operand);
    }
    path.push_back({call, callee});
    LogicalResult result = visit(callee);
    path.pop_back();
    origins = std::move(outer);
    return result;
  }

  LogicalResult addLayer(ExpertsOp experts) {
    MoELayer layer;
    layer.experts = experts;
    layer.path = path;
    layer.root = root;
    if (Value placement = experts.getPlacement()) {
      layer.placement = dyn_cast_or_null<UsePlacementOp>(getOrigin(placement));
      if (!layer.placement) {
        return experts.emitOpError(
            "expected its placement to come from moe.use_placement");
      }
    }
    llvm::SetVector<Operation *> weights;
    WalkResult result = experts.getBody().walk([&](Operation *op) {
      for (Value operand : op->getOperands()) {
        if (!isa<WeightsType>(operand.getType())) {
          continue;
        }
        auto weight = dyn_cast_or_null<UseWeightOp>(getOrigin(operand));
        if (!weight) {
          op->emitOpError("expected its weights to come from moe.use_weight");
          return WalkResult::interrupt();
        }
        weights.insert(weight);
      }
      return WalkResult::advance();
    });
    for (Operation *weight : weights) {
      layer.weights.push_back(cast<UseWeightOp>(weight));
    }
    layers.push_back(std::move(layer));
    return failure(result.wasInterrupted());
  }

  SymbolTableCollection &symbols;
  func::FuncOp root;
  SmallVectorImpl<MoELayer> &layers;
  /// What the arguments of the functions on the path are bound to.
  DenseMap<Value, Operation *> origins;
  SmallVector<LayerCall> path;
};
} // namespace

FailureOr<SmallVector<MoELayer>> mlir::moe::collectLayers(ModuleOp module) {
  if (failed(verifyNoRecursion(module))) {
    return failure();
  }
  SymbolTableCollection symbols;
  SmallVector<MoELayer> layers;
  for (func::FuncOp root : getRootFunctions(module)) {
    if (failed(LayerWalk(symbols, root, layers).visit(root))) {
      return failure();
    }
  }
  return layers;
}
