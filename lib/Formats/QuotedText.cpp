// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Formats/QuotedText.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

std::string moe::formats::quoted(llvm::StringRef text) {
  constexpr size_t limit = 200;
  bool isTooLong = text.size() > limit;
  text = text.take_front(limit);
  bool isUTF8 = llvm::json::isUTF8(text);
  std::string result = "'";
  for (char symbol : text) {
    unsigned char byte = static_cast<unsigned char>(symbol);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !isUTF8)) {
      result += '\\';
      result += llvm::hexdigit(byte >> 4);
      result += llvm::hexdigit(byte & 15);
    } else {
      result += symbol;
    }
  }
  return result + (isTooLong ? "…'" : "'");
}
