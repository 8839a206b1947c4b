// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Diagnostics as scripts read them: one line each, without the excerpt that
// MLIR's tools add.

#ifndef MOE_LIB_IMPORT_ONELINEDIAGNOSTICS_H
#define MOE_LIB_IMPORT_ONELINEDIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"

namespace mlir::moe {

/// A handler that prints `file:line:column: error: message`; what is 0 of the
/// place is left out.
LogicalResult printOnOneLine(Diagnostic &diagnostic);

} // namespace mlir::moe

#endif // MOE_LIB_IMPORT_ONELINEDIAGNOSTICS_H
