// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lowering of `moe` ops on buffers to loops, for passes that combine it
// with others.

#ifndef MOE_CONVERSION_MOETOLOOPS_MOETOLOOPS_H
#define MOE_CONVERSION_MOETOLOOPS_MOETOLOOPS_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::moe {

/// Adds the lowering of every `moe` op on buffers that
/// `convert-moe-to-loops` lowers. What it refuses, and ops on tensors, do not
/// match.
void populateMoEToLoopsPatterns(RewritePatternSet &patterns);

} // namespace mlir::moe

#endif // MOE_CONVERSION_MOETOLOOPS_MOETOLOOPS_H
