// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "OneLineDiagnostics.h"

#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

LogicalResult mlir::moe::printOnOneLine(Diagnostic &diagnostic) {
  if (auto place = dyn_cast<FileLineColLoc>(diagnostic.getLocation())) {
    llvm::errs() << place.getFilename().getValue() << ":";
    for (unsigned number : {place.getLine(), place.getColumn()}) {
      if (number > 0) {
        llvm::errs() << number << ":";
      }
    }
    llvm::errs() << " ";
  }
  bool isError = diagnostic.getSeverity() == DiagnosticSeverity::Error;
  llvm::errs() << (isError ? "error: " : "remark: ") << diagnostic << "\n";
  return success();
}
