// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- BracketDepth.cpp ---------------------------------------------------===//

#include "moe/Formats/BracketDepth.h"

#include "moe/Formats/FileError.h"

using namespace moe::formats;

/// Where what begins at `i` and has no brackets ends: a string (behind its
/// closing quote), a comment (at the end of its line), an arrow; else `i`.
static size_t skipUnbracketed(llvm::StringRef text, size_t i) {
  llvm::StringRef rest = text.drop_front(i);
  if (rest.starts_with("//")) {
    return std::min(text.find('\n', i), text.size());
  }
  if (rest.starts_with("->")) {
    return i + 2;
  }
  if (rest.front() != '"') {
    return i;
  }
  for (++i; i < text.size() && text[i] != '"' && text[i] != '\n'; ++i) {
    i += text[i] == '\\';
  }
  return std::min(i + 1, text.size());
}

static FilePlace placeOf(llvm::StringRef text, size_t i, llvm::StringRef file) {
  llvm::StringRef before = text.take_front(i);
  size_t lineBegin = before.rfind('\n') + 1; // 0 on the first line
  return {file.str(), unsigned(before.count('\n') + 1),
          unsigned(i - lineBegin + 1)};
}

llvm::Error moe::formats::checkBracketDepth(llvm::StringRef text,
                                            llvm::StringRef file) {
  if (text.starts_with("ML\xefR")) {
    return llvm::Error::success();
  }
  unsigned depth = 0;
  for (size_t i = 0; i < text.size();) {
    size_t end = skipUnbracketed(text, i);
    if (end != i) {
      i = end;
      continue;
    }
    if (llvm::StringRef("([{<").contains(text[i])) {
      if (++depth > kMaxBracketDepth) {
        return fileError(placeOf(text, i, file),
                         "expected at most " + llvm::Twine(kMaxBracketDepth) +
                             " brackets inside one another");
      }
    } else if (llvm::StringRef(")]}>").contains(text[i]) && depth > 0) {
      --depth;
    }
    ++i;
  }
  return llvm::Error::success();
}
