// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_RUNTIMESYMBOLS_H
#define MOE_RUNNER_RUNTIMESYMBOLS_H

#include "moe/Target/CPU/ObjectCode.h"

namespace moe::runner {

/// The runtime's functions, for code that was not linked.
mlir::moe::SymbolMap runtimeSymbols();

} // namespace moe::runner

#endif // MOE_RUNNER_RUNTIMESYMBOLS_H
