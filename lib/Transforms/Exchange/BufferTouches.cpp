// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferTouches.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::moe;

static bool isBuffer(Value value) {
  return isa<BaseMemRefType>(value.getType());
}

static std::optional<TouchKind> getKind(MemoryEffects::Effect *effect) {
  if (isa<MemoryEffects::Read>(effect)) {
    return TouchKind::Read;
  }
  if (isa<MemoryEffects::Write>(effect)) {
    return TouchKind::Write;
  }
  if (isa<MemoryEffects::Free>(effect)) {
    return TouchKind::Free;
  }
  return std::nullopt;
}

// Whether an effect that names no buffer may be one on buffers.
static bool reachesMemory(const MemoryEffects::EffectInstance &instance) {
  if (isa<comm::NetworkResource>(instance.getResource())) {
    return false;
  }
  Value value = instance.getValue();
  // Handles of weights and tickets are no buffers; pointers may be.
  return !value || !(isa<TensorType, comm::PendingType>(value.getType()) ||
                     isa<MoEDialect>(value.getType().getDialect()));
}

SmallVector<BufferTouch> BufferTouches::get(Operation *op) {
  SmallVector<BufferTouch> touches;
  op->walk([&](Operation *inner) { add(inner, touches); });
  return touches;
}

void BufferTouches::add(Operation *op, SmallVectorImpl<BufferTouch> &touches) {
  // An assertion has an effect so that it stays; it writes nothing.
  if (isa<FunctionOpInterface, cf::AssertOp>(op)) {
    return;
  }
  if (auto call = dyn_cast<CallOpInterface>(op)) {
    return addCall(call, touches);
  }
  if (auto effects = dyn_cast<MemoryEffectOpInterface>(op)) {
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (const MemoryEffects::EffectInstance &instance : instances) {
      Value buffer = instance.getValue();
      std::optional<TouchKind> kind = getKind(instance.getEffect());
      if (kind && buffer && isBuffer(buffer)) {
        touches.push_back({op, *kind, buffer, {}});
      } else if (kind && reachesMemory(instance)) {
        touches.push_back({op, *kind, {}, {}});
      }
    }
    return;
  }
  if (op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
      op->hasTrait<OpTrait::IsTerminator>()) {
    return;
  }
  for (Value operand : llvm::make_filter_range(op->getOperands(), isBuffer)) {
    touches.push_back({op, TouchKind::Write, operand, {}});
  }
  touches.push_back({op, TouchKind::Write, {}, {}});
}

void BufferTouches::addCall(CallOpInterface call,
                            SmallVectorImpl<BufferTouch> &touches) {
  auto function = dyn_cast_or_null<FunctionOpInterface>(
      call.resolveCallableInTable(&symbols));
  if (!function) {
    for (Value operand :
         llvm::make_filter_range(call.getArgOperands(), isBuffer)) {
      touches.push_back({call, TouchKind::Write, operand, {}});
    }
    touches.push_back({call, TouchKind::Write, {}, {}});
    return;
  }
  const Summary &summary = summarize(function);
  for (auto [operand, kinds] :
       llvm::zip(call.getArgOperands(), summary.arguments)) {
    for (TouchKind kind :
         isBuffer(operand) ? kinds : SmallVector<TouchKind>()) {
      touches.push_back({call, kind, operand, {}});
    }
  }
  for (const BufferTouch &other : summary.others) {
    touches.push_back({call,
                       other.kind,
                       {},
                       other.name,
                       other.inside ? other.inside : other.op});
  }
}

// What a function without a body does to an argument.
static SmallVector<TouchKind> getDeclared(FunctionOpInterface function,
                                          unsigned index) {
  auto access = function.getArgAttrOfType<StringAttr>(
      index, bufferization::BufferizationDialect::kBufferAccessAttrName);
  if (access && access.getValue() == "none") {
    return {};
  }
  if (access && access.getValue() == "read") {
    return {TouchKind::Read};
  }
  return {TouchKind::Write};
}

BufferTouches::Summary
BufferTouches::summarizeDeclared(FunctionOpInterface function) {
  Summary summary;
  for (unsigned index = 0; index < function.getNumArguments(); ++index) {
    summary.arguments.push_back(getDeclared(function, index));
  }
  Operation *table = SymbolTable::getNearestSymbolTable(function);
  for (auto global : table->getRegion(0).getOps<memref::GlobalOp>()) {
    if (global.isPublic()) {
      TouchKind kind =
          global.getConstant() ? TouchKind::Read : TouchKind::Write;
      summary.others.push_back(
          {function, kind, {}, FlatSymbolRefAttr::get(global.getNameAttr())});
    }
  }
  return summary;
}

BufferTouches::Summary
BufferTouches::summarizeBody(FunctionOpInterface function) {
  Summary summary;
  summary.arguments.resize(function.getNumArguments());
  llvm::SmallSetVector<std::pair<Attribute, TouchKind>, 4> known;
  auto addOther = [&](Attribute name, const BufferTouch &touch) {
    if (known.insert({name, touch.kind})) {
      summary.others.push_back({touch.op, touch.kind, {}, name, touch.inside});
    }
  };
  BufferAliases aliases(function);
  for (const BufferTouch &touch : get(function)) {
    if (!touch.buffer) {
      addOther(touch.name, touch);
      continue;
    }
    for (BlockArgument argument : aliases.getArguments(touch.buffer)) {
      SmallVector<TouchKind> &kinds =
          summary.arguments[argument.getArgNumber()];
      if (!llvm::is_contained(kinds, touch.kind)) {
        kinds.push_back(touch.kind);
      }
    }
    for (Attribute name : aliases.getNames(touch.buffer)) {
      addOther(name, touch);
    }
  }
  for (SmallVector<TouchKind> &kinds : summary.arguments) {
    llvm::sort(kinds);
  }
  return summary;
}

const BufferTouches::Summary &
BufferTouches::summarize(FunctionOpInterface function) {
  auto [found, isNew] = summaries.try_emplace(function);
  if (!isNew) {
    return found->second;
  }
  // Where a function calls itself, it may do anything.
  found->second.arguments.assign(function.getNumArguments(),
                                 {TouchKind::Write, TouchKind::Free});
  found->second.others.push_back({function, TouchKind::Write, {}, {}});
  Summary summary = function.isExternal() ? summarizeDeclared(function)
                                          : summarizeBody(function);
  return summaries[function] = std::move(summary);
}
