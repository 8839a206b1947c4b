// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NumberFormatsTest.cpp ----------------------------------------------===//

#include "core/NumberFormats.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace moert;

template <typename Format> static void expectRoundTrip(uint32_t patterns) {
  for (uint32_t bits = 0; bits < patterns; ++bits) {
    auto stored = static_cast<typename Format::Storage>(bits);
    float value = Format::load(stored);
    auto again = Format::store(value);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Format::load(again))) << bits;
    } else {
      EXPECT_EQ(again, stored) << bits;
    }
  }
}

TEST(NumberFormatsTest, EveryPatternSurvivesTheWayThroughF32) {
  expectRoundTrip<BF16>(1 << 16);
  expectRoundTrip<F16>(1 << 16);
  expectRoundTrip<F8E4M3>(1 << 8);
  expectRoundTrip<F8E5M2>(1 << 8);
}

/// Between two neighbours: the middle goes to the even one, anything beyond it
/// to the nearer one.
template <typename Format> static void expectNearestEven(uint32_t patterns) {
  using Storage = typename Format::Storage;
  for (uint32_t bits = 0; bits + 1 < patterns; ++bits) {
    float low = Format::load(Storage(bits));
    float high = Format::load(Storage(bits + 1));
    if (!std::isfinite(low) || !std::isfinite(high)) {
      continue;
    }
    float middle = low + (high - low) / 2;
    Storage even = Storage(bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(Format::store(middle), even) << bits;
    EXPECT_EQ(Format::store(std::nextafter(middle, low)), Storage(bits));
    EXPECT_EQ(Format::store(std::nextafter(middle, high)), Storage(bits + 1));
    EXPECT_EQ(Format::load(Format::store(-middle)),
              -Format::load(Format::store(middle)));
  }
}

TEST(NumberFormatsTest, RoundsToNearestEven) {
  expectNearestEven<BF16>(1 << 15);
  expectNearestEven<F16>(1 << 15);
  expectNearestEven<F8E4M3>(1 << 7);
  expectNearestEven<F8E5M2>(1 << 7);
}

TEST(NumberFormatsTest, Overflow) {
  EXPECT_EQ(F16::load(F16::store(65504.0f)), 65504.0f);
  EXPECT_EQ(F16::load(F16::store(65520.0f)), INFINITY);
  EXPECT_EQ(F8E5M2::load(F8E5M2::store(57344.0f)), 57344.0f);
  EXPECT_EQ(F8E5M2::load(F8E5M2::store(-61440.0f)), -INFINITY);
  EXPECT_EQ(F8E4M3::load(F8E4M3::store(448.0f)), 448.0f);
  EXPECT_TRUE(std::isnan(F8E4M3::load(F8E4M3::store(465.0f))));
  EXPECT_TRUE(std::isnan(F8E4M3::load(F8E4M3::store(INFINITY))));
  EXPECT_EQ(BF16::load(BF16::store(3.4e38f)), INFINITY);
}

TEST(NumberFormatsTest, KnownValues) {
  EXPECT_EQ(F16::store(1.0f), 0x3c00);
  EXPECT_EQ(F16::load(0x0001), std::ldexp(1.0f, -24));
  EXPECT_EQ(F8E4M3::store(1.0f), 0x38);
  EXPECT_EQ(F8E4M3::load(0x01), std::ldexp(1.0f, -9));
  EXPECT_EQ(F8E5M2::store(-2.0f), 0xc0);
  EXPECT_EQ(F8E5M2::load(0x01), std::ldexp(1.0f, -16));
  EXPECT_EQ(BF16::store(-1.0f), 0xbf80);
}
