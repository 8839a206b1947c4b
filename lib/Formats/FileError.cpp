//===- FileError.cpp - What is wrong where in a file ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Formats/FileError.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::formats;

char FileError::ID = 0;

std::string FilePlace::toString() const {
  std::string text = file;
  for (unsigned number : {line, line > 0 ? column : 0}) {
    if (number > 0) {
      text += (text.empty() ? "" : ":") + std::to_string(number);
    }
  }
  return text;
}

void FileError::log(llvm::raw_ostream &os) const {
  std::string at = place.toString();
  os << at << (at.empty() ? "" : ": ") << message;
}

std::error_code FileError::convertToErrorCode() const {
  return llvm::inconvertibleErrorCode();
}

llvm::Error moe::formats::fileError(FilePlace place,
                                    const llvm::Twine &message) {
  return llvm::make_error<FileError>(std::move(place), message);
}

llvm::Error moe::formats::inFile(llvm::StringRef file, llvm::Error error) {
  return llvm::handleErrors(
      std::move(error),
      [&](const FileError &wrong) {
        FilePlace place = wrong.getPlace();
        place.file = file.str();
        return fileError(std::move(place), wrong.getMessage());
      },
      [&](const llvm::ErrorInfoBase &wrong) {
        return fileError({file.str()}, wrong.message());
      });
}

llvm::Error moe::formats::within(const llvm::Twine &part, llvm::Error error) {
  return llvm::handleErrors(
      std::move(error),
      [&](const FileError &wrong) {
        return fileError(wrong.getPlace(), part + ": " + wrong.getMessage());
      },
      [&](const llvm::ErrorInfoBase &wrong) {
        return llvm::createStringError(part + ": " + wrong.message());
      });
}
