// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"

#include <cmath>
#include <limits>

using namespace mlir::moe::test;

static constexpr char module[] = R"(
func.func @softmax(%z: memref<?x$Exf32>, %s: memref<?x$Exf32>) {
  moe.score softmax %z into %s : (memref<?x$Exf32>, memref<?x$Exf32>) -> ()
  return
}
func.func @softmax_bf16(%z: memref<?x$Exbf16>, %s: memref<?x$Exbf16>) {
  moe.score softmax %z into %s : (memref<?x$Exbf16>, memref<?x$Exbf16>) -> ()
  return
}
func.func @sigmoid(%z: memref<?x$Exf32>, %s: memref<?x$Exf32>) {
  moe.score sigmoid %z into %s : (memref<?x$Exf32>, memref<?x$Exf32>) -> ()
  return
}
func.func @sqrt_softplus(%z: memref<?x$Exbf16>, %s: memref<?x$Exf32>) {
  moe.score sqrt_softplus %z into %s : (memref<?x$Exbf16>, memref<?x$Exf32>) -> ()
  return
}
func.func @identity(%z: memref<?x$Exbf16>, %s: memref<?x$Exf32>) {
  moe.score identity %z into %s : (memref<?x$Exbf16>, memref<?x$Exf32>) -> ()
  return
}
)";

template <typename T>
static std::vector<double> softmax(T *z, int64_t experts) {
  double max = -std::numeric_limits<double>::infinity();
  for (int64_t e = 0; e < experts; ++e) {
    max = std::fmax(max, static_cast<float>(z[e]));
  }
  std::vector<double> scores(experts);
  double sum = 0;
  for (int64_t e = 0; e < experts; ++e) {
    sum += scores[e] =
        std::exp(static_cast<double>(static_cast<float>(z[e])) - max);
  }
  for (double &score : scores) {
    score /= sum;
  }
  return scores;
}

namespace {

class ScoreTest : public testing::TestWithParam<int64_t> {
protected:
  int64_t experts = GetParam();
  CompiledLoops &code =
      CompiledLoops::get(module, {{"E", std::to_string(experts)}});
};

} // namespace

template <typename T> static void fillLogits(T &z, float size) {
  Random random(7);
  for (auto &value : z) {
    value = random.level(1 << 20) * size;
  }
}

TEST_P(ScoreTest, SoftmaxIsNearTheExactOne) {
  for (int64_t tokens : {0, 1, 33}) {
    Buffer<float, 2> z({tokens, experts}), s({tokens, experts});
    fillLogits(z, 12);
    code.call("softmax", z, s);
    for (int64_t t = 0; t < tokens; ++t) {
      std::vector<double> expected = softmax(&z(t, 0), experts);
      for (int64_t e = 0; e < experts; ++e) {
        EXPECT_NEAR(s(t, e), expected[e], 2e-6 * expected[e]) << t << " " << e;
      }
    }
  }
}

TEST_P(ScoreTest, SoftmaxOfNaNIsNaNInItsTokenOnly) {
  Buffer<float, 2> z({3, experts}), s({3, experts});
  fillLogits(z, 3);
  z(1, experts / 2) = std::numeric_limits<float>::quiet_NaN();
  code.call("softmax", z, s);
  for (int64_t e = 0; e < experts; ++e) {
    EXPECT_FALSE(std::isnan(s(0, e)));
    EXPECT_TRUE(std::isnan(s(1, e)));
    EXPECT_FALSE(std::isnan(s(2, e)));
  }
}

TEST_P(ScoreTest, HalfPrecisionIsRoundedOnceAtTheEnd) {
  Buffer<BF16, 2> z({5, experts}), s({5, experts});
  fillLogits(z, 4);
  code.call("softmax_bf16", z, s);
  for (int64_t t = 0; t < 5; ++t) {
    std::vector<double> expected = softmax(&z(t, 0), experts);
    for (int64_t e = 0; e < experts; ++e) {
      // Half a unit in the last of 8 bits, and the error before rounding.
      EXPECT_NEAR(s(t, e), expected[e], (1.0 / 256 + 4e-6) * expected[e]);
    }
  }
}

TEST_P(ScoreTest, SigmoidIsNearTheExactOne) {
  Buffer<float, 2> z({4, experts}), s({4, experts});
  fillLogits(z, 20);
  z(0, 0) = -200;
  z(1, 0) = 200;
  code.call("sigmoid", z, s);
  for (int64_t t = 0; t < 4; ++t) {
    for (int64_t e = 0; e < experts; ++e) {
      double expected = 1 / (1 + std::exp(-static_cast<double>(z(t, e))));
      EXPECT_NEAR(s(t, e), expected, 2e-6 * expected + 1e-37);
    }
  }
}

TEST_P(ScoreTest, SqrtSoftplusDoesNotOverflow) {
  Buffer<BF16, 2> z({4, experts});
  Buffer<float, 2> s({4, experts});
  fillLogits(z, 16);
  z(0, 0) = 1000;
  code.call("sqrt_softplus", z, s);
  for (int64_t t = 0; t < 4; ++t) {
    for (int64_t e = 0; e < experts; ++e) {
      double logit = static_cast<float>(z(t, e));
      double expected = std::sqrt(std::fmax(logit, 0) +
                                  std::log1p(std::exp(-std::fabs(logit))));
      EXPECT_NEAR(s(t, e), expected, 2e-6 * expected);
    }
  }
}

TEST_P(ScoreTest, IdentityExtends) {
  Buffer<BF16, 2> z({2, experts});
  Buffer<float, 2> s({2, experts});
  fillLogits(z, 16);
  code.call("identity", z, s);
  EXPECT_TRUE(std::equal(z.begin(), z.end(), s.begin()));
}

INSTANTIATE_TEST_SUITE_P(Experts, ScoreTest, testing::Values(8, 60, 256));
