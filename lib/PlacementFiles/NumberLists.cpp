//===- NumberLists.cpp - Lists of numbers in JSON -------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NumberLists.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace moe::placement;
using moe::formats::JSONCursor;

llvm::Expected<int64_t> moe::placement::readWhole(JSONCursor &cursor) {
  llvm::Expected<double> number = cursor.number();
  if (!number) {
    return number.takeError();
  }
  constexpr double largest = 9007199254740992.0;
  if (std::abs(*number) > largest || *number != std::floor(*number)) {
    return llvm::createStringError(
        llvm::formatv("expected a whole number, but got {0}", *number).str());
  }
  return static_cast<int64_t>(*number);
}

llvm::Error moe::placement::readList(JSONCursor &cursor,
                                     std::vector<int64_t> &list) {
  return cursor.array([&]() -> llvm::Error {
    llvm::Error error = assign(readWhole(cursor), list.emplace_back());
    return error ? within("entry " + llvm::Twine(list.size() - 1),
                          std::move(error))
                 : llvm::Error::success();
  });
}

llvm::Error
moe::placement::readOptionalList(JSONCursor &cursor,
                                 std::optional<std::vector<int64_t>> &list) {
  return cursor.peek() == 'n' ? cursor.skip()
                              : readList(cursor, list.emplace());
}

llvm::Error
moe::placement::readLists(JSONCursor &cursor,
                          std::vector<std::vector<int64_t>> &lists) {
  return cursor.array([&]() { return readList(cursor, lists.emplace_back()); });
}

llvm::Error moe::placement::readNumbers(JSONCursor &cursor,
                                        std::vector<double> &numbers) {
  if (cursor.peek() == 'n') {
    return cursor.skip();
  }
  return cursor.array(
      [&]() { return assign(cursor.number(), numbers.emplace_back()); });
}
