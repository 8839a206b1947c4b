// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A strict pull parser for JSON from files that cannot be trusted.
// LLVM's parser keeps the last of two equal keys, turns integers into doubles
// and recurses without a limit; a file that cannot be trusted needs better.
#ifndef MOE_FORMATS_JSONCURSOR_H
#define MOE_FORMATS_JSONCURSOR_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace moe::formats {

/// Walks over one JSON text. Every member reads one value and stands after it.
/// Errors are FileErrors with line and column, without a file.
class JSONCursor {
public:
  explicit JSONCursor(llvm::StringRef text) : text(text) {}

  /// Calls `member` for each key with the cursor on its value, which it must
  /// read. Equal keys are an error.
  llvm::Error
  object(llvm::function_ref<llvm::Error(llvm::StringRef key)> member);
  /// Calls `element` with the cursor on each value, which it must read.
  llvm::Error array(llvm::function_ref<llvm::Error()> element);
  llvm::Expected<std::string> string();
  /// A decimal integer in [0, 2^63): no sign, fraction or exponent.
  llvm::Expected<int64_t> integer();
  /// Any number, as a double; infinite where it is too large for one.
  llvm::Expected<double> number();
  /// The next symbol after white space; '\0' at the end.
  char peek();
  /// How many arrays begin here, one right inside the other.
  unsigned arraysAhead() const;
  /// Any value, nested at most 32 deep.
  llvm::Error skip();
  /// Only white space may be left.
  llvm::Error end();

private:
  /// An error at an offset of the text.
  llvm::Error fail(size_t at, const llvm::Twine &message) const;
  /// That something else than `what` stands here.
  llvm::Error expected(const llvm::Twine &what) const;
  llvm::Error expect(char symbol);
  void skipSpace();
  bool consume(char symbol);
  llvm::Error escape(std::string &result);
  llvm::Expected<unsigned> hexDigits();
  llvm::Error skipScalar();

  llvm::StringRef text;
  size_t position = 0;
  unsigned depth = 0;
};

} // namespace moe::formats

#endif // MOE_FORMATS_JSONCURSOR_H
