// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "BufferAliases.h"

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/CallInterfaces.h"
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

// The name in the module of a buffer that has one. Weights may be tied, so they
// have one name together.
static Attribute getName(Value named) {
  if (auto global = named.getDefiningOp<memref::GetGlobalOp>()) {
    return global.getNameAttr();
  }
  return named.getDefiningOp()->getName().getIdentifier();
}

// Whether a result of the type is no pointer that nobody follows.
static bool isPlain(Type type) {
  return isa<BaseMemRefType, TensorType, VectorType, comm::PendingType>(type) ||
         type.isIntOrIndexOrFloat();
}

// Whether an operation may keep the address of a buffer, or give it to others.
// Functions are trusted not to.
static bool mayKeep(OpOperand &use) {
  Operation *op = use.getOwner();
  if (isa<memref::ExtractAlignedPointerAsIndexOp, UnrealizedConversionCastOp>(
          op)) {
    return true;
  }
  if (auto store = dyn_cast<memref::StoreOp>(op)) {
    return store.getValueToStore() == use.get();
  }
  if (auto call = dyn_cast<CallOpInterface>(op)) {
    return !isa<SymbolRefAttr>(call.getCallableForCallee());
  }
  bool isKnown = isa<MemoryEffectOpInterface>(op) ||
                 op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
                 op->hasTrait<OpTrait::IsTerminator>();
  return !isKnown || !llvm::all_of(op->getResultTypes(), isPlain);
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

bool BufferAliases::isExposed(Value origin) const {
  return !isFresh(origin) ||
         llvm::any_of(flow.resolve(origin), [](Value alias) {
           return llvm::any_of(alias.getUses(), mayKeep);
         });
}

bool BufferAliases::meet(Value one, Value other) const {
  if (one == other) {
    return true;
  }
  if (isNamed(one) && isNamed(other)) {
    return getName(one) == getName(other);
  }
  return (isUnknown(one) && isExposed(other)) ||
         (isUnknown(other) && isExposed(one));
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

SmallVector<Attribute> BufferAliases::getNames(Value buffer) {
  llvm::SmallSetVector<Attribute, 2> names;
  for (Value origin : getOrigins(buffer)) {
    if (isNamed(origin)) {
      names.insert(getName(origin));
    } else if (isUnknown(origin)) {
      names.insert(Attribute());
    }
  }
  return names.takeVector();
}

bool BufferAliases::mayBe(Value buffer, Attribute name) {
  return llvm::any_of(getOrigins(buffer), [&](Value origin) {
    return isUnknown(origin) ||
           (name ? isNamed(origin) && getName(origin) == name
                 : isExposed(origin));
  });
}
