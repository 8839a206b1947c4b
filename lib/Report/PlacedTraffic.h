//===- PlacedTraffic.h - What a placement makes travel ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_REPORT_PLACEDTRAFFIC_H
#define MOE_LIB_REPORT_PLACEDTRAFFIC_H

#include "moe/Report/PlacementReport.h"

namespace moe::report {

/// A place of an expert and the part of its rows that it serves.
struct ServingSlot {
  int64_t rank = 0;
  double part = 1;
};

/// Devices that share the innermost links, as reports call them a node.
int64_t nodeSize(const planning::Topology &topology);

/// Each rank's load over the mean.
std::vector<double> relativeLoads(const planning::Placement &placement,
                                  const planning::ExpertShares &loads);

/// Dispatch and combine of one layer.
struct PlacedCost {
  planning::Microseconds total;
  /// As the topology names it; empty where nothing travels.
  std::string slowestLink;
};

/// A layer's placement under its loads; tokens are spread evenly over the ranks
/// where loads are not known by source.
class PlacedTraffic {
public:
  PlacedTraffic(const PlacedModel &model, const planning::Placement &placement,
                const planning::ExpertShares &loads)
      : model(model), placement(placement), loads(loads) {}

  int64_t deviceOf(int64_t rank) const {
    return model.devices.empty() ? rank : model.devices[rank];
  }

  /// By slot.
  std::vector<ServingSlot> slotsOf(int64_t expert) const;

  /// `Its rows come 6 % from the same device, 44 % over nvlink, 50 % over ib`
  std::string sourcesText(int64_t expert) const;

  /// Payload of dispatch and combine between two devices.
  void
  visitBytes(llvm::function_ref<void(int64_t, int64_t, double)> visitor) const;

  /// Dispatch and combine by tier; needs a topology.
  planning::ExchangeTraffic bytes() const;
  PlacedCost cost() const;

private:
  /// The part of the expert's rows that is a source rank's.
  double partFrom(int64_t expert, int64_t source) const;
  planning::DeviceGroup group() const;
  planning::CountMatrix counts() const;
  std::vector<planning::ExchangePlan> plans() const;

  const PlacedModel &model;
  const planning::Placement &placement;
  const planning::ExpertShares &loads;
};

} // namespace moe::report

#endif // MOE_LIB_REPORT_PLACEDTRAFFIC_H
