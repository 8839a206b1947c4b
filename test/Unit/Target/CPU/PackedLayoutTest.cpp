// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/PackedLayout.h"

#include "gtest/gtest.h"

#include <cstring>
#include <thread>
#include <vector>

using namespace mlir::moe;

namespace {
struct Case {
  PackedType type;
  int64_t k;
  int64_t n;
};

/// A matrix whose elements are all different, and never zero.
class Matrix {
public:
  Matrix(PackedType type, int64_t rows, int64_t columns)
      : bytesEach(packedElementBytes(type)), columns(columns),
        bytes(rows * columns * bytesEach + 1) {
    for (int64_t i = 0; i < rows * columns; ++i) {
      uint32_t value = static_cast<uint32_t>(i + 1);
      std::memcpy(&bytes[1 + i * bytesEach], &value, bytesEach);
    }
  }
  /// Odd on purpose: a tensor in a memory map has no alignment.
  const void *data() const { return &bytes[1]; }
  uint32_t at(int64_t row, int64_t column) const {
    uint32_t value = 0;
    std::memcpy(&value, &bytes[1 + (row * columns + column) * bytesEach],
                bytesEach);
    return value;
  }

private:
  int64_t bytesEach;
  int64_t columns;
  std::vector<char> bytes;
};
} // namespace

static uint32_t packedElement(const std::vector<char> &packed,
                              const PackedLayout &layout, int64_t index) {
  uint32_t value = 0;
  int64_t bytes = packedElementBytes(layout.type);
  std::memcpy(&value, &packed[index * bytes], bytes);
  return value;
}

/// All of `packed` against `expected(k, n)`, padding against zero.
template <typename Expected>
static void expectPacked(const std::vector<char> &packed,
                         const PackedLayout &layout, Expected expected) {
  std::vector<char> padding(layout.bytes() / packedElementBytes(layout.type),
                            1);
  for (int64_t k = 0; k < layout.k; ++k) {
    for (int64_t n = 0; n < layout.n; ++n) {
      int64_t index = layout.elementIndex(k, n);
      ASSERT_EQ(packedElement(packed, layout, index), expected(k, n))
          << "k " << k << " n " << n;
      ASSERT_EQ(padding[index], 1) << "two elements at one place";
      padding[index] = 0;
    }
  }
  for (size_t i = 0; i < padding.size(); ++i) {
    if (padding[i]) {
      ASSERT_EQ(packedElement(packed, layout, i), 0u) << "padding " << i;
    }
  }
}

namespace {
class PackedLayoutTest : public testing::TestWithParam<Case> {
protected:
  PackedLayout layout{GetParam().k, GetParam().n, GetParam().type};
  std::vector<char> packed = std::vector<char>(layout.bytes(), 0x55);
};
} // namespace

TEST_P(PackedLayoutTest, RowsOutRoundTrip) {
  Matrix matrix(layout.type, layout.n, layout.k);
  packFromRowsOut(layout, {matrix.data(), layout.k}, {0, layout.panels()},
                  packed.data());
  expectPacked(packed, layout,
               [&](int64_t k, int64_t n) { return matrix.at(n, k); });
}

TEST_P(PackedLayoutTest, ColumnsRoundTrip) {
  Matrix matrix(layout.type, layout.k, layout.n);
  packFromColumns(layout, {matrix.data(), layout.n}, {0, layout.panels()},
                  packed.data());
  expectPacked(packed, layout,
               [&](int64_t k, int64_t n) { return matrix.at(k, n); });
}

TEST_P(PackedLayoutTest, ShardOfALargerMatrix) {
  const int64_t firstK = 3, firstN = 5;
  Matrix rowsOut(layout.type, layout.n + 9, layout.k + 7);
  packFromRowsOut(layout, {rowsOut.data(), layout.k + 7, firstK, firstN},
                  {0, layout.panels()}, packed.data());
  expectPacked(packed, layout, [&](int64_t k, int64_t n) {
    return rowsOut.at(firstN + n, firstK + k);
  });
  Matrix columns(layout.type, layout.k + 7, layout.n + 9);
  packFromColumns(layout, {columns.data(), layout.n + 9, firstK, firstN},
                  {0, layout.panels()}, packed.data());
  expectPacked(packed, layout, [&](int64_t k, int64_t n) {
    return columns.at(firstK + k, firstN + n);
  });
}

TEST_P(PackedLayoutTest, ThreadsShareAMatrix) {
  Matrix matrix(layout.type, layout.n, layout.k);
  int64_t middle = layout.panels() / 2;
  std::thread other([&] {
    packFromRowsOut(layout, {matrix.data(), layout.k}, {0, middle},
                    packed.data());
  });
  packFromRowsOut(layout, {matrix.data(), layout.k}, {middle, layout.panels()},
                  packed.data());
  other.join();
  expectPacked(packed, layout,
               [&](int64_t k, int64_t n) { return matrix.at(n, k); });
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, PackedLayoutTest,
    testing::Values(Case{PackedType::f32, 1, 1}, Case{PackedType::f32, 7, 33},
                    Case{PackedType::f32, 130, 64},
                    Case{PackedType::f32, 67, 95}, Case{PackedType::bf16, 1, 1},
                    Case{PackedType::bf16, 3, 33},
                    Case{PackedType::bf16, 260, 64},
                    Case{PackedType::bf16, 135, 95}),
    [](const testing::TestParamInfo<Case> &info) {
      return std::string(info.param.type == PackedType::f32 ? "f32" : "bf16") +
             "_k" + std::to_string(info.param.k) + "_n" +
             std::to_string(info.param.n);
    });

TEST(PackedLayout, ExampleOfTheHeader) {
  PackedLayout layout{3, 33, PackedType::bf16};
  EXPECT_EQ(layout.bytes(), 2 * 2 * 32 * 2 * 2);
  EXPECT_EQ(layout.elementIndex(2, 32), 192);
}
