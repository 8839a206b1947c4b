// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constants were computed with Python's integers from the formula of
// docs/RandomData.md; test/Reference/test_random_data.py pins the same ones.
#include "moe/Runner/RandomTensor.h"

#include "llvm/ADT/bit.h"

#include "gtest/gtest.h"

#include <vector>

using namespace moe::runner;

static uint32_t bitsOf(float value) { return llvm::bit_cast<uint32_t>(value); }

TEST(RandomTensor, MatrixMatchesFormula) {
  RandomTensor gate("model.layers.0.mlp.gate.weight", 0, {8, 64});
  EXPECT_EQ(gate.bits(0), 0x044F1ED0E851406Cu);
  EXPECT_EQ(gate.bits(1), 0x7F3E146D60180C94u);
  EXPECT_EQ(bitsOf(gate.value(0)), 0xBE563D2Fu);
  EXPECT_EQ(bitsOf(gate.value(1)), 0xBAA7F0F7u);
  EXPECT_EQ(bitsOf(gate.value(511)), 0x3D958302u);
  RandomTensor expert("model.layers.3.mlp.experts.7.gate_proj.weight", 42,
                      {48, 96});
  EXPECT_EQ(bitsOf(expert.value(0)), 0x3DE3F72Eu);
  EXPECT_EQ(bitsOf(expert.value(4607)), 0xBE24B1FAu);
}

TEST(RandomTensor, VectorMatchesFormula) {
  RandomTensor norm("model.layers.0.input_layernorm.weight", 0, {64});
  EXPECT_EQ(bitsOf(norm.value(0)), 0x3F7845E2u);
  EXPECT_EQ(bitsOf(norm.value(63)), 0x3F853CCBu);
  RandomTensor bias("model.layers.1.mlp.gate.e_score_correction_bias", ~0ull,
                    {32});
  EXPECT_EQ(bitsOf(bias.value(0)), 0xBD500A20u);
  EXPECT_EQ(bitsOf(bias.value(31)), 0xBDE7554Cu);
}

TEST(RandomTensor, TokensMatchFormula) {
  RandomTensor tokens = RandomTensor::tokens(7);
  EXPECT_EQ(bitsOf(tokens.value(0)), 0xBFD2154Eu);
  EXPECT_EQ(bitsOf(tokens.value(831)), 0xBFD3597Fu);
}

TEST(RandomTensor, FillMatchesValue) {
  RandomTensor tensor("w", 3, {70, 43});
  // Beyond one internal chunk, from an odd beginning, to an unaligned place.
  const int64_t first = 5, count = 3000;
  std::vector<char> bytes(count * 4 + 1);
  for (ElementType type :
       {ElementType::F32, ElementType::BF16, ElementType::F16}) {
    tensor.fill(first, count, type, bytes.data() + 1);
    std::vector<float> values(count);
    convert(type, bytes.data() + 1, ElementType::F32, values.data(), count);
    for (int64_t i = 0; i < count; ++i) {
      float expected = tensor.value(first + i);
      if (type == ElementType::BF16) {
        expected = fromBF16(toBF16(expected));
      } else if (type == ElementType::F16) {
        expected = fromF16(toF16(expected));
      }
      ASSERT_EQ(bitsOf(values[i]), bitsOf(expected)) << name(type).str() << i;
    }
  }
}

TEST(RandomTensor, ValuesHaveTheStatedSpread) {
  const int64_t count = 64 * 1024;
  RandomTensor tensor("w", 1, {64, 1024});
  std::vector<float> values(count);
  tensor.fill(0, count, ElementType::F32, values.data());
  double sum = 0, squares = 0;
  for (float value : values) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  EXPECT_NEAR(sum / count, 0.0, 1e-3);
  EXPECT_NEAR(squares / count * 1024, 1.0, 0.02);
}
