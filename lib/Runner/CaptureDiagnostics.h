// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_CAPTUREDIAGNOSTICS_H
#define MOE_LIB_RUNNER_CAPTUREDIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"

#include <string>

namespace moe::runner {

/// Keeps the errors that are reported to a context, so that they can be
/// returned as one llvm::Error; warnings and remarks go on to who listened
/// before.
class CaptureDiagnostics {
public:
  explicit CaptureDiagnostics(mlir::MLIRContext *context);

  /// The first error as "file:line:column: text; note", or `otherwise`.
  llvm::Error takeError(const llvm::Twine &otherwise) const;

private:
  std::string text;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_CAPTUREDIAGNOSTICS_H
