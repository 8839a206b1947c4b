// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which buffers of a function may overlap, wherever both names can be used.
//
// Arguments of a function are taken to be buffers of their own, as
// bufferization takes them to be, and none is a weight or a global that the
// function names. Two views of one buffer are taken to overlap.
//
// Some memory has a name in the module, by which any function reaches it: a
// global its symbol; weights have one for all of them.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERALIASES_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERALIASES_H

#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::moe {

class BufferAliases {
public:
  explicit BufferAliases(FunctionOpInterface function)
      : function(function), flow(function), dominance(function) {}

  /// Whether two buffers may overlap, as they are where both names are known.
  bool mayOverlap(Value one, Value other);

  /// The arguments of the function that a buffer may be, or be a part of.
  SmallVector<BlockArgument> getArguments(Value buffer);

  /// The names in the module of memory that a buffer may be; null among them
  /// where it may be anything.
  SmallVector<Attribute> getNames(Value buffer);

  /// Whether a buffer may be the memory with a name in the module; null: memory
  /// that code may reach without being given it, whatever that is.
  bool mayBe(Value buffer, Attribute name);

private:
  /// Where a buffer may come from: allocations, arguments, names, and what
  /// nobody knows.
  using Origins = llvm::SmallSetVector<Value, 4>;
  const Origins &getOrigins(Value buffer);

  bool isArgument(Value value) const;
  bool isUnknown(Value origin) const;
  /// Whether two origins may be one buffer.
  bool meet(Value one, Value other) const;
  /// Whether an origin may be known elsewhere than by its names in this
  /// function: no allocation whose address stays here.
  bool isExposed(Value origin) const;

  /// Whether `fresh` was allocated after `other` had been determined.
  bool isNewer(Value fresh, Value other) const;

  FunctionOpInterface function;
  BufferViewFlowAnalysis flow;
  DominanceInfo dominance;
  DenseMap<Value, Origins> originsOf;
};

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_BUFFERALIASES_H
