//===- JSONKeys.h - Where the keys of a JSON text stand ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where the keys of a JSON text stand. LLVM's parser forgets positions, keeps
// the last of two equal keys and recurses without a limit; diagnostics that
// name a line, and files that cannot be trusted, need this besides.

#ifndef MOE_MODEL_JSONKEYS_H
#define MOE_MODEL_JSONKEYS_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace moe::model {

/// A place in a text; both count from 1.
struct TextPosition {
  unsigned line = 1;
  unsigned column = 1;
};

/// The keys of a text, by path: `quantization_config.fmt`. Works on malformed
/// text too, as far as it goes; telling what is wrong there is the parser's
/// job.
class JSONKeys {
public:
  static constexpr unsigned maximalDepth = 64;

  explicit JSONKeys(llvm::StringRef text);

  /// Where the key at `path` begins; where the text begins if there is none.
  TextPosition getPosition(llvm::StringRef path) const;

  /// A key that its object holds twice, at its second place.
  struct Duplicate {
    std::string path;
    TextPosition position;
  };
  const std::optional<Duplicate> &getDuplicate() const { return duplicate; }

  /// Whether the text nests deeper than a parser should follow.
  bool isTooDeep() const { return tooDeep; }

private:
  void addKey(llvm::StringRef path, TextPosition position);

  llvm::StringMap<TextPosition> positions;
  std::optional<Duplicate> duplicate;
  bool tooDeep = false;
};

} // namespace moe::model

#endif // MOE_MODEL_JSONKEYS_H
