// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Formats/JSONCursor.h"
#include "moe/Formats/FileError.h"
#include "moe/Formats/QuotedText.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

#include <cstdlib>

using namespace moe::formats;

static constexpr unsigned maximalDepth = 32;

llvm::Error JSONCursor::fail(size_t at, const llvm::Twine &message) const {
  llvm::StringRef before = text.take_front(at);
  FilePlace place;
  place.line = before.count('\n') + 1;
  place.column = before.size() - (before.rfind('\n') + 1) + 1;
  return fileError(std::move(place), message);
}

llvm::Error JSONCursor::expected(const llvm::Twine &what) const {
  return fail(position,
              "expected " + what + ", but got " +
                  (position < text.size() ? quoted(text.substr(position, 1))
                                          : "the end of the text"));
}

void JSONCursor::skipSpace() {
  while (position < text.size() &&
         llvm::StringRef(" \t\n\r").contains(text[position])) {
    ++position;
  }
}

bool JSONCursor::consume(char symbol) {
  skipSpace();
  if (position >= text.size() || text[position] != symbol) {
    return false;
  }
  ++position;
  return true;
}

llvm::Error JSONCursor::expect(char symbol) {
  if (!consume(symbol)) {
    return expected("'" + llvm::Twine(symbol) + "'");
  }
  return llvm::Error::success();
}

llvm::Error JSONCursor::object(
    llvm::function_ref<llvm::Error(llvm::StringRef key)> member) {
  if (llvm::Error error = expect('{')) {
    return error;
  }
  if (++depth > maximalDepth) {
    return expected("at most " + llvm::Twine(maximalDepth) +
                    " levels of nesting");
  }
  llvm::StringSet<> keys;
  bool more = !consume('}');
  while (more) {
    skipSpace();
    size_t begin = position;
    llvm::Expected<std::string> key = string();
    if (!key) {
      return key.takeError();
    }
    if (!keys.insert(*key).second) {
      return fail(begin,
                  "expected each key once, but got " + quoted(*key) + " twice");
    }
    if (llvm::Error error = expect(':')) {
      return error;
    }
    if (llvm::Error error = member(*key)) {
      return error;
    }
    more = consume(',');
    if (!more) {
      if (llvm::Error error = expect('}')) {
        return error;
      }
    }
  }
  --depth;
  return llvm::Error::success();
}

llvm::Error JSONCursor::array(llvm::function_ref<llvm::Error()> element) {
  if (llvm::Error error = expect('[')) {
    return error;
  }
  if (++depth > maximalDepth) {
    return expected("at most " + llvm::Twine(maximalDepth) +
                    " levels of nesting");
  }
  bool more = !consume(']');
  while (more) {
    if (llvm::Error error = element()) {
      return error;
    }
    more = consume(',');
    if (!more) {
      if (llvm::Error error = expect(']')) {
        return error;
      }
    }
  }
  --depth;
  return llvm::Error::success();
}

llvm::Expected<unsigned> JSONCursor::hexDigits() {
  unsigned value = 0;
  if (text.substr(position, 4).size() < 4 ||
      text.substr(position, 4).getAsInteger(16, value) ||
      !llvm::all_of(text.substr(position, 4),
                    [](char digit) { return llvm::isHexDigit(digit); })) {
    return expected("four hexadecimal digits");
  }
  position += 4;
  return value;
}

llvm::Error JSONCursor::escape(std::string &result) {
  static constexpr llvm::StringLiteral symbols = "\"\\/bfnrt";
  static constexpr llvm::StringLiteral meanings = "\"\\/\b\f\n\r\t";
  size_t index = position < text.size() ? symbols.find(text[position])
                                        : llvm::StringRef::npos;
  if (index != llvm::StringRef::npos) {
    ++position;
    result += meanings[index];
    return llvm::Error::success();
  }
  if (position >= text.size() || text[position] != 'u') {
    return expected("an escape sequence");
  }
  ++position;
  llvm::Expected<unsigned> unit = hexDigits();
  if (!unit) {
    return unit.takeError();
  }
  unsigned codePoint = *unit;
  if (codePoint >= 0xD800 && codePoint < 0xDC00) {
    if (!text.substr(position).consume_front("\\u")) {
      return expected("the second half of a surrogate pair");
    }
    position += 2;
    llvm::Expected<unsigned> low = hexDigits();
    if (!low) {
      return low.takeError();
    }
    if (*low < 0xDC00 || *low > 0xDFFF) {
      return expected("the second half of a surrogate pair before this");
    }
    codePoint = 0x10000 + ((codePoint - 0xD800) << 10) + (*low - 0xDC00);
  } else if (codePoint >= 0xDC00 && codePoint <= 0xDFFF) {
    return expected("the first half of a surrogate pair before this");
  }
  char buffer[UNI_MAX_UTF8_BYTES_PER_CODE_POINT];
  char *last = buffer;
  llvm::ConvertCodePointToUTF8(codePoint, last);
  result.append(buffer, last);
  return llvm::Error::success();
}

llvm::Expected<std::string> JSONCursor::string() {
  skipSpace();
  size_t begin = position;
  if (!consume('"')) {
    return expected("a string");
  }
  std::string result;
  while (position < text.size() && text[position] != '"') {
    char symbol = text[position];
    if (static_cast<unsigned char>(symbol) < 0x20) {
      return expected("no control character in a string");
    }
    ++position;
    if (symbol != '\\') {
      result += symbol;
    } else if (llvm::Error error = escape(result)) {
      return std::move(error);
    }
  }
  if (!consume('"')) {
    return expected("'\"'");
  }
  if (!llvm::json::isUTF8(result)) {
    return fail(begin, "expected a string in UTF-8, but got other bytes");
  }
  return result;
}

llvm::Expected<int64_t> JSONCursor::integer() {
  skipSpace();
  llvm::StringRef digits = text.substr(position).take_while(
      [](char symbol) { return llvm::isDigit(symbol); });
  llvm::StringRef rest = text.substr(position + digits.size());
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0') ||
      rest.starts_with(".") || rest.starts_with("e") || rest.starts_with("E")) {
    return expected("an integer that is not negative");
  }
  int64_t value = 0;
  if (digits.getAsInteger(10, value)) {
    return expected("an integer below 2^63");
  }
  position += digits.size();
  return value;
}

char JSONCursor::peek() {
  skipSpace();
  return position < text.size() ? text[position] : '\0';
}

unsigned JSONCursor::arraysAhead() const {
  unsigned count = 0;
  for (llvm::StringRef rest = text.substr(position).ltrim(" \t\n\r");
       rest.consume_front("["); rest = rest.ltrim(" \t\n\r")) {
    ++count;
  }
  return count;
}

/// The part of \p text that has the form of a JSON number; "" when none has.
static llvm::StringRef takeNumber(llvm::StringRef text) {
  llvm::StringRef rest = text;
  auto digits = [&] {
    size_t count =
        rest.take_while([](char symbol) { return llvm::isDigit(symbol); })
            .size();
    rest = rest.drop_front(count);
    return count;
  };
  rest.consume_front("-");
  bool leadingZero = rest.starts_with("0");
  size_t whole = digits();
  if (whole == 0 || (leadingZero && whole > 1)) {
    return "";
  }
  if (rest.consume_front(".") && digits() == 0) {
    return "";
  }
  if (rest.consume_front("e") || rest.consume_front("E")) {
    if (!rest.consume_front("+")) {
      rest.consume_front("-");
    }
    if (digits() == 0) {
      return "";
    }
  }
  return text.drop_back(rest.size());
}

llvm::Expected<double> JSONCursor::number() {
  skipSpace();
  llvm::StringRef word = takeNumber(text.substr(position));
  if (word.empty()) {
    return expected("a number");
  }
  // LLVM's conversion refuses what is too large or too small for a double.
  double value = std::strtod(word.str().c_str(), nullptr);
  position += word.size();
  return value;
}

llvm::Error JSONCursor::skipScalar() {
  llvm::StringRef rest = text.substr(position);
  llvm::StringRef word = rest.take_while([](char symbol) {
    return llvm::isAlnum(symbol) || symbol == '+' || symbol == '-' ||
           symbol == '.';
  });
  double number = 0;
  bool known = word == "true" || word == "false" || word == "null";
  if (!known && (word.empty() || llvm::isAlpha(word.front()) ||
                 word.getAsDouble(number))) {
    return expected("a value");
  }
  position += word.size();
  return llvm::Error::success();
}

llvm::Error JSONCursor::skip() {
  skipSpace();
  char symbol = position < text.size() ? text[position] : '\0';
  switch (symbol) {
  case '{':
    return object([&](llvm::StringRef) { return skip(); });
  case '[':
    return array([&] { return skip(); });
  case '"':
    return string().takeError();
  default:
    return skipScalar();
  }
}

llvm::Error JSONCursor::end() {
  skipSpace();
  if (position < text.size()) {
    return expected("the end of the text");
  }
  return llvm::Error::success();
}
