//===- MeshMapping.cpp - Which mesh axes get the fast links ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/MeshMapping.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <tuple>

using namespace moe::planning;
using llvm::formatv;

/// The part of each axis (inner index) on each tier (outer index).
using Factors = std::vector<std::vector<int64_t>>;

namespace {
/// Lists the ways to give each tier a part of each axis.
class FactorSearch {
public:
  FactorSearch(const Mesh &mesh, const Topology &topology)
      : topology(topology) {
    for (const MeshAxis &axis : mesh.axes()) {
      left.push_back(axis.size);
    }
    current.assign(topology.tierCount(), std::vector<int64_t>(left.size(), 1));
    fill(0, 0, topology.tier(0).size);
  }

  std::vector<Factors> found;
  bool isTruncated = false;

private:
  /// Chooses the part of `axis` on `tier`, of which `open` is still to fill.
  /// Larger parts of earlier axes come first, as row-major order has them.
  void fill(unsigned tier, size_t axis, int64_t open) {
    if (isTruncated) {
      return;
    }
    if (axis == left.size()) {
      if (open != 1) {
        return;
      }
      if (tier + 1 < topology.tierCount()) {
        fill(tier + 1, 0, topology.tier(tier + 1).size);
      } else if (static_cast<int64_t>(found.size()) < maxMappings) {
        found.push_back(current);
      } else {
        isTruncated = true;
      }
      return;
    }
    for (int64_t part = std::min(open, left[axis]); part >= 1; --part) {
      if (open % part != 0 || left[axis] % part != 0) {
        continue;
      }
      current[tier][axis] = part;
      left[axis] /= part;
      fill(tier, axis + 1, open / part);
      left[axis] *= part;
      current[tier][axis] = 1;
    }
  }

  const Topology &topology;
  /// What of each axis no tier has yet.
  std::vector<int64_t> left;
  Factors current;
};
} // namespace

/// The device at each position of the mesh under a mapping.
static std::vector<int64_t> orderOf(const Mesh &mesh, const Topology &topology,
                                    const Factors &factors) {
  std::vector<int64_t> order;
  order.reserve(mesh.deviceCount());
  for (int64_t position = 0; position < mesh.deviceCount(); ++position) {
    std::vector<int64_t> rest = mesh.coordinates(mesh.deviceAt(position));
    std::vector<int64_t> below;
    for (const MeshAxis &axis : mesh.axes()) {
      below.push_back(axis.size);
    }
    int64_t device = 0;
    for (const std::vector<int64_t> &parts : factors) {
      for (size_t axis = 0; axis < parts.size(); ++axis) {
        below[axis] /= parts[axis];
        device = device * parts[axis] + rest[axis] / below[axis];
        rest[axis] %= below[axis];
      }
    }
    order.push_back(device);
  }
  return order;
}

/// `ib: ep:(1)2, nvlink: dp=2 x ep:(2)2`
static std::string layoutText(const Mesh &mesh, const Topology &topology,
                              const Factors &factors) {
  std::string text;
  std::vector<int64_t> before(mesh.axes().size(), 1);
  for (auto [tier, parts] : llvm::zip(topology.tiers(), factors)) {
    std::string onTier;
    for (size_t axis = 0; axis < parts.size(); ++axis) {
      const MeshAxis &whole = mesh.axes()[axis];
      if (parts[axis] == 1) {
        continue;
      }
      onTier += onTier.empty() ? " " : " x ";
      onTier += parts[axis] == whole.size
                    ? formatv("{0}={1}", whole.name, whole.size).str()
                    : AxisRef(whole.name, before[axis], parts[axis]).toString();
      before[axis] *= parts[axis];
    }
    text += formatv("{0}{1}:{2}", text.empty() ? "" : ", ", tier.name,
                    onTier.empty() ? " -" : onTier);
  }
  return text;
}

/// Axes that lie on more than one tier.
static int64_t splitAxes(const Factors &factors) {
  int64_t count = 0;
  for (size_t axis = 0; axis < factors.front().size(); ++axis) {
    count += llvm::count_if(factors, [&](const std::vector<int64_t> &parts) {
               return parts[axis] > 1;
             }) > 1;
  }
  return count;
}

namespace {
/// A mapping with all that the choice between mappings looks at.
struct Candidate {
  MappingAlternative alternative;
  std::vector<int64_t> order;
  bool isGiven = false;
  int64_t splits = 0;
};

/// Which groups stand for all of a record's groups.
enum class Representatives {
  /// Under a mapping by factors all groups lie alike; where links are known,
  /// those of a node do together.
  First,
  All
};
} // namespace

static std::vector<DeviceGroup> representativesOf(const Mesh &mesh,
                                                  const Topology &topology,
                                                  const AxisTraffic &record,
                                                  Representatives which) {
  if (which == Representatives::First && !topology.node()) {
    return {mesh.groupOf(mesh.deviceAt(0), record.axes)};
  }
  std::vector<DeviceGroup> groups = mesh.groups(record.axes);
  if (which == Representatives::First) {
    int64_t size = topology.devicesPerNode();
    auto isInNode = [&](int64_t device) {
      return topology.positionOf(device) / size == 0;
    };
    llvm::erase_if(groups, [&](const DeviceGroup &group) {
      return llvm::none_of(group, isInNode);
    });
  }
  return groups;
}

static MappingAlternative costOf(const Mesh &mesh, const Topology &topology,
                                 const CostModel &model,
                                 llvm::ArrayRef<AxisTraffic> traffic,
                                 Representatives representatives) {
  MappingAlternative result;
  for (const AxisTraffic &record : traffic) {
    std::vector<DeviceGroup> groups =
        representativesOf(mesh, topology, record, representatives);
    Microseconds time =
        model.collectiveTime(record.kind, record.bytes, groups) * record.count;
    result.costs.push_back(time);
    result.cost += time;
  }
  return result;
}

/// Whether `a` is preferred to `b`; equal means that the earlier one is.
static bool isBetter(const Candidate &a, const Candidate &b) {
  double left = a.alternative.cost.value(), right = b.alternative.cost.value();
  if (std::abs(left - right) > 1e-9 * std::max(left, right)) {
    return left < right;
  }
  if (a.isGiven != b.isGiven) {
    return a.isGiven;
  }
  return a.splits < b.splits;
}

static llvm::Error verifyTraffic(const Mesh &mesh,
                                 llvm::ArrayRef<AxisTraffic> traffic) {
  for (const AxisTraffic &record : traffic) {
    if (llvm::Error error = mesh.verifyAxes(record.axes)) {
      return llvm::createStringError(formatv("traffic '{0}': {1}", record.label,
                                             llvm::toString(std::move(error)))
                                         .str());
    }
  }
  return llvm::Error::success();
}

llvm::Expected<MeshMapping>
moe::planning::chooseMeshMapping(const Mesh &mesh, const Topology &topology,
                                 llvm::ArrayRef<AxisTraffic> traffic,
                                 const CostConstants &constants) {
  if (llvm::Error error = mesh.verifyOn(topology)) {
    return std::move(error);
  }
  if (llvm::Error error = verifyTraffic(mesh, traffic)) {
    return std::move(error);
  }
  CostModel model(topology, constants);
  FactorSearch search(mesh, topology);
  std::vector<Candidate> candidates;
  bool hasGiven = false;
  for (const Factors &factors : search.found) {
    Candidate candidate;
    candidate.order = orderOf(mesh, topology, factors);
    candidate.isGiven = llvm::ArrayRef(candidate.order) == mesh.deviceOrder();
    hasGiven |= candidate.isGiven;
    candidate.splits = splitAxes(factors);
    candidate.alternative =
        costOf(llvm::cantFail(mesh.withDeviceOrder(candidate.order)), topology,
               model, traffic, Representatives::First);
    candidate.alternative.layout = layoutText(mesh, topology, factors);
    candidates.push_back(std::move(candidate));
  }
  if (!hasGiven) {
    Candidate candidate;
    candidate.order = mesh.deviceOrder().vec();
    candidate.isGiven = true;
    candidate.alternative =
        costOf(mesh, topology, model, traffic, Representatives::All);
    candidate.alternative.layout = "device order as given";
    candidates.push_back(std::move(candidate));
  }

  std::vector<Candidate>::iterator best = candidates.begin();
  for (auto it = candidates.begin(); it != candidates.end(); ++it) {
    if (isBetter(*it, *best)) {
      best = it;
    }
  }
  MeshMapping mapping;
  mapping.isTruncated = search.isTruncated;
  mapping.deviceOrder = best->order;
  mapping.chosen = best->alternative;
  candidates.erase(best);
  for (Candidate &candidate : candidates) {
    mapping.refused.push_back(std::move(candidate.alternative));
  }
  llvm::sort(mapping.refused,
             [](const MappingAlternative &a, const MappingAlternative &b) {
               return std::tie(a.cost, a.layout) < std::tie(b.cost, b.layout);
             });
  return mapping;
}
