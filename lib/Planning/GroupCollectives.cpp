//===- GroupCollectives.cpp - Collectives of groups on a link graph -------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/CostModel.h"
#include "llvm/Support/ErrorHandling.h"

using namespace moe::planning;

/// Bytes from one member of a group to another.
using FlowVisitor =
    llvm::function_ref<void(int64_t source, int64_t target, double bytes)>;

/// What a collective makes the members of a group of `size` send. Gathers and
/// reductions go round a ring.
static void visitFlows(CollectiveKind kind, double bytes, int64_t size,
                       FlowVisitor visitor) {
  double members = size;
  switch (kind) {
  case CollectiveKind::AllToAll:
    for (int64_t source = 0; source < size; ++source) {
      for (int64_t target = 0; target < size; ++target) {
        if (source != target) {
          visitor(source, target, bytes / members);
        }
      }
    }
    return;
  case CollectiveKind::AllGather:
  case CollectiveKind::ReduceScatter:
  case CollectiveKind::AllReduce: {
    double rounds = kind == CollectiveKind::AllReduce ? 2 : 1;
    for (int64_t source = 0; source < size; ++source) {
      visitor(source, (source + 1) % size,
              rounds * bytes * (members - 1) / members);
    }
    return;
  }
  case CollectiveKind::Send:
    for (int64_t source = 0; source + 1 < size; ++source) {
      visitor(source, source + 1, bytes);
    }
    return;
  }
  llvm_unreachable("unknown collective");
}

Microseconds
CostModel::collectiveTime(CollectiveKind kind, Bytes bytes,
                          llvm::ArrayRef<DeviceGroup> groups) const {
  Microseconds time = collectiveTime(kind, bytes, spreadOf(groups));
  if (!topology.node()) {
    return time;
  }
  std::vector<double> loads(topology.links().size());
  for (const DeviceGroup &group : groups) {
    visitFlows(kind, bytes.value(), group.size(),
               [&](int64_t source, int64_t target, double sent) {
                 for (LinkId link :
                      topology.route(group[source], group[target])) {
                   loads[link] += sent;
                 }
               });
  }
  for (LinkId link = 0; link < loads.size(); ++link) {
    time =
        std::max(time, Bytes(loads[link]) / topology.links()[link].bandwidth);
  }
  return time;
}
