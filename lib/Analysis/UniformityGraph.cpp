// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "UniformityGraph.h"

#include <deque>

using namespace mlir;
using namespace mlir::moe;

unsigned UniformityGraph::at(Value value, Aspect aspect) {
  auto [found, isNew] = numbers.try_emplace(value, nodes.size());
  if (isNew) {
    nodes.push_back({value, none, none, {}});
    nodes.push_back({value, none, none, {}});
  }
  return found->second + static_cast<unsigned>(aspect);
}

const UniformityGraph::Node *UniformityGraph::find(Value value,
                                                   Aspect aspect) const {
  auto found = numbers.find(value);
  return found == numbers.end()
             ? nullptr
             : &nodes[found->second + static_cast<unsigned>(aspect)];
}

// Extents that are written in the type are equal everywhere.
static bool isConstant(Value value, Aspect aspect) {
  auto shaped = dyn_cast<ShapedType>(value.getType());
  return aspect == Aspect::Extents &&
         (!shaped || (shaped.hasRank() && shaped.hasStaticShape()));
}

void UniformityGraph::addOwn(Value value, Aspect aspect, const AxisSet &axes) {
  if (!isConstant(value, aspect)) {
    nodes[at(value, aspect)].own |= axes;
  }
}

void UniformityGraph::addSource(Value to, Aspect aspect, Value from,
                                Aspect what) {
  addSource(to, aspect, from, what, none);
}

void UniformityGraph::addSource(Value to, Aspect aspect, Value from,
                                Aspect what, const AxisSet &stopped) {
  if (isConstant(to, aspect) || isConstant(from, what)) {
    return;
  }
  unsigned source = at(from, what);
  nodes[at(to, aspect)].sources.push_back({source, stopped});
}

void UniformityGraph::addCopy(Value to, Value from) {
  addSource(to, Aspect::Contents, from, Aspect::Contents);
  addSource(to, Aspect::Extents, from, Aspect::Extents);
}

unsigned UniformityGraph::addNode() {
  nodes.push_back({{}, none, none, {}});
  return nodes.size() - 1;
}

void UniformityGraph::addSource(unsigned to, Value from) {
  unsigned source = at(from, Aspect::Contents);
  nodes[to].sources.push_back({source, none});
}

void UniformityGraph::addSource(unsigned to, unsigned from) {
  nodes[to].sources.push_back({from, none});
}

void UniformityGraph::addSource(Value to, unsigned from) {
  nodes[at(to, Aspect::Contents)].sources.push_back({from, none});
}

void UniformityGraph::solve() {
  // Most sources come before what is made from them, so that few rounds do.
  for (bool changed = true; changed;) {
    changed = false;
    for (Node &node : nodes) {
      AxisSet varies = node.own;
      for (const Source &source : node.sources) {
        AxisSet arriving = nodes[source.node].varies;
        varies |= arriving.reset(source.stopped);
      }
      if (varies != node.varies) {
        node.varies = varies;
        changed = true;
      }
    }
  }
}

const UniformityGraph::Node *
UniformityGraph::findOrigin(Value value, Aspect aspect, unsigned axis) const {
  const Node *start = find(value, aspect);
  if (!start || !start->varies.test(axis)) {
    return nullptr;
  }
  llvm::SmallBitVector seen(nodes.size());
  std::deque<unsigned> waiting{static_cast<unsigned>(start - nodes.data())};
  while (!waiting.empty()) {
    unsigned number = waiting.front();
    waiting.pop_front();
    if (seen.test(number)) {
      continue;
    }
    seen.set(number);
    const Node &node = nodes[number];
    if (node.own.test(axis)) {
      return &node;
    }
    for (const Source &source : node.sources) {
      if (nodes[source.node].varies.test(axis) && !source.stopped.test(axis)) {
        waiting.push_back(source.node);
      }
    }
  }
  return nullptr;
}
