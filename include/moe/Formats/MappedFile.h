// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_FORMATS_MAPPEDFILE_H
#define MOE_FORMATS_MAPPEDFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

#include <string>

namespace moe::formats {

/// A whole file, mapped read-only for as long as the object lives. Pages are
/// read when they are touched, so opening a 100 GB file costs nothing.
class MappedFile {
public:
  /// Fails with one line that begins with the path.
  static llvm::Expected<MappedFile> open(llvm::StringRef path);

  llvm::StringRef path() const { return filePath; }
  /// Empty for an empty file. Page-aligned otherwise.
  llvm::StringRef bytes() const {
    return region ? llvm::StringRef(region.const_data(), region.size())
                  : llvm::StringRef();
  }

private:
  std::string filePath;
  llvm::sys::fs::mapped_file_region region;
};

} // namespace moe::formats

#endif // MOE_FORMATS_MAPPEDFILE_H
