// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Formats/MappedFile.h"

using namespace moe::formats;

static llvm::Error fail(llvm::StringRef path, std::error_code code) {
  return llvm::createStringError(path + ": " + code.message());
}

llvm::Expected<MappedFile> MappedFile::open(llvm::StringRef path) {
  MappedFile file;
  file.filePath = path.str();
  llvm::Expected<llvm::sys::fs::file_t> handle =
      llvm::sys::fs::openNativeFileForRead(path);
  if (!handle) {
    return fail(path, llvm::errorToErrorCode(handle.takeError()));
  }
  llvm::sys::fs::file_status status;
  std::error_code code = llvm::sys::fs::status(*handle, status);
  if (!code && llvm::sys::fs::is_directory(status)) {
    code = std::make_error_code(std::errc::is_a_directory);
  }
  if (!code && !llvm::sys::fs::is_regular_file(status)) {
    // What could not be closed is not ours to report: this is the error.
    static_cast<void>(llvm::sys::fs::closeFile(*handle));
    return llvm::createStringError(path +
                                   ": expected a file, but got a device or a "
                                   "pipe, which cannot be mapped");
  }
  // A mapping of no bytes is an error of the system's; an empty file is not.
  if (!code && status.getSize() > 0) {
    file.region = llvm::sys::fs::mapped_file_region(
        *handle, llvm::sys::fs::mapped_file_region::readonly, status.getSize(),
        0, code);
  }
  (void)llvm::sys::fs::closeFile(*handle);
  if (code) {
    return fail(path, code);
  }
  return std::move(file);
}
