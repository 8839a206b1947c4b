// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/GPUPackedLayout.h"

#include <gtest/gtest.h>

#include <vector>

using namespace mlir::moe;

TEST(GPUPackedLayoutTest, TheHeadersExample) {
  constexpr GPUPackedLayout layout{40, 65, PackedType::bf16};
  EXPECT_EQ(layout.paddedN(), 128);
  EXPECT_EQ(layout.paddedK(), 64);
  EXPECT_EQ(layout.bytes(), 128 * 64 * 2);
  EXPECT_EQ(layout.elementIndex(3, 64), 4099);
}

/// A value for each element of a matrix [rows, columns], none of them zero.
template <typename Element>
static std::vector<Element> matrix(int64_t rows, int64_t columns) {
  std::vector<Element> values;
  for (int64_t i = 0; i < rows * columns; ++i) {
    values.push_back(static_cast<Element>(i + 1));
  }
  return values;
}

/// Packs B, which begins at (2, 5) of a larger matrix, in three parts, and
/// looks at every element.
template <typename Element>
static void checkPacking(PackedType type, bool isInByOut) {
  constexpr int64_t k = 70, n = 67, firstK = 2, firstN = 5;
  GPUPackedLayout layout{k, n, type};
  int64_t allK = k + firstK + 1, allN = n + firstN + 3;
  std::vector<Element> whole =
      isInByOut ? matrix<Element>(allK, allN) : matrix<Element>(allN, allK);
  PackSource source{whole.data(), isInByOut ? allN : allK, firstK, firstN};
  std::vector<Element> packed(layout.bytes() / sizeof(Element), Element(0xab));
  for (PanelRange rows : {PanelRange{0, 1}, {1, 66}, {66, layout.paddedN()}}) {
    if (isInByOut) {
      packFromColumns(layout, source, rows, packed.data());
    } else {
      packFromRowsOut(layout, source, rows, packed.data());
    }
  }
  for (int64_t column = 0; column < layout.paddedN(); ++column) {
    for (int64_t row = 0; row < layout.paddedK(); ++row) {
      int64_t inK = row + firstK, inN = column + firstN;
      Element expected =
          isInByOut
              ? whole[std::min(inK, allK - 1) * allN + std::min(inN, allN - 1)]
              : whole[std::min(inN, allN - 1) * allK + std::min(inK, allK - 1)];
      expected = row < k && column < n ? expected : Element(0);
      ASSERT_EQ(packed[layout.elementIndex(row, column)], expected)
          << "at " << row << ", " << column;
    }
  }
}

TEST(GPUPackedLayoutTest, FromRowsOut) {
  checkPacking<uint16_t>(PackedType::bf16, false);
  checkPacking<uint32_t>(PackedType::f32, false);
}

TEST(GPUPackedLayoutTest, FromColumns) {
  checkPacking<uint16_t>(PackedType::bf16, true);
  checkPacking<uint32_t>(PackedType::f32, true);
}
