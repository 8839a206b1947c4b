// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_RUNNER_CAPTUREDIAGNOSTICS_H
#define MOE_RUNNER_CAPTUREDIAGNOSTICS_H

#include "moe/Runner/SourceDiagnostic.h"

#include "mlir/IR/Diagnostics.h"

#include <optional>

namespace moe::runner {

/// As plain data, notes included.
SourceDiagnostic toSourceDiagnostic(const mlir::Diagnostic &diagnostic);

/// Keeps the errors that are reported to a context, so that they can be
/// returned as one llvm::Error; warnings and remarks go on to who listened
/// before.
class CaptureDiagnostics {
public:
  explicit CaptureDiagnostics(mlir::MLIRContext *context);

  /// The first error as a SourceError, or one without a place that says
  /// `otherwise`.
  llvm::Error takeError(const llvm::Twine &otherwise) const;

private:
  std::optional<SourceDiagnostic> first;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace moe::runner

#endif // MOE_RUNNER_CAPTUREDIAGNOSTICS_H
