// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Formats/OutputFile.h"

#include "moe/Formats/FileError.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::formats;
namespace fs = llvm::sys::fs;

static llvm::Error fail(llvm::StringRef path, std::error_code code) {
  llvm::StringRef name = path == "-"    ? "standard output"
                         : path.empty() ? "a file without a name"
                                        : path;
  return fileError({name.str()}, code.message());
}

/// Whether there is something at the path that is no file of bytes, such as a
/// device or a pipe: it cannot be replaced by one.
static bool isWrittenInPlace(llvm::StringRef path) {
  fs::file_status status;
  return path == "-" || (!fs::status(path, status) && fs::exists(status) &&
                         !fs::is_regular_file(status));
}

/// Why nothing can be put at the path; no error where something can.
static std::error_code findObstacle(llvm::StringRef path) {
  if (path == "-") {
    return {};
  }
  if (path.empty()) {
    return std::make_error_code(std::errc::no_such_file_or_directory);
  }
  if (fs::is_directory(path)) {
    return std::make_error_code(std::errc::is_a_directory);
  }
  if (fs::exists(path)) {
    if (std::error_code code = fs::access(path, fs::AccessMode::Write)) {
      return code;
    }
  }
  if (isWrittenInPlace(path)) {
    return {};
  }
  llvm::SmallString<128> beside;
  if (std::error_code code = fs::createUniqueFile(path + ".%%%%%%%%", beside)) {
    return code;
  }
  return fs::remove(beside);
}

llvm::Error moe::formats::expectWritable(llvm::StringRef path) {
  std::error_code code = findObstacle(path);
  return code ? fail(path, code) : llvm::Error::success();
}

llvm::Error moe::formats::writeFileAt(
    llvm::StringRef path,
    llvm::function_ref<llvm::Error(llvm::StringRef)> write) {
  if (path.empty() || isWrittenInPlace(path)) {
    return write(path);
  }
  // A link stays one: what it names is replaced.
  llvm::SmallString<128> target, beside;
  if (fs::real_path(path, target)) {
    target = path;
  }
  if (std::error_code code =
          fs::createUniqueFile(target + ".%%%%%%%%", beside)) {
    return fail(path, code);
  }
  fs::file_status status;
  bool isNew = fs::status(path, status).value() != 0;
  llvm::Error error = write(beside);
  std::error_code code;
  if (!error) {
    // A file that is replaced keeps its permissions; a new one has the usual.
    fs::perms usual = static_cast<fs::perms>(0666 & ~fs::getUmask());
    code = fs::setPermissions(beside, isNew ? usual : status.permissions());
  }
  if (!error && !code) {
    code = fs::rename(beside, target);
  }
  if (!error && !code) {
    return llvm::Error::success();
  }
  static_cast<void>(fs::remove(beside));
  return error ? std::move(error) : fail(path, code);
}

llvm::Error
moe::formats::writeFile(llvm::StringRef path,
                        llvm::function_ref<void(llvm::raw_ostream &)> write) {
  return writeFileAt(path, [&](llvm::StringRef place) -> llvm::Error {
    std::error_code code;
    llvm::raw_fd_ostream stream(place, code);
    if (!code) {
      write(stream);
      stream.flush();
      code = stream.error();
      stream.clear_error();
    }
    return code ? fail(path, code) : llvm::Error::success();
  });
}
