// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is wrong with a module, and where: MLIR's diagnostics as plain data, so
// that callers without MLIR can take them apart.
#ifndef MOE_RUNNER_SOURCEDIAGNOSTIC_H
#define MOE_RUNNER_SOURCEDIAGNOSTIC_H

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace moe::runner {

enum class Severity { Note, Remark, Warning, Error };

struct SourceDiagnostic {
  Severity severity = Severity::Error;
  /// Empty where no file is known.
  std::string file;
  /// From 1; 0 where they are not known.
  int64_t line = 0;
  int64_t column = 0;
  /// One line.
  std::string message;
  std::vector<SourceDiagnostic> notes = {};

  /// "file:line:column: message; note; note"
  std::string toString() const;
};

/// An error that knows its place. As text it is SourceDiagnostic::toString.
class SourceError : public llvm::ErrorInfo<SourceError> {
public:
  static char ID;
  explicit SourceError(SourceDiagnostic diagnostic)
      : reported(std::move(diagnostic)) {}

  const SourceDiagnostic &diagnostic() const { return reported; }
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  SourceDiagnostic reported;
};

} // namespace moe::runner

#endif // MOE_RUNNER_SOURCEDIAGNOSTIC_H
