//===- FileError.h - What is wrong where in a file --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_FORMATS_FILEERROR_H
#define MOE_FORMATS_FILEERROR_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>

namespace moe::formats {

/// A place in a file; lines and columns (in bytes) count from 1, 0 is unknown.
/// Readers of mere text leave the file's name to those who know it.
struct FilePlace {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  /// `topo.xml:12:3`, without what is unknown.
  std::string toString() const;
};

/// Prints as `topo.xml:12:3: expected …, but got …`.
class FileError : public llvm::ErrorInfo<FileError> {
public:
  static char ID;

  FileError(FilePlace place, const llvm::Twine &message)
      : place(std::move(place)), message(message.str()) {}

  const FilePlace &getPlace() const { return place; }
  const std::string &getMessage() const { return message; }

  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

private:
  FilePlace place;
  std::string message;
};

llvm::Error fileError(FilePlace place, const llvm::Twine &message);

/// The same error as one of this file, at its line and column if it has any.
llvm::Error inFile(llvm::StringRef file, llvm::Error error);

/// The same error with `part: ` before its message; its place stays.
llvm::Error within(const llvm::Twine &part, llvm::Error error);

} // namespace moe::formats

#endif // MOE_FORMATS_FILEERROR_H
