// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferTouches.h"
#include "BufferAliases.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
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

SmallVector<BufferTouch> BufferTouches::get(Operation *op) {
  SmallVector<BufferTouch> touches;
  op->walk([&](Operation *inner) { add(inner, touches); });
  return touches;
}

void BufferTouches::add(Operation *op, SmallVectorImpl<BufferTouch> &touches) {
  if (auto call = dyn_cast<CallOpInterface>(op)) {
    return addCall(call, touches);
  }
  if (auto effects = dyn_cast<MemoryEffectOpInterface>(op)) {
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (const MemoryEffects::EffectInstance &instance : instances) {
      Value buffer = instance.getValue();
      std::optional<TouchKind> kind = getKind(instance.getEffect());
      if (buffer && isBuffer(buffer) && kind) {
        touches.push_back({op, buffer, *kind});
      }
    }
    return;
  }
  if (op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
      op->hasTrait<OpTrait::IsTerminator>()) {
    return;
  }
  for (Value operand : llvm::make_filter_range(op->getOperands(), isBuffer)) {
    touches.push_back({op, operand, TouchKind::Write});
  }
}

void BufferTouches::addCall(CallOpInterface call,
                            SmallVectorImpl<BufferTouch> &touches) {
  auto function = dyn_cast_or_null<FunctionOpInterface>(
      call.resolveCallableInTable(&symbols));
  for (auto [index, operand] : llvm::enumerate(call.getArgOperands())) {
    if (!isBuffer(operand)) {
      continue;
    }
    if (!function) {
      touches.push_back({call, operand, TouchKind::Write});
      continue;
    }
    for (TouchKind kind : summarize(function)[index]) {
      touches.push_back({call, operand, kind});
    }
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

const BufferTouches::ArgumentTouches &
BufferTouches::summarize(FunctionOpInterface function) {
  auto [found, isNew] = summaries.try_emplace(function);
  if (!isNew) {
    return found->second;
  }
  // Where a function calls itself, it may do anything.
  found->second.assign(function.getNumArguments(),
                       {TouchKind::Write, TouchKind::Free});
  ArgumentTouches summary(function.getNumArguments());
  if (function.isExternal()) {
    for (auto [index, kinds] : llvm::enumerate(summary)) {
      kinds = getDeclared(function, index);
    }
    return summaries[function] = std::move(summary);
  }
  BufferAliases aliases(function);
  for (const BufferTouch &touch : get(function)) {
    for (BlockArgument argument : aliases.getArguments(touch.buffer)) {
      SmallVector<TouchKind> &kinds = summary[argument.getArgNumber()];
      if (!llvm::is_contained(kinds, touch.kind)) {
        kinds.push_back(touch.kind);
      }
    }
  }
  for (SmallVector<TouchKind> &kinds : summary) {
    llvm::sort(kinds);
  }
  return summaries[function] = std::move(summary);
}
