//===- ModuleLexer.cpp - Words of an MLIR module --------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModuleLexer.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>

using namespace moe::topology;

void ModuleLexer::skipBlanks() {
  while (at < text.size()) {
    if (llvm::isSpace(text[at])) {
      ++at;
    } else if (text.substr(at).starts_with("//")) {
      at = std::min(text.find('\n', at), text.size());
    } else {
      return;
    }
  }
}

Token ModuleLexer::take(TokenKind kind, size_t length) {
  Token token{kind, text.substr(at, length).str(), at};
  at += length;
  return token;
}

Token ModuleLexer::lexString() {
  Token token{TokenKind::String, "", at++};
  while (at < text.size() && text[at] != '"' && text[at] != '\n') {
    if (text[at] != '\\') {
      token.text += text[at++];
      continue;
    }
    llvm::StringRef escape = text.substr(at + 1);
    if (escape.size() >= 2 && llvm::isHexDigit(escape[0]) &&
        llvm::isHexDigit(escape[1])) {
      token.text +=
          static_cast<char>(llvm::hexFromNibbles(escape[0], escape[1]));
      at += 3;
    } else if (!escape.empty()) {
      char c = escape[0];
      token.text += c == 'n' ? '\n' : c == 't' ? '\t' : c;
      at += 2;
    } else {
      ++at;
    }
  }
  if (at == text.size() || text[at] != '"') {
    token.kind = TokenKind::Punctuation;
    return token;
  }
  ++at;
  return token;
}

Token ModuleLexer::lex() {
  skipBlanks();
  if (at == text.size()) {
    return {TokenKind::End, "", at};
  }
  llvm::StringRef rest = text.substr(at);
  auto isWordChar = [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.';
  };
  auto isNumberChar = [](char c) { return llvm::isDigit(c) || c == '.'; };
  char first = rest.front();
  if (first == '"') {
    return lexString();
  }
  if (llvm::isAlpha(first) || first == '_') {
    return take(TokenKind::Word, rest.take_while(isWordChar).size());
  }
  if (first == '@' && rest.size() > 1 && rest[1] != '"') {
    return take(TokenKind::Symbol,
                1 + rest.drop_front().take_while(isWordChar).size());
  }
  bool isNegative = first == '-' && rest.size() > 1 && llvm::isDigit(rest[1]);
  if (llvm::isDigit(first) || isNegative) {
    size_t length = isNegative ? 1 : 0;
    length += rest.drop_front(length).take_while(isNumberChar).size();
    llvm::StringRef exponent = rest.drop_front(length);
    if (exponent.starts_with_insensitive("e")) {
      size_t sign =
          exponent.size() > 1 && (exponent[1] == '-' || exponent[1] == '+') ? 2
                                                                            : 1;
      size_t digits = exponent.drop_front(std::min(sign, exponent.size()))
                          .take_while(llvm::isDigit)
                          .size();
      length += digits > 0 ? sign + digits : 0;
    }
    return take(TokenKind::Number, length);
  }
  return take(TokenKind::Punctuation, 1);
}
