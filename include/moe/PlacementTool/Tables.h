//===- Tables.h - Placements as people read them ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTTOOL_TABLES_H
#define MOE_PLACEMENTTOOL_TABLES_H

#include "moe/PlacementFiles/PlacementFile.h"
#include "moe/Report/Report.h"

namespace moe::placement {

/// One placement: each layer's figures and, of the first `details` layers,
/// every GPU with its experts in slot order and its load.
report::Report placementReport(const PlacementFile &file, size_t details = 4);

/// A placement that was verified: as above, with what was checked.
report::Report verificationReport(const PlacementFile &counted,
                                  llvm::StringRef path);

/// Several placements of one workload side by side.
report::Report comparisonReport(llvm::ArrayRef<PlacementFile> files);

/// A line a layer: load, the three measures of imbalance, bound, gap, bytes and
/// times.
report::Table layersTable(const PlacementFile &file);

/// A line a GPU: its experts in slot order, its load.
report::Table gpusTable(const LayerEntry &entry);

/// A line a policy, over all layers.
report::Table policiesTable(llvm::ArrayRef<PlacementFile> files);

} // namespace moe::placement

#endif // MOE_PLACEMENTTOOL_TABLES_H
