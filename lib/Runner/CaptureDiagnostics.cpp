// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CaptureDiagnostics.h"

#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::runner;

/// "file:3:7: "; nothing for a location without a file.
static std::string formatPosition(mlir::Location location) {
  std::string text;
  location->walk([&](mlir::Location part) {
    auto file = mlir::dyn_cast<mlir::FileLineColLoc>(part);
    if (!file) {
      return mlir::WalkResult::advance();
    }
    llvm::raw_string_ostream(text)
        << file.getFilename().getValue() << ':' << file.getLine() << ':'
        << file.getColumn() << ": ";
    return mlir::WalkResult::interrupt();
  });
  return text;
}

CaptureDiagnostics::CaptureDiagnostics(mlir::MLIRContext *context)
    : handler(context, [this](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error) {
          return mlir::failure();
        }
        if (text.empty()) {
          text = formatPosition(diagnostic.getLocation()) + diagnostic.str();
          for (mlir::Diagnostic &note : diagnostic.getNotes()) {
            text += "; " + note.str();
          }
        }
        return mlir::success();
      }) {}

llvm::Error CaptureDiagnostics::takeError(const llvm::Twine &otherwise) const {
  return llvm::createStringError(text.empty() ? otherwise.str() : text);
}
