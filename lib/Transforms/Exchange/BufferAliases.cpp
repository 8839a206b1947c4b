// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferAliases.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::moe;

// Whether a value is a new buffer wherever its operation runs.
static bool isFresh(Value value) {
  auto effects = value.getDefiningOp<MemoryEffectOpInterface>();
  return effects &&
         effects.getEffectOnValue<MemoryEffects::Allocate>(value).has_value();
}

// Whether a value is a buffer with a name of its own: a weight, a global.
static bool isNamed(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->getNumOperands() == 0 && !isFresh(value) &&
         isMemoryEffectFree(op);
}

// What a view is a view of.
static Value skipViews(Value value) {
  while (auto view = value.getDefiningOp<ViewLikeOpInterface>()) {
    value = view.getViewSource();
  }
  return value;
}

bool BufferAliases::isArgument(Value value) const {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument && argument.getOwner()->getParentOp() == function &&
         argument.getOwner()->isEntryBlock();
}

bool BufferAliases::isNewer(Value fresh, Value other) const {
  return isFresh(fresh) && fresh != other &&
         dominance.properlyDominates(other, fresh.getDefiningOp());
}

const BufferAliases::Origins &BufferAliases::getOrigins(Value buffer) {
  auto [found, isNew] = originsOf.try_emplace(buffer);
  if (isNew) {
    for (Value value : flow.resolveReverse(buffer)) {
      if (flow.mayBeTerminalBuffer(value) || isArgument(value)) {
        found->second.insert(value);
      }
    }
  }
  return found->second;
}

bool BufferAliases::mayOverlap(Value one, Value other) {
  one = skipViews(one);
  other = skipViews(other);
  if (one == other) {
    return true;
  }
  // Of one allocation in a loop there are many buffers: what a turn carries is
  // none that the turn allocates.
  if (isNewer(one, other) || isNewer(other, one)) {
    return false;
  }
  const Origins first = getOrigins(one);
  const Origins &second = getOrigins(other);
  return llvm::any_of(first, [&](Value origin) {
    return llvm::any_of(second, [&](Value with) { return meet(origin, with); });
  });
}

bool BufferAliases::meet(Value one, Value other) const {
  if (one == other || (isNamed(one) && isNamed(other))) {
    return true;
  }
  return (isUnknown(one) && !isFresh(other)) ||
         (isUnknown(other) && !isFresh(one));
}

bool BufferAliases::isUnknown(Value origin) const {
  return !isFresh(origin) && !isNamed(origin) && !isArgument(origin);
}

SmallVector<BlockArgument> BufferAliases::getArguments(Value buffer) {
  SmallVector<BlockArgument> arguments;
  const Origins &origins = getOrigins(buffer);
  bool isAny =
      llvm::any_of(origins, [&](Value origin) { return isUnknown(origin); });
  for (BlockArgument argument : function.getArguments()) {
    if (isa<BaseMemRefType>(argument.getType()) &&
        (isAny || origins.contains(argument))) {
      arguments.push_back(argument);
    }
  }
  return arguments;
}
