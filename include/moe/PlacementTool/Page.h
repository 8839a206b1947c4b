//===- Page.h - A placement as a page -----------------------------*- C++
//-*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLACEMENTTOOL_PAGE_H
#define MOE_PLACEMENTTOOL_PAGE_H

#include "moe/PlacementTool/Migration.h"

namespace moe::placement {

/// The page of a placement beside another (report::placementPage), with what
/// the policies in `others` come to. Fails, naming the layer, on a placement
/// that compiled code cannot use.
llvm::Expected<report::Report>
placementPage(const Workload &workload, const PlacementFile &before,
              const PlacementFile &after, llvm::ArrayRef<PlacementFile> others);

/// The same of two placements with the moves between them.
llvm::Expected<report::Report> migrationPage(const PlacementDiff &diff);

/// The placements of all policies but `exhaustive` and the one that is named.
/// Those that do not suit the workload are left out, and `notes` says why.
std::vector<PlacementFile> placeByOthers(const Workload &workload,
                                         planning::Objective objective,
                                         llvm::StringRef policy,
                                         std::vector<std::string> &notes);

} // namespace moe::placement

#endif // MOE_PLACEMENTTOOL_PAGE_H
