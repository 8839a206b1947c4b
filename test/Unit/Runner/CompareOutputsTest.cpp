// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/CompareOutputs.h"

#include <gtest/gtest.h>

#include <limits>

using namespace moe::runner;

/// One output of rows of two.
static ProgramResult resultOf(const std::vector<float> &values,
                              ElementType type) {
  auto rows = static_cast<int64_t>(values.size() / 2);
  ProgramResult result;
  result.outputs.push_back(TokenArray::fromFloats(values, rows, 2, type));
  return result;
}

static std::optional<Difference> compared(const std::vector<float> &expected,
                                          const std::vector<float> &values,
                                          ElementType type = ElementType::F32) {
  return compareGivenRouting(resultOf(expected, type), resultOf(values, type));
}

TEST(CompareGivenRouting, F32IsHeldToTheLargestMagnitudeOfItsRow) {
  // 4e-5 in the first row, 1e-5 in the second.
  EXPECT_FALSE(compared({-4, 0.5f, 1, 1}, {-4, 0.50003f, 1, 1}));
  EXPECT_FALSE(compared({-4, 0.5f, 1, 1}, {-4, 0.5f, 1, 1.000005f}));
  EXPECT_TRUE(compared({-4, 0.5f, 1, 1}, {-4, 0.50006f, 1, 1}));
  std::optional<Difference> difference =
      compared({-4, 0.5f, 1, 1}, {-4, 0.5f, 1, 1.00003f});
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->token, 1);
  EXPECT_EQ(difference->column, 1);
  EXPECT_EQ(difference->count, 1);
  EXPECT_EQ(difference->total, 4);
}

TEST(CompareGivenRouting, BF16IsHeldToTwoUnitsInTheLastPlaceOfIt) {
  // In the last place of 3: 2^-6. The smaller element's own are a half of it.
  EXPECT_FALSE(compared({3, 1}, {3, 1.03125f}, ElementType::BF16));
  EXPECT_TRUE(compared({3, 1}, {3, 1.0390625f}, ElementType::BF16));
}

TEST(CompareGivenRouting, NothingIsNearToZerosOrNotANumber) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(compared({0, 0}, {0, -0.0f}));
  EXPECT_TRUE(compared({0, 0}, {0, 1e-30f}));
  EXPECT_TRUE(compared({0, 1}, {nan, 1}));
}
