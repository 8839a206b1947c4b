// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that lists dialects, passes and pipelines.

#ifndef MOE_REGISTRATION_H
#define MOE_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::moe {

/// Our dialects and every external model that connects them with upstream's:
/// for a registry that gets upstream's dialects from its owner.
void registerDialects(DialectRegistry &registry);
/// The same with upstream's dialects and extensions.
void registerAllDialects(DialectRegistry &registry);

/// Our passes and pipelines, for a process that registers upstream's itself.
void registerPasses();
/// The same with upstream's passes. Both may be called again.
void registerAllPasses();

/// What `moe-opt --help` says first: our pipelines and passes in the order in
/// which a module meets them.
llvm::StringRef getOverview();

} // namespace mlir::moe

#endif // MOE_REGISTRATION_H
