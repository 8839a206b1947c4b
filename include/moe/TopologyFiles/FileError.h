//===- FileError.h - What is wrong where in a file --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TOPOLOGYFILES_FILEERROR_H
#define MOE_TOPOLOGYFILES_FILEERROR_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <string>

namespace moe::topology {

/// A place in a file; lines and columns count from 1, 0 is unknown.
struct FilePlace {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;

  /// `topo.xml:12:3`
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

} // namespace moe::topology

#endif // MOE_TOPOLOGYFILES_FILEERROR_H
