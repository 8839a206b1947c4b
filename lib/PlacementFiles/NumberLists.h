//===- NumberLists.h - Lists of numbers in JSON -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLACEMENTFILES_NUMBERLISTS_H
#define MOE_LIB_PLACEMENTFILES_NUMBERLISTS_H

#include "moe/Formats/FileError.h"
#include "moe/Formats/JSONCursor.h"
#include <optional>
#include <vector>

namespace moe::placement {

using formats::inFile;
using formats::within;

/// The value, or the error.
template <typename T> llvm::Error assign(llvm::Expected<T> value, T &target) {
  if (!value) {
    return value.takeError();
  }
  target = std::move(*value);
  return llvm::Error::success();
}

/// A whole number, which may be negative.
llvm::Expected<int64_t> readWhole(formats::JSONCursor &cursor);

llvm::Error readList(formats::JSONCursor &cursor, std::vector<int64_t> &list);
/// Nothing for null.
llvm::Error readOptionalList(formats::JSONCursor &cursor,
                             std::optional<std::vector<int64_t>> &list);
llvm::Error readLists(formats::JSONCursor &cursor,
                      std::vector<std::vector<int64_t>> &lists);
/// Numbers; none for null.
llvm::Error readNumbers(formats::JSONCursor &cursor,
                        std::vector<double> &numbers);

} // namespace moe::placement

#endif // MOE_LIB_PLACEMENTFILES_NUMBERLISTS_H
