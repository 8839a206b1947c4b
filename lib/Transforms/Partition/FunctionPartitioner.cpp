// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FunctionPartitioner.h"

#include "LocalFunctions.h"
#include "ShardingState.h"

using namespace mlir;
using namespace mlir::moe;
using comm::ShardingAttr;

LogicalResult FunctionPartitioner::run() {
  builder.setInsertionPoint(global);
  local = createLocalFunction(global, *this, builder);
  if (global.isDeclaration()) {
    return success();
  }
  if (!global.getBody().hasOneBlock()) {
    return emitError(global.getLoc(),
                     "cannot partition a function of several blocks");
  }
  Block *entry = local.addEntryBlock();
  for (BlockArgument argument : global.getArguments()) {
    mapLocal(argument, entry->getArgument(argument.getArgNumber()));
  }
  builder.setInsertionPointToStart(entry);
  Block &body = global.getBody().front();
  if (failed(partitionBody(body))) {
    return failure();
  }
  SmallVector<Value> values;
  for (Value value : body.getTerminator()->getOperands()) {
    values.push_back(getLocal(value));
  }
  createDestinationReturn(local, global.getNumArguments() + 1, values, builder,
                          body.getTerminator()->getLoc());
  return success();
}

ShardingAttr FunctionPartitioner::getSharding(Value value) const {
  return ShardingAttributes::get(value);
}

Value FunctionPartitioner::getTokens() const {
  func::FuncOp from = global;
  func::FuncOp to = local;
  return to.getArgument(from.getNumArguments());
}

Type FunctionPartitioner::getLocalType(Type type, ShardingAttr sharding) const {
  Type part = Partitioner::getLocalType(type, sharding);
  auto weights = dyn_cast<WeightsType>(part);
  if (!weights) {
    return part;
  }
  SmallVector<int64_t> shape(weights.getShape());
  // Weights that no placement spreads are whole on every rank.
  if (int64_t slots = getLocalSlots(global, weights.getSlots())) {
    shape[0] = slots;
  }
  return WeightsType::get(type.getContext(), shape, weights.getElementType());
}

LogicalResult FunctionPartitioner::partitionBody(Block &block) {
  for (Operation &op : block.without_terminator()) {
    if (failed(partition(&op))) {
      return failure();
    }
  }
  return success();
}

LogicalResult FunctionPartitioner::partition(Operation *op) {
  if (auto call = dyn_cast<func::CallOp>(op)) {
    createLocalCall(call, *this);
    return success();
  }
  if (auto partitionable = dyn_cast<comm::PartitionOpInterface>(op)) {
    return partitionable.partition(*this);
  }
  if (touchesShapedValues(op)) {
    return op->emitError("cannot partition '")
           << op->getName() << "': it has no local form";
  }
  cloneLocal(op);
  return success();
}

LogicalResult mlir::moe::partitionFunctions(
    ModuleOp module,
    function_ref<std::unique_ptr<FunctionPartitioner>(func::FuncOp)> create) {
  SmallVector<func::FuncOp> globals(module.getOps<func::FuncOp>());
  for (func::FuncOp global : globals) {
    if (failed(create(global)->run())) {
      return failure();
    }
  }
  for (func::FuncOp global : globals) {
    global.erase();
  }
  return success();
}
