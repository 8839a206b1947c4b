// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ShardingState.h"

using namespace mlir;
using namespace mlir::moe;
using comm::ShardingAttr;
using comm::ShardingRule;

bool mlir::moe::touchesShapedValues(Operation *op) {
  auto isShaped = [](Type type) { return isa<ShapedType>(type); };
  WalkResult walk = op->walk([&](Operation *inner) {
    bool touches = llvm::any_of(inner->getOperandTypes(), isShaped) ||
                   llvm::any_of(inner->getResultTypes(), isShaped);
    return touches ? WalkResult::interrupt() : WalkResult::advance();
  });
  return walk.wasInterrupted();
}

FailureOr<ShardingRule> mlir::moe::getDeclaredRule(func::CallOp call,
                                                   func::FuncOp callee) {
  auto attr = callee->getAttrOfType<ArrayAttr>(comm::kShardingRuleAttrName);
  size_t values = call->getNumOperands() + call->getNumResults();
  if (!attr || attr.size() != values) {
    InFlightDiagnostic diagnostic =
        call->emitError("expected function '")
        << callee.getSymName() << "' to be defined or to have '"
        << comm::kShardingRuleAttrName << "' for its " << values << " values";
    diagnostic.attachNote(callee.getLoc()) << "declared here";
    return diagnostic;
  }
  ShardingRule rule;
  for (auto [index, dims] : llvm::enumerate(attr.getValue())) {
    SmallVector<int64_t> factors;
    for (Attribute dim : cast<ArrayAttr>(dims)) {
      int64_t factor = cast<IntegerAttr>(dim).getInt();
      while (factor >= static_cast<int64_t>(rule.factors.size())) {
        rule.addFactor();
      }
      factors.push_back(factor);
    }
    bool isOperand = index < call->getNumOperands();
    Value value = isOperand ? call->getOperand(index)
                            : call->getResult(index - call->getNumOperands());
    auto shaped = dyn_cast<ShapedType>(value.getType());
    if (!shaped) {
      continue;
    }
    if (isOperand) {
      rule.addUse(call->getOpOperand(index), factors);
    } else {
      rule.addValue(value, factors);
    }
  }
  if (auto granules = callee->getAttrOfType<DenseI64ArrayAttr>(
          comm::kShardingGranulesAttrName)) {
    for (auto [factor, granule] :
         llvm::zip_equal(rule.factors, granules.asArrayRef())) {
      factor.granule = granule;
    }
  }
  return rule;
}

FailureOr<ShardingRule> mlir::moe::getRule(Operation *op) {
  if (auto call = dyn_cast<func::CallOp>(op)) {
    auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
        call, call.getCalleeAttr());
    if (callee.isDeclaration()) {
      return getDeclaredRule(call, callee);
    }
    return ShardingRule();
  }
  if (!touchesShapedValues(op) || isa<func::ReturnOp>(op) ||
      op->hasTrait<OpTrait::ReturnLike>()) {
    return ShardingRule();
  }
  if (auto rule = dyn_cast<comm::ShardingRuleOpInterface>(op)) {
    return rule.getShardingRule();
  }
  if (auto reshard = dyn_cast<comm::ReshardOp>(op)) {
    return ShardingRule();
  }
  return op->emitError("cannot partition '")
         << op->getName() << "': it has no sharding rule";
}

// Entry `index` of an array of shardings, null for unit entries.
static ShardingAttr getEntry(ArrayAttr array, unsigned index) {
  return array && index < array.size() ? dyn_cast<ShardingAttr>(array[index])
                                       : ShardingAttr();
}

static void setEntry(Operation *op, StringRef name, unsigned index,
                     unsigned count, ShardingAttr sharding) {
  SmallVector<Attribute> entries(count, UnitAttr::get(op->getContext()));
  if (auto old = op->getAttrOfType<ArrayAttr>(name)) {
    llvm::copy(old.getValue().take_front(count), entries.begin());
  }
  entries[index] =
      sharding ? Attribute(sharding) : UnitAttr::get(op->getContext());
  bool any = llvm::any_of(
      entries, [](Attribute entry) { return isa<ShardingAttr>(entry); });
  if (any) {
    op->setAttr(name, ArrayAttr::get(op->getContext(), entries));
  } else {
    op->removeAttr(name);
  }
}

ShardingAttr ShardingAttributes::get(Value value) {
  if (auto result = dyn_cast<OpResult>(value)) {
    return getEntry(result.getOwner()->getAttrOfType<ArrayAttr>(
                        comm::kResultShardingsAttrName),
                    result.getResultNumber());
  }
  auto argument = cast<BlockArgument>(value);
  Operation *parent = argument.getOwner()->getParentOp();
  if (auto function = dyn_cast<func::FuncOp>(parent)) {
    return function.getArgAttrOfType<ShardingAttr>(argument.getArgNumber(),
                                                   comm::kShardingAttrName);
  }
  return getEntry(
      parent->getAttrOfType<ArrayAttr>(comm::kArgumentShardingsAttrName),
      argument.getArgNumber());
}

void ShardingAttributes::set(Value value, ShardingAttr sharding) {
  if (sharding && sharding.isReplicated()) {
    sharding = nullptr;
  }
  if (auto result = dyn_cast<OpResult>(value)) {
    Operation *op = result.getOwner();
    setEntry(op, comm::kResultShardingsAttrName, result.getResultNumber(),
             op->getNumResults(), sharding);
    return;
  }
  auto argument = cast<BlockArgument>(value);
  Operation *parent = argument.getOwner()->getParentOp();
  if (auto function = dyn_cast<func::FuncOp>(parent)) {
    unsigned index = argument.getArgNumber();
    if (sharding) {
      function.setArgAttr(index, comm::kShardingAttrName, sharding);
    } else {
      function.removeArgAttr(index, comm::kShardingAttrName);
    }
    return;
  }
  setEntry(parent, comm::kArgumentShardingsAttrName, argument.getArgNumber(),
           argument.getOwner()->getNumArguments(), sharding);
}

SmallVector<comm::AxisListAttr> mlir::moe::getDimensions(ShardingAttr sharding,
                                                         Type type) {
  if (sharding) {
    return llvm::to_vector(sharding.getDims());
  }
  auto whole = comm::AxisListAttr::get(type.getContext(), {});
  return SmallVector<comm::AxisListAttr>(cast<ShapedType>(type).getRank(),
                                         whole);
}

comm::MeshOp mlir::moe::findModuleMesh(ModuleOp module) {
  auto meshes = module.getOps<comm::MeshOp>();
  if (!meshes.empty()) {
    return *meshes.begin();
  }
  emitError(module.getLoc(), "expected a comm.mesh before partitioning; run "
                             "the planning passes");
  return comm::MeshOp();
}

LogicalResult mlir::moe::verifyMesh(comm::MeshOp mesh, ShardingAttr sharding,
                                    Operation *at) {
  if (sharding.getMesh().getAttr() == mesh.getSymNameAttr()) {
    return success();
  }
  return emitError(at->getLoc(), "expected shardings over mesh '")
         << mesh.getSymName() << "', but got " << sharding;
}
