// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_BUNDLE_DESCRIBEPLAN_H
#define MOE_BUNDLE_DESCRIBEPLAN_H

#include "moe/Bundle/Bundle.h"

namespace moe::bundle {

/// Fills in what follows from a manifest's plan: the memory of each rank and
/// the plan report.
llvm::Error describePlan(Bundle &bundle);

} // namespace moe::bundle

#endif // MOE_BUNDLE_DESCRIBEPLAN_H
