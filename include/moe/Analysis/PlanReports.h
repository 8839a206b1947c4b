// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a planned module says of itself: the reports behind moe-print-placement
// and moe-print-traffic.

#ifndef MOE_ANALYSIS_PLANREPORTS_H
#define MOE_ANALYSIS_PLANREPORTS_H

#include "moe/Report/Report.h"

#include "mlir/IR/BuiltinOps.h"

namespace mlir::moe {

/// Where the experts of each layer are. Layers that are equal in it share a
/// table. Fails, with a diagnostic, unless every layer has a placement.
FailureOr<::moe::report::Report> makePlacementReport(ModuleOp module);
/// The same as figures for people, beside a contiguous placement, with the
/// bound that none is below and a reason for every expert.
FailureOr<::moe::report::Report> makePlacementPage(ModuleOp module);

/// What is expected to travel when the module's most tokens arrive, and how
/// long it takes: along each axis, for each layer by tier, in all, and the
/// constants that the times rest on. Fails, with a diagnostic, unless every
/// layer has a placement and an exchange.
FailureOr<::moe::report::Report> makeTrafficReport(ModuleOp module);
/// The same with figures: bytes by tier and from device to device, and the time
/// along each axis.
FailureOr<::moe::report::Report> makeTrafficPage(ModuleOp module);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_PLANREPORTS_H
