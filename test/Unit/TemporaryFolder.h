// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder that a test writes into and that disappears with the test.
#ifndef MOE_TEST_UNIT_TEMPORARYFOLDER_H
#define MOE_TEST_UNIT_TEMPORARYFOLDER_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <string>

namespace moe::test {

class TemporaryFolder {
public:
  TemporaryFolder() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("moe-test", root));
  }
  ~TemporaryFolder() { (void)llvm::sys::fs::remove_directories(root); }

  std::string path() const { return root.str().str(); }
  std::string file(llvm::StringRef name) const {
    llvm::SmallString<128> result = root;
    llvm::sys::path::append(result, name);
    return result.str().str();
  }
  std::string write(llvm::StringRef name, llvm::StringRef bytes) const {
    std::error_code code;
    llvm::raw_fd_ostream(file(name), code) << bytes;
    EXPECT_FALSE(code);
    return file(name);
  }

private:
  llvm::SmallString<128> root;
};

/// The message of a failure; "" when there was none.
template <typename T> std::string messageOf(llvm::Expected<T> result) {
  return result ? std::string() : llvm::toString(result.takeError());
}
inline std::string messageOf(llvm::Error error) {
  return error ? llvm::toString(std::move(error)) : std::string();
}

/// The bytes of a vector's elements.
template <typename T> llvm::StringRef bytesOf(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()),
          values.size() * sizeof(T)};
}

} // namespace moe::test

#endif // MOE_TEST_UNIT_TEMPORARYFOLDER_H
