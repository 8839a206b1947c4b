// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/FileDiagnostics.h"

#include "moe/Formats/BracketDepth.h"
#include "moe/Formats/FileError.h"

#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using ::moe::formats::FileError;
using ::moe::formats::FilePlace;

LogicalResult mlir::moe::emitFileError(MLIRContext *context,
                                       llvm::Error error) {
  llvm::handleAllErrors(
      std::move(error),
      [&](const FileError &problem) {
        const FilePlace &place = problem.getPlace();
        emitError(
            FileLineColLoc::get(context, place.file, place.line, place.column))
            << problem.getMessage();
      },
      [&](const llvm::ErrorInfoBase &problem) {
        emitError(UnknownLoc::get(context)) << problem.message();
      });
  return failure();
}

InFlightDiagnostic mlir::moe::emitOptionError(MLIRContext *context,
                                              const Twine &message) {
  return emitError(UnknownLoc::get(context), message);
}

LogicalResult mlir::moe::checkBracketDepth(MLIRContext *context, StringRef text,
                                           StringRef file) {
  llvm::Error error = ::moe::formats::checkBracketDepth(text, file);
  return error ? emitFileError(context, std::move(error)) : success();
}

static StringRef nameOf(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Remark:
    return "remark";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Error:
    return "error";
  }
  llvm_unreachable("unknown severity");
}

LogicalResult mlir::moe::printOnOneLine(Diagnostic &diagnostic) {
  if (auto place = dyn_cast<FileLineColLoc>(diagnostic.getLocation())) {
    FilePlace at{place.getFilename().str(), place.getLine(), place.getColumn()};
    llvm::errs() << at.toString() << ": ";
  }
  // MLIR's own verifiers print operations into some of their messages.
  std::string text = diagnostic.str();
  llvm::errs() << nameOf(diagnostic.getSeverity()) << ": "
               << StringRef(text).split('\n').first.rtrim() << "\n";
  for (Diagnostic &note : diagnostic.getNotes()) {
    (void)printOnOneLine(note);
  }
  return success();
}
