// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays of one row a token, in global order, and how ranks share them.
#ifndef MOE_RUNNER_TOKENARRAY_H
#define MOE_RUNNER_TOKENARRAY_H

#include "moe/Formats/NumpyArray.h"
#include "moe/Runner/ProgramLayout.h"

namespace moe::runner {

/// [rows, columns] of F32, BF16 or I32, row-major.
struct TokenArray {
  ElementType type = ElementType::F32;
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<char> bytes;

  TokenArray() = default;
  TokenArray(ElementType type, int64_t rows, int64_t columns)
      : type(type), rows(rows), columns(columns),
        bytes(rows * columns * elementBytes(type)) {}

  const char *at(int64_t row, int64_t column) const {
    return bytes.data() + (row * columns + column) * elementBytes(type);
  }
  char *at(int64_t row, int64_t column) {
    return bytes.data() + (row * columns + column) * elementBytes(type);
  }
  /// The bits of an element, in the low end.
  uint32_t bits(int64_t row, int64_t column) const;
  /// The value of an element.
  float value(int64_t row, int64_t column) const;

  /// From float32 [rows, columns], rounded to `type` (F32 or BF16).
  static TokenArray fromFloats(llvm::ArrayRef<float> values, int64_t rows,
                               int64_t columns, ElementType type);
  /// All elements as float32.
  std::vector<float> toFloats() const;
};

/// Copies a rectangle of `array`, rows back to back, to `destination`.
void copyOut(const TokenArray &array, const Rectangle &part, void *destination);

/// Puts the parts that ranks hold together. Ranks that hold the same elements
/// must agree in every bit; the error names two that do not.
llvm::Expected<TokenArray> assemble(const planning::Mesh &ranks,
                                    const Port &port, int64_t tokens,
                                    llvm::ArrayRef<const void *> parts);

/// Reads tokens: float32 [tokens, hidden]; errors begin with the path.
llvm::Expected<formats::NumpyArray> readTokens(llvm::StringRef path,
                                               int64_t hidden);

/// The routing of all tokens, as a file holds it: float32 [2, T, K], first the
/// experts (-1: none), then their weights.
struct RoutingArray {
  int64_t tokens = 0;
  int64_t choices = 0;
  std::vector<int32_t> experts;
  std::vector<float> weights;

  llvm::Error write(llvm::StringRef path) const;
  /// Experts must be whole numbers from -1 to `experts` - 1, weights finite.
  static llvm::Expected<RoutingArray> read(llvm::StringRef path,
                                           int64_t choices, int64_t experts);
};

} // namespace moe::runner

#endif // MOE_RUNNER_TOKENARRAY_H
