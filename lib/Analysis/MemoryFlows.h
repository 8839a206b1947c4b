// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What goes into the contents of buffers.
//
// A buffer holds all that is ever written to it, by any of its names, whenever
// that is: names of one buffer have the same contents, and what decides whether
// a write happens goes into them as well. Nothing is known of what a pointer
// leads to, so a buffer whose address is taken may hold anything.

#ifndef MOE_LIB_ANALYSIS_MEMORYFLOWS_H
#define MOE_LIB_ANALYSIS_MEMORYFLOWS_H

#include "UniformityGraph.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::moe {

class MemoryFlows {
public:
  MemoryFlows(UniformityGraph &graph, const AxisParts &parts,
              SymbolTableCollection &symbols)
      : graph(graph), parts(parts), symbols(symbols) {}

  /// Adds what an operation does to buffers, beside what goes into its results.
  void visit(Operation *op);

private:
  void visitNames(Operation *op);
  void visitGlobal(Operation *op, Value buffer);
  void visitCall(CallOpInterface call);
  void visitDeclared(CallOpInterface call, FunctionOpInterface function);
  void visitWrites(Operation *op);
  void visitEscapes(Operation *op);

  /// Two names of one buffer.
  void join(Value one, Value other);
  void addAnything(Value buffer);
  /// What decides whether an operation runs goes into what it writes.
  void addDeciding(Value buffer, Operation *op);
  /// The node of what decides whether a function runs.
  unsigned getContext(Operation *function);

  UniformityGraph &graph;
  const AxisParts &parts;
  SymbolTableCollection &symbols;
  PostDominanceInfo dominance;
  /// The first name of each global.
  DenseMap<Operation *, Value> globals;
  DenseMap<Operation *, unsigned> contexts;
};

} // namespace mlir::moe

#endif // MOE_LIB_ANALYSIS_MEMORYFLOWS_H
