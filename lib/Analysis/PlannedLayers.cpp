// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/PlannedLayers.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;

bool mlir::moe::isExchangeSite(Operation *op) {
  if (auto experts = dyn_cast<ExpertsOp>(op)) {
    return static_cast<bool>(experts.getExchangeAttr());
  }
  return isa<DispatchLayoutOp, AssignSlotsOp>(op);
}

Attribute mlir::moe::getLayerName(Operation *op) {
  Attribute name = op->getAttr(kLayerAttrName);
  if (auto number = dyn_cast_or_null<IntegerAttr>(name)) {
    return Builder(op->getContext()).getI64IntegerAttr(number.getInt());
  }
  return dyn_cast_or_null<StringAttr>(name);
}

Attribute LayerPath::getName() const {
  for (const LayerCall &step : llvm::reverse(calls)) {
    if (Attribute name = getLayerName(step.call)) {
      return name;
    }
  }
  return getLayerName(root);
}

UsePlacementOp LayerPath::findPlacement(Value handle) const {
  for (const LayerCall &step : llvm::reverse(calls)) {
    auto argument = dyn_cast<BlockArgument>(handle);
    func::FuncOp callee = step.callee;
    if (!argument || argument.getOwner() != &callee.front()) {
      break;
    }
    func::CallOp call = step.call;
    handle = call.getOperand(argument.getArgNumber());
  }
  return handle ? handle.getDefiningOp<UsePlacementOp>() : UsePlacementOp();
}

namespace {
/// What an exchange site says itself.
struct SiteFacts {
  Value placement;
  FlatSymbolRefAttr exchange;
  /// Bytes of a row, for each dispatch and for each combine.
  SmallVector<int64_t> sends;
  SmallVector<int64_t> returns;
};
} // namespace

static int64_t getRowBytes(Value rows) {
  auto type = cast<ShapedType>(rows.getType());
  return type.getDimSize(1) * type.getElementTypeBitWidth() / 8;
}

// How many ranks share the columns of what experts return.
static int64_t getColumnParts(ExpertsOp experts) {
  auto shardings =
      experts->getAttrOfType<ArrayAttr>(comm::kResultShardingsAttrName);
  auto sharding = shardings && !shardings.empty()
                      ? dyn_cast<comm::ShardingAttr>(shardings[0])
                      : comm::ShardingAttr();
  return sharding ? comm::getGroupSize(experts, sharding.getMesh(),
                                       sharding.getDims().back())
                  : 1;
}

static SiteFacts readSite(ExpertsOp experts) {
  MoELayer layer;
  layer.experts = experts;
  ExpertShape shape = layer.getShape();
  return {experts.getPlacement(),
          experts.getExchangeAttr(),
          {shape.inputColumns * shape.inputElementBytes},
          {shape.outputColumns * shape.outputElementBytes /
           getColumnParts(experts)}};
}

static SiteFacts readSite(DispatchLayoutOp layout) {
  SiteFacts facts{layout.getPlacement(), layout.getExchangeAttr(), {}, {}};
  for (Operation *user : layout.getLayout().getUsers()) {
    if (auto dispatch = dyn_cast<DispatchOp>(user)) {
      facts.sends.push_back(getRowBytes(dispatch.getX()));
    } else if (auto combine = dyn_cast<CombineOp>(user)) {
      facts.returns.push_back(getRowBytes(combine.getRows()));
    }
  }
  return facts;
}

static SiteFacts readSite(AssignSlotsOp assign) {
  SiteFacts facts{assign.getPlacement(),
                  assign->getAttrOfType<FlatSymbolRefAttr>(kExchangeAttrName),
                  {},
                  {}};
  for (Operation *user : assign->getResult(0).getUsers()) {
    if (auto spread = dyn_cast<SpreadRowsOp>(user)) {
      facts.sends.push_back(getRowBytes(spread.getX()));
    } else if (auto sum = dyn_cast<CombineRowsOp>(user)) {
      facts.returns.push_back(getRowBytes(sum.getRows()));
    }
  }
  return facts;
}

PlannedLayerAttr LayerPath::describe(Operation *site) const {
  SiteFacts facts = llvm::TypeSwitch<Operation *, SiteFacts>(site)
                        .Case<ExpertsOp, DispatchLayoutOp>(
                            [](auto op) { return readSite(op); })
                        .Default([](Operation *op) {
                          return readSite(cast<AssignSlotsOp>(op));
                        });
  UsePlacementOp use = findPlacement(facts.placement);
  int64_t number = use ? static_cast<int64_t>(use.getLayer()) : 0;
  Attribute name = getName();
  if (!name) {
    name = Builder(site->getContext()).getI64IntegerAttr(number);
  }
  llvm::sort(facts.sends);
  llvm::sort(facts.returns);
  return PlannedLayerAttr::get(site->getContext(), name, number, facts.exchange,
                               use ? use.getPlacementAttr()
                                   : FlatSymbolRefAttr(),
                               facts.sends, facts.returns);
}

namespace {
/// Walks a program in the order of its operations.
class LayerRecorder {
public:
  LayerRecorder(SymbolTableCollection &symbols, func::FuncOp root)
      : symbols(symbols), path(root) {}

  SmallVector<Attribute> run() {
    visit(path.getRoot());
    return std::move(layers);
  }

private:
  void visit(func::FuncOp function) {
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isExchangeSite(op)) {
        layers.push_back(path.describe(op));
      } else if (auto call = dyn_cast<func::CallOp>(op)) {
        visitCall(call);
      }
    });
  }

  void visitCall(func::CallOp call) {
    auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    size_t before = layers.size();
    if (callee && !callee.isDeclaration() && !silent.contains(callee)) {
      path.enter(call, callee);
      visit(callee);
      path.leave();
    }
    if (layers.size() != before) {
      return;
    }
    silent.insert(callee);
    if (Attribute name = getLayerName(call)) {
      layers.push_back(PlannedLayerAttr::get(name));
    }
  }

  SymbolTableCollection &symbols;
  LayerPath path;
  /// Functions that do nothing for a layer, whoever calls them.
  DenseSet<Operation *> silent;
  SmallVector<Attribute> layers;
};
} // namespace

LogicalResult mlir::moe::recordPlannedLayers(ModuleOp module) {
  if (failed(verifyNoRecursion(module))) {
    return failure();
  }
  SymbolTableCollection symbols;
  for (func::FuncOp root : getRootFunctions(module)) {
    SmallVector<Attribute> layers = LayerRecorder(symbols, root).run();
    if (!layers.empty() && !root->hasAttr(kLayersAttrName)) {
      root->setAttr(kLayersAttrName,
                    ArrayAttr::get(module.getContext(), layers));
    }
  }
  return success();
}
