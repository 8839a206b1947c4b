// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each value of a module is made from. Its contents and its extents are a
// node each; an edge says that one goes into another, up to some axes that a
// gather or a reduction makes equal again.

#ifndef MOE_LIB_ANALYSIS_UNIFORMITYGRAPH_H
#define MOE_LIB_ANALYSIS_UNIFORMITYGRAPH_H

#include "moe/Analysis/Uniformity.h"

#include "llvm/ADT/DenseMap.h"

namespace mlir::moe {

class UniformityGraph {
public:
  struct Source {
    unsigned node;
    /// What does not pass.
    AxisSet stopped;
  };

  struct Node {
    Value value;
    /// What the value depends on, and what of it it brings in itself.
    AxisSet varies;
    AxisSet own;
    SmallVector<Source, 4> sources;
  };

  /// The nodes of all values in the module, with their own axes and sources.
  static UniformityGraph build(ModuleOp module, const AxisParts &parts);

  /// Lets what varies flow along the edges until nothing changes.
  void solve();

  /// A node that brings `axis` in, nearest by edges; null when the value does
  /// not depend on it.
  const Node *findOrigin(Value value, Aspect aspect, unsigned axis) const;

  const Node *find(Value value, Aspect aspect) const;

  //===--- Building ------------------------------------------------------===//

  explicit UniformityGraph(const AxisParts &parts) : none(parts.getNone()) {}

  /// The number of the node of a value.
  unsigned at(Value value, Aspect aspect);
  void addOwn(Value value, Aspect aspect, const AxisSet &axes);
  void addSource(Value to, Aspect aspect, Value from, Aspect what);
  void addSource(Value to, Aspect aspect, Value from, Aspect what,
                 const AxisSet &stopped);
  /// Contents to contents and extents to extents.
  void addCopy(Value to, Value from);

  /// A node without a value, which brings nothing in itself.
  unsigned addNode();
  /// From the contents of a value to such a node, from one node to another, and
  /// from a node to the contents of a value.
  void addSource(unsigned to, Value from);
  void addSource(unsigned to, unsigned from);
  void addSource(Value to, unsigned from);

private:
  AxisSet none;
  std::vector<Node> nodes;
  /// The node of a value's contents; that of its extents follows.
  DenseMap<Value, unsigned> numbers;
};

} // namespace mlir::moe

#endif // MOE_LIB_ANALYSIS_UNIFORMITYGRAPH_H
