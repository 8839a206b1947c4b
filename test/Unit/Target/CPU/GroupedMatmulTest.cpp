// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledMatmul.h"

#include "gtest/gtest.h"

#include <cmath>
#include <map>

using namespace mlir::moe;
using namespace mlir::moe::test;

namespace {
struct Case {
  std::string target;
  bool bf16Input;
  bool bf16Output;
};
} // namespace

static std::vector<Case> allCases() {
  std::vector<Case> cases;
  for (const std::string &target : runnableTargets()) {
    cases.push_back({target, false, false});
    cases.push_back({target, true, true});
    cases.push_back({target, true, false});
  }
  return cases;
}

static std::string caseName(const testing::TestParamInfo<Case> &info) {
  std::string name = info.param.target;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + (info.param.bf16Input ? "_bf16" : "_f32") +
         (info.param.bf16Output ? "_bf16" : "_f32");
}

/// One element in the order that is promised: k ascending, one chain.
static float sumInOrder(const CPUTarget &target, const Numbers &rows,
                        int64_t row, const Numbers &b, int64_t column,
                        const Shape &shape) {
  float sum = 0;
  for (int64_t k = 0; k < shape.k; ++k) {
    float x = rows.get(row * shape.k + k);
    float y = b.get(k * shape.n + column);
    if (target.hasFMA) {
      sum = std::fma(x, y, sum);
    } else {
      volatile float product = x * y;
      sum = sum + product;
    }
  }
  return sum;
}

namespace {
class GroupedMatmulTest : public testing::TestWithParam<Case> {
protected:
  CPUTarget target = llvm::cantFail(CPUTarget::parse(GetParam().target));
  Shape cutShape = shapeOf(67, 95);

  Shape shapeOf(int64_t k, int64_t n, int64_t weights = 1) {
    return {k, n, GetParam().bf16Input, GetParam().bf16Output, weights};
  }
  /// A product of odd k and with a cut panel; compiled once for all tests.
  CompiledMatmul &cutMatmul() {
    static std::map<std::string, std::unique_ptr<CompiledMatmul>> compiled;
    const Case &c = GetParam();
    std::unique_ptr<CompiledMatmul> &matmul =
        compiled[c.target + (c.bf16Input ? " bf16" : " f32") +
                 (c.bf16Output ? " bf16" : " f32")];
    if (!matmul) {
      matmul = std::make_unique<CompiledMatmul>(cutShape, target);
    }
    return *matmul;
  }
  Numbers weights(const Shape &shape, uint32_t seed) {
    return Numbers::random(shape.bf16Input, shape.k * shape.n, seed);
  }
  Numbers rows(const Shape &shape, int64_t count) {
    return Numbers::random(shape.bf16Input, count * shape.k, 7);
  }
  /// Whether the sums must agree with `sumInOrder` to the bit: a dot product
  /// instruction adds in pairs.
  bool isExact() const { return !(GetParam().bf16Input && target.hasBF16Dot); }
  void expectEqual(float got, float want, int64_t row, int64_t column) {
    if (isExact()) {
      ASSERT_EQ(got, want) << "row " << row << " column " << column;
    } else {
      float tolerance = GetParam().bf16Output ? 1.0f / 128 : 1e-5f;
      ASSERT_NEAR(got, want, tolerance * std::max(1.0f, std::fabs(want)))
          << "row " << row << " column " << column;
    }
  }
  float rounded(float value) const {
    return GetParam().bf16Output ? widen(roundToBF16(value)) : value;
  }
};
} // namespace

TEST_P(GroupedMatmulTest, AgreesWithPlainLoop) {
  // Groups that are empty (two without weights) in front, between and at the
  // end.
  const Shape &shape = cutShape;
  CompiledMatmul &matmul = cutMatmul();
  Numbers b0 = weights(shape, 1), b1 = weights(shape, 2);
  matmul.setWeights(0, {nullptr, &b0, nullptr, &b1, &b0});
  std::vector<int32_t> offsets = {0, 0, 13, 13, 22, 22};
  Numbers a = rows(shape, 22);
  Numbers out = matmul.run(a, offsets);
  for (int64_t row = 0; row < 22; ++row) {
    for (int64_t column = 0; column < shape.n; ++column) {
      float want =
          sumInOrder(target, a, row, row < 13 ? b0 : b1, column, shape);
      expectEqual(out.get(row * shape.n + column), rounded(want), row, column);
    }
  }
}

TEST_P(GroupedMatmulTest, RowsDoNotDependOnTheirNumber) {
  constexpr int64_t most = 40;
  const Shape &shape = cutShape;
  CompiledMatmul &matmul = cutMatmul();
  Numbers b = weights(shape, 3);
  matmul.setWeights(0, {nullptr, &b});
  Numbers a = rows(shape, most);
  int64_t rowBytes = shape.k * a.elementBytes();
  std::vector<Numbers> alone;
  for (int64_t row = 0; row < most; ++row) {
    Numbers one(shape.bf16Input, shape.k);
    std::memcpy(one.data(), a.data() + row * rowBytes, rowBytes);
    alone.push_back(matmul.run(one, {0, 0, 1}));
  }
  for (int32_t m = 0; m <= most; ++m) {
    Numbers together = matmul.run(a, {0, 0, m});
    int64_t outBytes = shape.n * together.elementBytes();
    for (int64_t row = 0; row < m; ++row) {
      ASSERT_EQ(std::memcmp(together.data() + row * outBytes, alone[row].data(),
                            outBytes),
                0)
          << "row " << row << " of " << m;
    }
  }
}

TEST_P(GroupedMatmulTest, ChunksOfManyRowsAgree) {
  // More rows than one chunk keeps in L2: k is large.
  Shape shape = shapeOf(4096, 64);
  CompiledMatmul matmul(shape, target);
  Numbers b = weights(shape, 4);
  matmul.setWeights(0, {&b});
  Numbers a = rows(shape, 150);
  Numbers all = matmul.run(a, {0, 150});
  for (int64_t row : {0, 47, 48, 95, 96, 149}) {
    Numbers one(shape.bf16Input, shape.k);
    int64_t rowBytes = shape.k * a.elementBytes();
    std::memcpy(one.data(), a.data() + row * rowBytes, rowBytes);
    Numbers alone = matmul.run(one, {0, 1});
    int64_t outBytes = shape.n * all.elementBytes();
    ASSERT_EQ(std::memcmp(all.data() + row * outBytes, alone.data(), outBytes),
              0)
        << "row " << row;
  }
}

TEST_P(GroupedMatmulTest, PanelRangesMakeTheWhole) {
  const Shape &shape = cutShape;
  CompiledMatmul &matmul = cutMatmul();
  Numbers b = weights(shape, 5);
  matmul.setWeights(0, {&b});
  Numbers a = rows(shape, 9);
  Numbers whole = matmul.run(a, {0, 9});
  Numbers pieces(shape.bf16Output, 9 * shape.n);
  for (int64_t panel = matmul.panels(); panel-- > 0;) {
    matmul.run(a, {0, 9}, {panel, panel + 1}, pieces);
  }
  for (int64_t i = 0; i < 9 * shape.n; ++i) {
    ASSERT_EQ(pieces.get(i), whole.get(i)) << "element " << i;
  }
}

TEST_P(GroupedMatmulTest, RowsBeyondTheLastOffsetStay) {
  const Shape &shape = cutShape;
  CompiledMatmul &matmul = cutMatmul();
  Numbers b = weights(shape, 6);
  matmul.setWeights(0, {&b});
  Numbers a = rows(shape, 9);
  Numbers out(shape.bf16Output, 9 * shape.n);
  for (int64_t i = 0; i < 9 * shape.n; ++i) {
    out.set(i, 42.0f);
  }
  matmul.run(a, {0, 5}, {0, matmul.panels()}, out);
  EXPECT_NE(out.get(5 * shape.n - 1), 42.0f);
  for (int64_t i = 5 * shape.n; i < 9 * shape.n; ++i) {
    ASSERT_EQ(out.get(i), 42.0f) << "element " << i;
  }
}

TEST_P(GroupedMatmulTest, FusesGateAndUp) {
  Shape shape = shapeOf(33, 45, /*weights=*/2);
  std::string text = R"(
    %one = arith.constant 1.0 : f32
    %negative = arith.negf %a0 : f32
    %e = math.exp %negative : f32
    %d = arith.addf %e, %one : f32
    %silu = arith.divf %a0, %d : f32
    %h = arith.mulf %silu, %a1 : f32
  )";
  text += GetParam().bf16Output
              ? "%r = arith.truncf %h : f32 to bf16 return %r : bf16"
              : "return %h : f32";
  CompiledMatmul matmul(shape, target, text);
  Numbers gate = weights(shape, 8), up = weights(shape, 9);
  matmul.setWeights(0, {&gate});
  matmul.setWeights(1, {&up});
  Numbers a = rows(shape, 17);
  Numbers out = matmul.run(a, {0, 17});
  for (int64_t row = 0; row < 17; ++row) {
    for (int64_t column = 0; column < shape.n; ++column) {
      float g = sumInOrder(target, a, row, gate, column, shape);
      float u = sumInOrder(target, a, row, up, column, shape);
      float want = g / (1.0f + std::exp(-g)) * u;
      float tolerance = GetParam().bf16Output ? 1.0f / 128 : 2e-6f;
      ASSERT_NEAR(out.get(row * shape.n + column), want,
                  tolerance * std::max(1.0f, std::fabs(want)))
          << "row " << row << " column " << column;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, GroupedMatmulTest,
                         testing::ValuesIn(allCases()), caseName);
