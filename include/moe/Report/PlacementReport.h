//===- PlacementReport.h - Where experts are, and why -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Figures and tables about placements: expert × device, device × device, bytes
// by tier, before and after, and for every expert what speaks for its places.
// They are made from placements, loads and costs alone, whichever solver, hand
// or engine the placement comes from.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_PLACEMENTREPORT_H
#define MOE_REPORT_PLACEMENTREPORT_H

#include "moe/Planning/CostModel.h"
#include "moe/Planning/LoadProfile.h"
#include "moe/Report/Report.h"

namespace moe::report {

/// A lower bound of what any placement of a layer can reach.
struct BoundFigure {
  /// As a part of the mean load of a device.
  double maxOverMean = 1;
  /// Names the argument: `mean load`, `heaviest expert: …`.
  std::string argument;
};

/// One layer, or several that are equal.
struct PlacedLayer {
  /// `layer 3`
  std::string name;
  int64_t layers = 1;
  planning::Placement placement;
  /// What it is compared with.
  planning::Placement before;
  /// Each expert's share of all assignments.
  planning::ExpertShares loads;
  std::optional<BoundFigure> bound;
};

/// What all layers of a report have in common.
struct PlacedModel {
  std::string title;
  /// `contiguous`, `joint`: for legends.
  std::string beforeName = "contiguous";
  std::string afterName = "chosen";
  std::vector<PlacedLayer> layers;
  /// Null where nothing is known of links: no figure speaks of bytes then.
  const planning::Topology *topology = nullptr;
  /// The devices of the ranks; all devices in order if empty.
  planning::DeviceGroup devices;
  planning::CostConstants constants;
  /// Of a step over all ranks.
  int64_t tokens = 0;
  int64_t choices = 1;
  int64_t rowBytes = 0;
};

/// The whole page. Details are given of the `maxLayers` layers that are least
/// balanced; a note says so where there are more.
Report placementPage(const PlacedModel &model, size_t maxLayers = 8);

/// The share of the load that a device serves of an expert.
HeatMap expertMap(const PlacedModel &model, const PlacedLayer &layer);

/// Bytes that each device sends each other.
class DeviceTraffic {
public:
  explicit DeviceTraffic(int64_t devices)
      : count(devices), bytes(devices * devices) {}

  int64_t devices() const { return count; }
  void add(int64_t source, int64_t target, double amount) {
    bytes[source * count + target] += amount;
  }
  double from(int64_t source, int64_t target) const {
    return bytes[source * count + target];
  }

private:
  int64_t count;
  std::vector<double> bytes;
};

/// Dispatch and combine of all layers.
DeviceTraffic deviceTraffic(const PlacedModel &model);

/// More than `maxDevices` devices are shown in blocks of neighbours.
HeatMap trafficMap(const DeviceTraffic &traffic, size_t maxDevices = 96);

/// Bytes by tier, before and after.
BarChart tierChart(const PlacedModel &model);

/// For each expert its load, its places, whom they serve and what bounds the
/// layer.
Table reasonTable(const PlacedModel &model,
                  llvm::ArrayRef<const PlacedLayer *> layers);

} // namespace moe::report

#endif // MOE_REPORT_PLACEMENTREPORT_H
