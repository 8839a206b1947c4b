// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Diagnostics about files that are no modules, and diagnostics as scripts read
// them: one line each, without the excerpt that MLIR's tools add.

#ifndef MOE_ANALYSIS_FILEDIAGNOSTICS_H
#define MOE_ANALYSIS_FILEDIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"

namespace mlir::moe {

/// Emits a reader's errors where the file has them: a FileError at its file,
/// line and column, of which 0 is unknown. Always fails.
LogicalResult emitFileError(MLIRContext *context, llvm::Error error);

/// An error of a pass' options, which are in no file: the module that the pass
/// runs on is not at fault.
InFlightDiagnostic emitOptionError(MLIRContext *context,
                                   const Twine &message = "");

/// Fails, having said where, on a text of MLIR that nests deeper than its
/// parser could follow (moe/Formats/BracketDepth.h): to be asked before it is
/// parsed.
LogicalResult checkBracketDepth(MLIRContext *context, StringRef text,
                                StringRef file);

/// A handler that prints `file:line:column: error: message`, and a line for
/// each note; what is 0 of the place is left out.
LogicalResult printOnOneLine(Diagnostic &diagnostic);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_FILEDIAGNOSTICS_H
