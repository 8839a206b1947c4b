// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef MOE_LIB_TARGET_CPU_DEFINESYMBOLS_H
#define MOE_LIB_TARGET_CPU_DEFINESYMBOLS_H

#include "moe/Target/CPU/ObjectCode.h"

namespace mlir::moe {

/// Gives code in `jit` the functions that it may call: `symbols`,
/// `memrefCopy`, and those of the process.
llvm::Error defineSymbols(llvm::orc::LLJIT &jit, const SymbolMap &symbols);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_CPU_DEFINESYMBOLS_H
