// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"

#include <algorithm>
#include <numeric>

using namespace mlir::moe::test;

// The compiler of this test must not fuse what the formulas keep apart.
#pragma STDC FP_CONTRACT OFF

static constexpr char module[] = R"(
func.func @spread(%x: memref<?x$Hx$T>, %p: memref<?x$Kxi32>, %y: memref<?x$Hx$T>) {
  moe.spread_rows %x to %p into %y : (memref<?x$Hx$T>, memref<?x$Kxi32>, memref<?x$Hx$T>) -> ()
  return
}
func.func @permute(%x: memref<?x$Hx$T>, %i: memref<?xi32>, %o: memref<?xi32>, %y: memref<?x$Hx$T>) {
  moe.permute_rows %x to %i up_to %o into %y : (memref<?x$Hx$T>, memref<?xi32>, memref<?xi32>, memref<?x$Hx$T>) -> ()
  return
}
func.func @permute_back(%x: memref<?x$Hx$T>, %i: memref<?xi32>, %o: memref<?xi32>, %y: memref<?x$Hx$T>) {
  moe.permute_rows inverse %x to %i up_to %o into %y : (memref<?x$Hx$T>, memref<?xi32>, memref<?xi32>, memref<?x$Hx$T>) -> ()
  return
}
func.func @combine(%x: memref<?x$Hx$T>, %p: memref<?x$Kxi32>, %w: memref<?x$Kxf32>, %y: memref<?x$Hxf32>) {
  moe.combine_rows %x at %p weighted by %w into %y : (memref<?x$Hx$T>, memref<?x$Kxi32>, memref<?x$Kxf32>, memref<?x$Hxf32>) -> ()
  return
}
func.func @combine_dropped(%x: memref<?x$Hx$T>, %p: memref<?x$Kxi32>, %w: memref<?x$Kx$T>, %d: memref<?x$Hx$T>, %y: memref<?x$Hxf32>) {
  moe.combine_rows %x at %p weighted by %w dropped %d into %y
      : (memref<?x$Hx$T>, memref<?x$Kxi32>, memref<?x$Kx$T>, memref<?x$Hx$T>, memref<?x$Hxf32>) -> ()
  return
}
)";

namespace {

struct Float {
  using Element = float;
  static constexpr char name[] = "f32";
};
struct Brain {
  using Element = BF16;
  static constexpr char name[] = "bf16";
};
struct Half {
  using Element = _Float16;
  static constexpr char name[] = "f16";
};

template <typename Type> class RowsTest : public testing::Test {
protected:
  using Element = typename Type::Element;
  using Rows = Buffer<Element, 2>;
  using Places = Buffer<int32_t, 2>;

  static constexpr int64_t sizes[4][2] = {{64, 1}, {2048, 8}, {60, 2}, {7, 3}};

  static CompiledLoops &compile(int64_t h, int64_t k) {
    return CompiledLoops::get(module, {{"H", std::to_string(h)},
                                       {"K", std::to_string(k)},
                                       {"T", Type::name}});
  }

  template <typename T> void fill(Buffer<T, 2> &rows, uint32_t seed) {
    Random random(seed);
    for (T &value : rows) {
      value = static_cast<T>(random.level(1 << 20));
    }
  }

  /// A random place for each choice, -1 for one in five.
  int64_t fillPlaces(Places &position, uint32_t seed) {
    std::vector<int32_t> places(position.end() - position.begin());
    std::iota(places.begin(), places.end(), 0);
    Random random(seed);
    for (size_t i = places.size(); i > 1; --i) {
      std::swap(places[i - 1], places[random.below(i)]);
    }
    std::copy(places.begin(), places.end(), position.begin());
    for (int32_t &place : position) {
      place = random.below(5) == 0 ? -1 : place;
    }
    return places.size();
  }

  bool sameRow(Rows &a, int64_t i, Rows &b, int64_t j) {
    return std::memcmp(&a(i, 0), &b(j, 0), a.size(1) * sizeof(Element)) == 0;
  }
};

} // namespace

using Types = testing::Types<Float, Brain, Half>;
TYPED_TEST_SUITE(RowsTest, Types);

TYPED_TEST(RowsTest, SpreadCopiesEachTokenToItsPlaces) {
  for (auto [h, k] : this->sizes) {
    CompiledLoops &code = this->compile(h, k);
    for (int64_t tokens : {0, 1, 33}) {
      typename TestFixture::Rows x({tokens, h}), y({tokens * k, h}, 9),
          untouched({1, h}, 9);
      typename TestFixture::Places position({tokens, k});
      this->fill(x, 1);
      this->fillPlaces(position, 2);
      code.call("spread", x, position, y);
      std::vector<int64_t> source(tokens * k, -1);
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t j = 0; j < k; ++j) {
          if (position(t, j) >= 0) {
            source[position(t, j)] = t;
          }
        }
      }
      for (int64_t i = 0; i < tokens * k; ++i) {
        EXPECT_TRUE(source[i] < 0 ? this->sameRow(y, i, untouched, 0)
                                  : this->sameRow(y, i, x, source[i]));
      }
    }
  }
}

TYPED_TEST(RowsTest, PermuteMovesRowsAndBack) {
  for (auto [h, k] : this->sizes) {
    CompiledLoops &code = this->compile(h, k);
    for (int32_t count : {0, 1, 33}) {
      // More room than rows, as where the number of rows is only bounded.
      int64_t extent = count + 4;
      typename TestFixture::Rows x({extent, h}), y({extent, h}, 9),
          back({extent, h}, 9), untouched({1, h}, 9);
      Buffer<int32_t, 1> index({extent}, 1 << 30), offsets({3}, 0);
      offsets(1) = count / 2;
      offsets(2) = count;
      for (int32_t i = 0; i < count; ++i) {
        index(i) = (i * 7 + 3) % count;
      }
      this->fill(x, 3);
      code.call("permute", x, index, offsets, y);
      code.call("permute_back", y, index, offsets, back);
      for (int64_t i = 0; i < extent; ++i) {
        if (i < count) {
          EXPECT_TRUE(this->sameRow(y, index(i), x, i));
          EXPECT_TRUE(this->sameRow(back, i, x, i));
        } else {
          EXPECT_TRUE(this->sameRow(y, i, untouched, 0));
          EXPECT_TRUE(this->sameRow(back, i, untouched, 0));
        }
      }
    }
  }
}

TYPED_TEST(RowsTest, PermuteStaysInsideWhenOffsetsExceedTheRows) {
  CompiledLoops &code = this->compile(60, 2);
  typename TestFixture::Rows x({5, 60}), y({5, 60});
  Buffer<int32_t, 1> index({5}, 4), offsets({2}, 1000);
  // All rows go to one place.
  if (!CompiledCode::isOnDevice()) {
    code.call("permute", x, index, offsets, y);
  }
  code.call("permute_back", x, index, offsets, y);
}

TYPED_TEST(RowsTest, CombineSumsInTheOrderOfTheChoices) {
  for (auto [h, k] : this->sizes) {
    CompiledLoops &code = this->compile(h, k);
    for (int64_t tokens : {0, 1, 33}) {
      typename TestFixture::Places position({tokens, k});
      typename TestFixture::Rows x({this->fillPlaces(position, 4), h});
      Buffer<float, 2> weight({tokens, k}), y({tokens, h}, 9);
      this->fill(x, 5);
      this->fill(weight, 6);
      code.call("combine", x, position, weight, y);
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t i = 0; i < h; ++i) {
          float sum = 0;
          for (int64_t j = 0; j < k; ++j) {
            if (position(t, j) >= 0) {
              float product =
                  weight(t, j) * static_cast<float>(x(position(t, j), i));
              sum = sum + product;
            }
          }
          ASSERT_TRUE(sameBits(y(t, i), sum)) << t << " " << i;
        }
      }
    }
  }
}

TYPED_TEST(RowsTest, CombineAddsTheDroppedRow) {
  for (auto [h, k] : this->sizes) {
    CompiledLoops &code = this->compile(h, k);
    for (int64_t tokens : {0, 1, 33}) {
      typename TestFixture::Places position({tokens, k});
      typename TestFixture::Rows x({this->fillPlaces(position, 7), h}),
          dropped({tokens, h}), weight({tokens, k});
      Buffer<float, 2> y({tokens, h}, 9);
      this->fill(x, 8);
      this->fill(dropped, 9);
      this->fill(weight, 10);
      code.call("combine_dropped", x, position, weight, dropped, y);
      for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t i = 0; i < h; ++i) {
          float sum = 0;
          for (int64_t j = 0; j < k; ++j) {
            float row =
                position(t, j) >= 0 ? x(position(t, j), i) : dropped(t, i);
            float product = static_cast<float>(weight(t, j)) * row;
            sum = sum + product;
          }
          ASSERT_TRUE(sameBits(y(t, i), sum)) << t << " " << i;
        }
      }
    }
  }
}
