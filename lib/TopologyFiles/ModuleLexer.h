//===- ModuleLexer.h - Words of an MLIR module ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_TOPOLOGYFILES_MODULELEXER_H
#define MOE_LIB_TOPOLOGYFILES_MODULELEXER_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace moe::topology {

enum class TokenKind { Word, Symbol, Number, String, Punctuation, End };

struct Token {
  TokenKind kind = TokenKind::End;
  /// As written; of a string, what it says.
  std::string text;
  /// Where it begins, in bytes from the start of the text.
  size_t offset = 0;
};

/// Splits a module's text, which must outlive it. Comments and blanks are
/// skipped; a character that begins nothing else is punctuation.
class ModuleLexer {
public:
  explicit ModuleLexer(llvm::StringRef text) : text(text) {}
  /// The next token; `End` once the text is used up.
  Token lex();

private:
  void skipBlanks();
  Token lexString();
  Token take(TokenKind kind, size_t length);

  llvm::StringRef text;
  size_t at = 0;
};

} // namespace moe::topology

#endif // MOE_LIB_TOPOLOGYFILES_MODULELEXER_H
