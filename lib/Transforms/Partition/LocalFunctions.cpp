// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LocalFunctions.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;
using comm::AxisListAttr;
using comm::ShardingAttr;

// The axes that a value with this sharding depends on.
static AxisListAttr getVaryingAxes(MLIRContext *context,
                                   ShardingAttr sharding) {
  SmallVector<comm::AxisRefAttr> axes;
  for (AxisListAttr dim :
       sharding ? sharding.getDims() : ArrayRef<AxisListAttr>()) {
    llvm::append_range(axes, dim.getAxes());
  }
  return AxisListAttr::get(context, axes);
}

// Writes down what no local program says of itself: how what comes from outside
// is spread, and how results must be. Of an entry these are the arguments and
// the results, of a declared function the results.
static void writeVaryingAxes(func::FuncOp global, func::FuncOp local) {
  bool isEntry = global.isPublic() && !global.isDeclaration();
  MLIRContext *context = global.getContext();
  StringRef name = comm::kVariesOverAttrName;
  unsigned destination = global.getNumArguments() + 1;
  for (auto [index, type] : llvm::enumerate(global.getResultTypes())) {
    AxisListAttr axes =
        getVaryingAxes(context, global.getResultAttrOfType<ShardingAttr>(
                                    index, comm::kShardingAttrName));
    if (isEntry || global.isDeclaration()) {
      local.setResultAttr(index, name, axes);
    }
    if (isEntry && isa<ShapedType>(type)) {
      local.setArgAttr(destination++, name, axes);
    }
  }
  if (!isEntry) {
    return;
  }
  for (auto [index, type] : llvm::enumerate(global.getArgumentTypes())) {
    // Handles say themselves what they are placed and sharded by.
    if (isa<TensorType>(type) || type.isIntOrIndexOrFloat()) {
      local.setArgAttr(
          index, name,
          getVaryingAxes(context, global.getArgAttrOfType<ShardingAttr>(
                                      index, comm::kShardingAttrName)));
    }
  }
  local.setArgAttr(global.getNumArguments(), name,
                   AxisListAttr::get(context, {}));
}

func::FuncOp
mlir::moe::createLocalFunction(func::FuncOp global,
                               const comm::Partitioner &partitioner,
                               OpBuilder &builder) {
  SmallVector<Type> inputs;
  SmallVector<Type> results;
  for (auto [index, type] : llvm::enumerate(global.getArgumentTypes())) {
    inputs.push_back(partitioner.getLocalType(
        type,
        global.getArgAttrOfType<ShardingAttr>(index, comm::kShardingAttrName)));
  }
  inputs.push_back(builder.getIndexType());
  for (auto [index, type] : llvm::enumerate(global.getResultTypes())) {
    results.push_back(
        partitioner.getLocalType(type, global.getResultAttrOfType<ShardingAttr>(
                                           index, comm::kShardingAttrName)));
    if (isa<ShapedType>(type)) {
      inputs.push_back(results.back());
    }
  }
  auto local =
      func::FuncOp::create(builder, global.getLoc(), global.getSymName(),
                           builder.getFunctionType(inputs, results));
  local.setPrivate();
  for (NamedAttribute attr : global->getDiscardableAttrs()) {
    local->setAttr(attr.getName(), attr.getValue());
  }
  local->removeAttr(comm::kShardingRuleAttrName);
  local->removeAttr(comm::kShardingGranulesAttrName);
  if (global.isPublic() && !global.isDeclaration()) {
    local->setAttr(kEntryAttrName, builder.getUnitAttr());
  }
  if (partitioner.getMesh()) {
    writeVaryingAxes(global, local);
  }
  // Destinations are the last arguments; a declared function says so in the
  // words for functions without a body.
  using bufferization::BufferizationDialect;
  unsigned firstDestination = global.getNumArguments() + 1;
  for (unsigned index = 0; index < local.getNumArguments(); ++index) {
    bool isDestination = index >= firstDestination;
    if (!isa<TensorType>(local.getArgumentTypes()[index])) {
      continue;
    }
    if (global.isDeclaration()) {
      local.setArgAttr(index, BufferizationDialect::kBufferAccessAttrName,
                       builder.getStringAttr(isDestination ? "write" : "read"));
    } else if (isDestination) {
      local.setArgAttr(index, BufferizationDialect::kWritableAttrName,
                       builder.getBoolAttr(true));
    }
  }
  return local;
}

void mlir::moe::createLocalCall(func::CallOp call,
                                comm::Partitioner &partitioner) {
  OpBuilder &builder = partitioner.getBuilder();
  Location loc = call.getLoc();
  SmallVector<Value> operands;
  for (Value operand : call.getOperands()) {
    operands.push_back(partitioner.getLocal(operand));
  }
  operands.push_back(partitioner.getTokens());
  SmallVector<Type> types;
  for (Value result : call.getResults()) {
    Type type = partitioner.getLocalType(result);
    types.push_back(type);
    auto shaped = dyn_cast<RankedTensorType>(type);
    if (!shaped) {
      continue;
    }
    ShardingAttr sharding = partitioner.getSharding(result);
    SmallVector<OpFoldResult> extents;
    for (auto [dim, extent] :
         llvm::enumerate(cast<RankedTensorType>(result.getType()).getShape())) {
      OpFoldResult global = ShapedType::isDynamic(extent)
                                ? OpFoldResult(partitioner.getTokens())
                                : builder.getIndexAttr(extent);
      extents.push_back(partitioner.getLocalExtent(
          global, sharding ? sharding.getDims()[dim]
                           : AxisListAttr::get(call.getContext(), {})));
    }
    Value destination =
        tensor::EmptyOp::create(builder, loc, extents, shaped.getElementType());
    if (destination.getType() != type) {
      destination = tensor::CastOp::create(builder, loc, type, destination);
    }
    operands.push_back(destination);
  }
  auto local =
      func::CallOp::create(builder, loc, call.getCallee(), types, operands);
  for (NamedAttribute attr : call->getDiscardableAttrs()) {
    if (attr.getName() != comm::kResultShardingsAttrName) {
      local->setAttr(attr.getName(), attr.getValue());
    }
  }
  for (auto [global, value] :
       llvm::zip_equal(call.getResults(), local.getResults())) {
    partitioner.mapLocal(global, value);
  }
}

void mlir::moe::createDestinationReturn(func::FuncOp local,
                                        unsigned firstDestination,
                                        ValueRange values, OpBuilder &builder,
                                        Location loc) {
  SmallVector<Value> results;
  unsigned destination = firstDestination;
  for (auto [value, type] : llvm::zip_equal(values, local.getResultTypes())) {
    if (!isa<RankedTensorType>(type)) {
      results.push_back(value);
      continue;
    }
    if (value.getType() != type) {
      value = tensor::CastOp::create(builder, loc, type, value);
    }
    results.push_back(
        bufferization::MaterializeInDestinationOp::create(
            builder, loc, type, value, local.getArgument(destination++))
            .getResult());
  }
  func::ReturnOp::create(builder, loc, results);
}
