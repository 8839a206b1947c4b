// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that lists dialects, passes and pipelines.

#ifndef MOE_REGISTRATION_H
#define MOE_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::moe {

/// Our dialects, the upstream dialects that programs use, and every external
/// model that connects them.
void registerAllDialects(DialectRegistry &registry);

/// Our passes and pipelines, and the upstream passes that are useful on them.
void registerAllPasses();

/// What `moe-opt --help` says first: our pipelines and passes in the order in
/// which a module meets them.
llvm::StringRef getOverview();

} // namespace mlir::moe

#endif // MOE_REGISTRATION_H
