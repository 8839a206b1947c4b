//===- JSONKeys.cpp - Where the keys of a JSON text stand -----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Model/JSONKeys.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/JSON.h"

using namespace moe::model;
using llvm::SmallVector;
using llvm::StringRef;

// The end of the string literal that begins at `offset`, behind its quote.
static size_t skipString(StringRef text, size_t offset) {
  for (++offset; offset < text.size() && text[offset] != '"'; ++offset) {
    if (text[offset] == '\\') {
      ++offset;
    }
  }
  return std::min(offset + 1, text.size());
}

// The text of the key that is written as `literal`, which may have escapes.
static std::string readKey(StringRef literal) {
  if (literal.contains('\\')) {
    if (llvm::Expected<llvm::json::Value> value = llvm::json::parse(literal)) {
      return value->getAsString().value_or("").str();
    } else {
      llvm::consumeError(value.takeError());
    }
  }
  return literal.slice(1, literal.size() - 1).str();
}

void JSONKeys::addKey(StringRef path, TextPosition position) {
  bool isNew = positions.try_emplace(path, position).second;
  if (!isNew && !duplicate) {
    duplicate = Duplicate{path.str(), position};
  }
}

JSONKeys::JSONKeys(StringRef text) {
  struct Container {
    bool isObject;
    bool expectsKey;
    std::string path;
  };
  SmallVector<Container> open;
  std::string lastKey;
  unsigned elements = 0;
  unsigned line = 1;
  size_t lineStart = 0;
  for (size_t at = 0; at < text.size();) {
    char symbol = text[at];
    if (symbol == '"') {
      size_t end = skipString(text, at);
      if (!open.empty() && open.back().expectsKey) {
        lastKey = open.back().path + readKey(text.slice(at, end));
        addKey(lastKey, {line, static_cast<unsigned>(at - lineStart) + 1});
        open.back().expectsKey = false;
      }
      at = end;
      continue;
    }
    if (symbol == '{' || symbol == '[') {
      // Objects inside arrays need paths of their own: equal keys of two
      // elements are no duplicates.
      bool inArray = !open.empty() && !open.back().isObject;
      std::string path =
          inArray ? open.back().path + std::to_string(elements++) : lastKey;
      bool isObject = symbol == '{';
      open.push_back({isObject, isObject, open.empty() ? "" : path + "."});
      if (open.size() > maximalDepth) {
        tooDeep = true;
        return;
      }
    } else if ((symbol == '}' || symbol == ']') && !open.empty()) {
      open.pop_back();
    } else if (symbol == ',' && !open.empty()) {
      open.back().expectsKey = open.back().isObject;
    } else if (symbol == '\n') {
      ++line;
      lineStart = at + 1;
    }
    ++at;
  }
}

TextPosition JSONKeys::getPosition(StringRef path) const {
  return positions.lookup(path);
}
