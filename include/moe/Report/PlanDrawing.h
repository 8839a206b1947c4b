//===- PlanDrawing.h - Plans as drawings ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_PLANDRAWING_H
#define MOE_REPORT_PLANDRAWING_H

#include "moe/Report/Drawing.h"
#include "moe/Report/PlacementReport.h"

namespace moe::report {

/// Devices in their nodes with the experts that they hold, the darker the more
/// load; `*` marks replicas. Of more than `maxBoxes` devices in all layers, the
/// layers that are least balanced are shown, one at least; equal layers are one
/// drawing.
Drawing placementDrawing(const PlacedModel &model, size_t maxBoxes = 160);

/// The parts of the tiers as a tree, with what each sends to others of its
/// tier and receives from them; the more, the wider its line. Levels of more
/// than `maxBoxes` parts are left out.
Drawing trafficDrawing(llvm::StringRef title,
                       const planning::Topology &topology,
                       const DeviceTraffic &traffic, size_t maxBoxes = 64);

} // namespace moe::report

#endif // MOE_REPORT_PLANDRAWING_H
