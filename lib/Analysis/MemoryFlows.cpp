// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "MemoryFlows.h"

#include "moe/Analysis/ControlEdges.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::moe;

static bool isBuffer(Value value) {
  return isa<BaseMemRefType>(value.getType());
}

void MemoryFlows::visit(Operation *op) {
  for (const ControlEdge &edge : getControlEdges(op)) {
    for (auto [operand, input] : llvm::zip(edge.operands, edge.inputs)) {
      join(operand, input);
    }
  }
  if (auto call = dyn_cast<CallOpInterface>(op)) {
    return visitCall(call);
  }
  if (isa<func::ConstantOp>(op)) {
    // Who calls it, and when, cannot be seen.
    if (auto function = symbols.lookupNearestSymbolFrom(
            op, cast<func::ConstantOp>(op).getValueAttr())) {
      graph.addOwn(op->getResult(0), Aspect::Contents, parts.getAll());
      graph.addSource(getContext(function), op->getResult(0));
    }
    return;
  }
  visitNames(op);
  visitWrites(op);
  visitEscapes(op);
}

void MemoryFlows::join(Value one, Value other) {
  if (isBuffer(one) && isBuffer(other)) {
    graph.addSource(one, Aspect::Contents, other, Aspect::Contents);
    graph.addSource(other, Aspect::Contents, one, Aspect::Contents);
  }
}

void MemoryFlows::addAnything(Value buffer) {
  graph.addOwn(buffer, Aspect::Contents, parts.getAll());
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

void MemoryFlows::visitNames(Operation *op) {
  // Those of branches and loops come over their edges.
  if (isa<RegionBranchOpInterface>(op)) {
    return;
  }
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  for (Value result : llvm::make_filter_range(op->getResults(), isBuffer)) {
    if (effects && effects.getEffectOnValue<MemoryEffects::Allocate>(result)) {
      continue;
    }
    if (isa<memref::GetGlobalOp>(op)) {
      visitGlobal(op, result);
      continue;
    }
    bool isName = isMemoryEffectFree(op);
    for (Value operand : llvm::make_filter_range(op->getOperands(), isBuffer)) {
      join(result, operand);
    }
    // What is placed says itself what it varies over.
    if (!isName || (op->getNumOperands() == 0 &&
                    !isa<comm::RankDependentOpInterface>(op))) {
      addAnything(result);
    }
  }
}

void MemoryFlows::visitGlobal(Operation *op, Value buffer) {
  auto global = symbols.lookupNearestSymbolFrom<memref::GlobalOp>(
      op, cast<memref::GetGlobalOp>(op).getNameAttr());
  auto [first, isNew] = globals.try_emplace(global, buffer);
  if (!isNew) {
    join(first->second, buffer);
  }
  if (!global || (global.isPublic() && !global.getConstant())) {
    addAnything(buffer);
  }
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

unsigned MemoryFlows::getContext(Operation *function) {
  auto [found, isNew] = contexts.try_emplace(function, 0);
  if (isNew) {
    found->second = graph.addNode();
  }
  return found->second;
}

void MemoryFlows::visitCall(CallOpInterface call) {
  auto function = dyn_cast_or_null<FunctionOpInterface>(
      call.resolveCallableInTable(&symbols));
  if (!function) {
    llvm::for_each(llvm::make_filter_range(call->getOperands(), isBuffer),
                   [&](Value operand) { addAnything(operand); });
    return;
  }
  if (function.isExternal()) {
    return visitDeclared(call, function);
  }
  for (auto [argument, operand] :
       llvm::zip(function.getArguments(), call.getArgOperands())) {
    join(argument, operand);
  }
  for (Block &block : function.getFunctionBody()) {
    Operation *end = block.getTerminator();
    for (auto [result, value] :
         llvm::zip(call->getResults(), end->getOperands())) {
      join(result, value);
    }
  }
  unsigned context = getContext(function);
  graph.addSource(context,
                  getContext(call->getParentOfType<FunctionOpInterface>()));
  for (const Decision &decision : getDecisions(call, dominance)) {
    graph.addSource(context, decision.value);
  }
}

// A declared function fills its destinations with what varies as is written.
void MemoryFlows::visitDeclared(CallOpInterface call,
                                FunctionOpInterface function) {
  for (auto [index, operand] : llvm::enumerate(call.getArgOperands())) {
    auto access = function.getArgAttrOfType<StringAttr>(
        index, bufferization::BufferizationDialect::kBufferAccessAttrName);
    if (!isBuffer(operand) || (access && (access.getValue() == "read" ||
                                          access.getValue() == "none"))) {
      continue;
    }
    auto axes = function.getArgAttrOfType<comm::AxisListAttr>(
        index, comm::kVariesOverAttrName);
    graph.addOwn(operand, Aspect::Contents,
                 axes ? parts.getTouched(axes) : parts.getAll());
    addDeciding(operand, call);
  }
}

//===----------------------------------------------------------------------===//
// Writes
//===----------------------------------------------------------------------===//

void MemoryFlows::addDeciding(Value buffer, Operation *op) {
  for (const Decision &decision : getDecisions(op, dominance)) {
    graph.addSource(buffer, Aspect::Contents, decision.value, Aspect::Contents);
  }
  graph.addSource(buffer,
                  getContext(op->getParentOfType<FunctionOpInterface>()));
}

void MemoryFlows::visitWrites(Operation *op) {
  auto interface = dyn_cast<MemoryEffectOpInterface>(op);
  if (!interface) {
    return;
  }
  SmallVector<MemoryEffects::EffectInstance> effects;
  interface.getEffects(effects);
  llvm::SmallSetVector<Value, 4> reads;
  llvm::SmallSetVector<Value, 4> writes;
  for (const MemoryEffects::EffectInstance &effect : effects) {
    Value value = effect.getValue();
    if (!value || !isBuffer(value)) {
      continue;
    }
    if (isa<MemoryEffects::Read>(effect.getEffect())) {
      reads.insert(value);
    } else if (isa<MemoryEffects::Write>(effect.getEffect())) {
      writes.insert(value);
    }
  }
  for (Value buffer : writes) {
    addDeciding(buffer, op);
  }
  // They say themselves what arrives.
  if (isa<comm::CollectiveOpInterface, comm::WaitOp>(op)) {
    return;
  }
  for (Value operand : op->getOperands()) {
    if (!isBuffer(operand)) {
      reads.insert(operand);
    }
  }
  for (Region &region : op->getRegions()) {
    for (Block &block : region) {
      if (!block.empty() && block.back().hasTrait<OpTrait::IsTerminator>()) {
        reads.insert_range(block.back().getOperands());
      }
    }
  }
  auto ranked = dyn_cast<comm::RankDependentOpInterface>(op);
  for (Value buffer : writes) {
    for (Value read : reads) {
      graph.addSource(buffer, Aspect::Contents, read, Aspect::Contents);
    }
    for (Value operand : op->getOperands()) {
      graph.addSource(buffer, Aspect::Contents, operand, Aspect::Extents);
    }
    if (ranked) {
      comm::AxisListAttr axes = ranked.getRankAxes();
      graph.addOwn(buffer, Aspect::Contents,
                   axes ? parts.getTouched(axes) : parts.getAll());
    }
  }
}

void MemoryFlows::visitEscapes(Operation *op) {
  bool isKnown = isa<MemoryEffectOpInterface>(op) ||
                 op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
                 op->hasTrait<OpTrait::IsTerminator>();
  bool takesAddress =
      isa<memref::ExtractAlignedPointerAsIndexOp, UnrealizedConversionCastOp>(
          op);
  auto store = dyn_cast<memref::StoreOp>(op);
  for (Value operand : llvm::make_filter_range(op->getOperands(), isBuffer)) {
    if (!isKnown || takesAddress ||
        (store && store.getValueToStore() == operand)) {
      addAnything(operand);
    }
  }
}
