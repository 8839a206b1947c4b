// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/ProgramLayout.h"

using namespace moe::runner;
using moe::planning::Mesh;
using moe::planning::TokenRange;

static const Port *findPort(const std::vector<Port> &ports, Port::Role role) {
  for (const Port &port : ports) {
    if (port.role == role) {
      return &port;
    }
  }
  return nullptr;
}

const Port *ProgramLayout::findArgument(Port::Role role) const {
  return findPort(arguments, role);
}

const Port *ProgramLayout::findResult(Port::Role role) const {
  return findPort(results, role);
}

ProgramLayout moe::runner::onOneRank(ProgramLayout layout) {
  std::vector<planning::MeshAxis> axes(layout.ranks.axes());
  for (planning::MeshAxis &axis : axes) {
    axis.size = 1;
  }
  layout.ranks = llvm::cantFail(Mesh::create(std::move(axes)));
  for (Handle &handle : layout.handles) {
    handle.placement.clear();
  }
  return layout;
}

static TokenRange shareOf(const Mesh &ranks, int64_t rank, const Axes &axes,
                          int64_t extent) {
  return moe::planning::tokenRange(extent, ranks.groupSize(axes),
                                   ranks.indexInGroup(rank, axes));
}

Rectangle moe::runner::rectangleOf(const Mesh &ranks, int64_t rank,
                                   const Port &port, int64_t tokens) {
  return {shareOf(ranks, rank, port.rowAxes, port.rows.value_or(tokens)),
          shareOf(ranks, rank, port.columnAxes, port.columns)};
}

int64_t moe::runner::elementBytes(ElementType type) {
  return bitWidth(type) / 8;
}
