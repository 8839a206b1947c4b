// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/CaptureDiagnostics.h"

#include "mlir/IR/Location.h"

using namespace moe::runner;

static Severity toSeverity(mlir::DiagnosticSeverity severity) {
  switch (severity) {
  case mlir::DiagnosticSeverity::Note:
    return Severity::Note;
  case mlir::DiagnosticSeverity::Remark:
    return Severity::Remark;
  case mlir::DiagnosticSeverity::Warning:
    return Severity::Warning;
  case mlir::DiagnosticSeverity::Error:
    return Severity::Error;
  }
  llvm_unreachable("unknown severity");
}

/// MLIR's own verifiers print operations into some of their messages.
static std::string firstLine(llvm::StringRef text) {
  return text.split('\n').first.rtrim().str();
}

SourceDiagnostic
moe::runner::toSourceDiagnostic(const mlir::Diagnostic &diagnostic) {
  SourceDiagnostic result;
  result.severity = toSeverity(diagnostic.getSeverity());
  result.message = firstLine(diagnostic.str());
  diagnostic.getLocation()->walk([&](mlir::Location part) {
    auto place = mlir::dyn_cast<mlir::FileLineColLoc>(part);
    if (!place) {
      return mlir::WalkResult::advance();
    }
    result.file = place.getFilename().str();
    result.line = place.getLine();
    result.column = place.getColumn();
    return mlir::WalkResult::interrupt();
  });
  for (const mlir::Diagnostic &note : diagnostic.getNotes()) {
    result.notes.push_back(toSourceDiagnostic(note));
  }
  return result;
}

CaptureDiagnostics::CaptureDiagnostics(mlir::MLIRContext *context)
    : handler(context, [this](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error) {
          return mlir::failure();
        }
        if (!first) {
          first = toSourceDiagnostic(diagnostic);
        }
        return mlir::success();
      }) {}

llvm::Error CaptureDiagnostics::takeError(const llvm::Twine &otherwise) const {
  if (!first) {
    return llvm::createStringError(otherwise);
  }
  return llvm::make_error<SourceError>(*first);
}
