//===- TopologyReport.h - What a topology looks like ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_TOPOLOGYREPORT_H
#define MOE_REPORT_TOPOLOGYREPORT_H

#include "moe/Planning/Topology.h"
#include "moe/Report/Drawing.h"
#include "moe/Report/Report.h"

namespace moe::report {

enum class TopologyDetail {
  /// Matrices of bandwidth and class; of many GPUs, only which pairs there are.
  ForPeople,
  /// A row for each pair, each vertex and each link.
  ForScripts
};

/// The tiers, and of the inside of a node its GPUs, its NICs and the paths
/// between them. The notes repeat what is assumed, and what classes mean.
Report topologyReport(llvm::StringRef name, const planning::Topology &topology,
                      TopologyDetail detail);

/// The inside of a node, CPUs above and NVSwitches below; the tiers where that
/// is not known.
Drawing topologyDrawing(llvm::StringRef name,
                        const planning::Topology &topology);

} // namespace moe::report

#endif // MOE_REPORT_TOPOLOGYREPORT_H
