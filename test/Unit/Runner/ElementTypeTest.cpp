// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/ElementType.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APInt.h"

#include "gtest/gtest.h"

#include <cmath>
#include <vector>

using namespace moe::runner;

static float floatOf(uint32_t bits) { return llvm::bit_cast<float>(bits); }

/// What LLVM's own arithmetic makes of the value.
static uint16_t oracle(float value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool losesInfo = false;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

TEST(ElementType, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(ElementType::U64); ++i) {
    ElementType type = static_cast<ElementType>(i);
    EXPECT_EQ(elementTypeFromName(name(type)), type);
  }
  EXPECT_FALSE(elementTypeFromName("bf16"));
  EXPECT_EQ(bitWidth(ElementType::F4), 4u);
  EXPECT_FALSE(isReadable(ElementType::F8_E4M3));
  EXPECT_FALSE(isReadable(ElementType::F64));
}

TEST(ElementType, NarrowingMatchesAPFloat) {
  // All exponents and signs; mantissas at and around the ties of both types.
  std::vector<uint32_t> mantissas;
  for (uint32_t unit : {0u, 1u << 13, 1u << 14, 1u << 16, 0x7F0000u}) {
    for (int32_t tie : {0, 1 << 12, 1 << 15}) {
      for (int32_t delta : {-1, 0, 1}) {
        mantissas.push_back((unit + tie + delta) & 0x7FFFFF);
      }
    }
  }
  for (uint32_t top = 0; top < 512; ++top) {
    for (uint32_t mantissa : mantissas) {
      float value = floatOf((top << 23) | mantissa);
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(fromBF16(toBF16(value))));
        EXPECT_TRUE(std::isnan(fromF16(toF16(value))));
        continue;
      }
      EXPECT_EQ(toBF16(value), oracle(value, llvm::APFloat::BFloat())) << value;
      EXPECT_EQ(toF16(value), oracle(value, llvm::APFloat::IEEEhalf()))
          << value;
    }
  }
}

TEST(ElementType, WideningIsExact) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    uint16_t half = static_cast<uint16_t>(bits);
    if (!std::isnan(fromF16(half))) {
      EXPECT_EQ(toF16(fromF16(half)), half);
    }
    if (!std::isnan(fromBF16(half))) {
      EXPECT_EQ(toBF16(fromBF16(half)), half);
    }
  }
  EXPECT_EQ(fromF16(0x0001), 0x1p-24f);
  EXPECT_EQ(fromF16(0x7BFF), 65504.0f);
  EXPECT_EQ(fromBF16(0x3FC0), 1.5f);
}

TEST(ElementType, ConvertsBetweenAllReadableTypes) {
  const ElementType types[] = {ElementType::F32, ElementType::BF16,
                               ElementType::F16};
  std::vector<float> values = {0.0f, -1.5f, 0.25f, 192.0f, -0.0078125f};
  for (ElementType from : types) {
    for (ElementType to : types) {
      // One byte off: nothing may assume alignment.
      std::vector<char> source(5 * 4 + 1), destination(5 * 4 + 1);
      std::vector<float> back(5);
      convert(ElementType::F32, values.data(), from, source.data() + 1, 5);
      convert(from, source.data() + 1, to, destination.data() + 1, 5);
      convert(to, destination.data() + 1, ElementType::F32, back.data(), 5);
      EXPECT_EQ(back, values);
    }
  }
  convert(ElementType::F32, nullptr, ElementType::BF16, nullptr, 0);
}
