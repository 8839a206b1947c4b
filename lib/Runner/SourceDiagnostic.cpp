// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/SourceDiagnostic.h"

#include "llvm/Support/FormatVariadic.h"

using namespace moe::runner;

char SourceError::ID = 0;

std::string SourceDiagnostic::toString() const {
  std::string text;
  if (!file.empty()) {
    text = file + ":";
    for (int64_t number : {line, column}) {
      if (number > 0) {
        text += llvm::formatv("{0}:", number);
      }
    }
    text += " ";
  }
  text += message;
  for (const SourceDiagnostic &note : notes) {
    text += "; " + note.message;
  }
  return text;
}

void SourceError::log(llvm::raw_ostream &os) const {
  os << reported.toString();
}
