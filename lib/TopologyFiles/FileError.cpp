//===- FileError.cpp - What is wrong where in a file ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/TopologyFiles/FileError.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::topology;

char FileError::ID = 0;

std::string FilePlace::toString() const {
  std::string text = file;
  if (line > 0) {
    text += ":" + std::to_string(line);
    if (column > 0) {
      text += ":" + std::to_string(column);
    }
  }
  return text;
}

void FileError::log(llvm::raw_ostream &os) const {
  os << place.toString() << ": " << message;
}

std::error_code FileError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

llvm::Error moe::topology::fileError(FilePlace place,
                                     const llvm::Twine &message) {
  return llvm::make_error<FileError>(std::move(place), message);
}
