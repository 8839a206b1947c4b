//===- MeshMapping.h - Which mesh axes get the fast links -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A mapping gives each tier a part of each axis: the parts of an axis multiply
// to its size, those of a tier to the tier's size. An axis that lies on several
// tiers has its leading digits on the outer one, so that neighbours on the axis
// stay near. Every such mapping is costed with what each axis communicates, and
// the cheapest wins; on equal cost (within 10^-9) the device order that the
// mesh has, then the fewest split axes, then the one that leaves the later axes
// furthest in.
//
// Example: dp=2, ep=4 on ib: 2, nvlink: 4, heavy all-to-alls over ep:
//
//   ib: dp=2              nvlink: ep=4                chosen
//   ib: ep:(1)2           nvlink: dp=2 x ep:(2)2      refused, ep crosses ib
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_MESHMAPPING_H
#define MOE_PLANNING_MESHMAPPING_H

#include "moe/Planning/CostModel.h"

namespace moe::planning {

/// What one kind of collective over some axes moves in a step.
struct AxisTraffic {
  enum class Origin {
    /// The graph at hand holds the collective.
    Graph,
    /// Modelled from the configuration; reports say so.
    Modelled
  };

  std::vector<AxisRef> axes;
  CollectiveKind kind = CollectiveKind::AllToAll;
  /// As CostModel::collectiveTime takes them, for one collective.
  Bytes bytes;
  /// Collectives in a step.
  double count = 1;
  Origin origin = Origin::Graph;
  /// What reports call it, such as `dispatch and combine`.
  std::string label;
};

struct MappingAlternative {
  /// `ib: dp=2, nvlink: ep=4`; `device order as given` where the mesh's own
  /// order is none of the mappings.
  std::string layout;
  /// All records, one after the other.
  Microseconds cost;
  /// One a traffic record.
  std::vector<Microseconds> costs;
};

struct MeshMapping {
  /// For Mesh::withDeviceOrder.
  std::vector<int64_t> deviceOrder;
  MappingAlternative chosen;
  /// The others, cheapest first.
  std::vector<MappingAlternative> refused;
  /// There were more mappings than were tried.
  bool isTruncated = false;
};

/// The most mappings that are tried.
inline constexpr int64_t maxMappings = 4096;

/// Chooses the device order. Fails when the mesh does not fit the topology, or
/// a record names axes that it lacks.
llvm::Expected<MeshMapping>
chooseMeshMapping(const Mesh &mesh, const Topology &topology,
                  llvm::ArrayRef<AxisTraffic> traffic,
                  const CostConstants &constants = CostConstants());

} // namespace moe::planning

#endif // MOE_PLANNING_MESHMAPPING_H
