// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"

#include <algorithm>
#include <cmath>

using namespace mlir::moe::test;

// The compiler of this test must not fuse what the formulas keep apart.
#pragma STDC FP_CONTRACT OFF

static constexpr char module[] = R"(
func.func @weigh(%s: memref<?x$Kxf32>, %w: memref<?x$Kxf32>) {
  moe.weigh $how %s into %w $options : (memref<?x$Kxf32>, memref<?x$Kxf32>) -> ()
  return
}
func.func @weigh_bf16(%s: memref<?x$Kxbf16>, %w: memref<?x$Kxbf16>) {
  moe.weigh $how %s into %w $options : (memref<?x$Kxbf16>, memref<?x$Kxbf16>) -> ()
  return
}
)";

namespace {

class WeighTest : public testing::TestWithParam<int64_t> {
protected:
  /// Weighs 33 tokens' scores, f32 and bf16, and compares: `expected` turns the
  /// scores of one token into its weights.
  template <typename F>
  void compare(std::string how, std::string options, F expected,
               float tolerance = 0) {
    CompiledLoops &code = CompiledLoops::get(
        module, {{"K", std::to_string(k)}, {"how", how}, {"options", options}});
    compare<float>(code, "weigh", expected, tolerance);
    compare<BF16>(code, "weigh_bf16", expected, tolerance);
  }

  int64_t k = GetParam();

private:
  template <typename T, typename F>
  void compare(CompiledLoops &code, const char *name, F expected,
               float tolerance) {
    for (int64_t tokens : {0, 1, 33}) {
      Buffer<T, 2> scores({tokens, k}), weights({tokens, k});
      Random random(k);
      std::generate(scores.begin(), scores.end(),
                    [&] { return random.level(1 << 16); });
      code.call(name, scores, weights);
      for (int64_t t = 0; t < tokens; ++t) {
        std::vector<float> row(&scores(t, 0), &scores(t, 0) + k);
        expected(row);
        for (int64_t j = 0; j < k; ++j) {
          float want = T(row[j]);
          float got = weights(t, j);
          float unit = std::is_same_v<T, float> ? 0 : 1.0f / 128;
          EXPECT_TRUE(
              sameBits(got, want) ||
              (tolerance > 0 &&
               std::fabs(got - want) <= (tolerance + unit) * std::fabs(want)))
              << name << " " << t << " " << j << ": " << got << " " << want;
        }
      }
    }
  }
};

} // namespace

static float sumOf(const std::vector<float> &row) {
  float sum = 0;
  for (float value : row) {
    sum += value;
  }
  return sum;
}

TEST_P(WeighTest, None) {
  compare("none", "", [](std::vector<float> &) {});
}

TEST_P(WeighTest, NoneScaled) {
  compare("none", "scale 2.827", [](std::vector<float> &row) {
    for (float &value : row) {
      value *= 2.827f;
    }
  });
}

TEST_P(WeighTest, SumLeftToRightThenScaled) {
  compare("sum", "epsilon 1.0e-20 scale 2.5", [](std::vector<float> &row) {
    float sum = sumOf(row) + 1e-20f;
    for (float &value : row) {
      value = value / sum * 2.5f;
    }
  });
}

TEST_P(WeighTest, ClampedSum) {
  compare("clamped_sum", "epsilon 0.5", [](std::vector<float> &row) {
    float sum = std::max(sumOf(row), 0.5f);
    for (float &value : row) {
      value /= sum;
    }
  });
}

template <typename F>
static void divideByNorm(std::vector<float> &row, F norm) {
  float by = norm(row);
  for (float &value : row) {
    value /= by;
  }
}

TEST_P(WeighTest, FirstNorm) {
  compare("p_norm", "p 1.0", [](std::vector<float> &row) {
    divideByNorm(row, [](std::vector<float> sizes) {
      for (float &value : sizes) {
        value = std::fabs(value);
      }
      return sumOf(sizes);
    });
  });
}

TEST_P(WeighTest, SecondNorm) {
  compare("p_norm", "p 2.0", [](std::vector<float> &row) {
    divideByNorm(row, [](std::vector<float> squares) {
      for (float &value : squares) {
        value *= value;
      }
      return std::sqrt(sumOf(squares));
    });
  });
}

TEST_P(WeighTest, ThirdNorm) {
  if (CompiledCode::isOnDevice()) {
    GTEST_SKIP() << "devices have no powers";
  }
  auto third = [](std::vector<float> &row) {
    divideByNorm(row, [](const std::vector<float> &values) {
      double sum = 0;
      for (double value : values) {
        sum += std::fabs(value * value * value);
      }
      return std::cbrt(sum);
    });
  };
  compare("p_norm", "p 3.0", third, 2e-6f);
}

TEST_P(WeighTest, Softmax) {
  auto softmax = [](std::vector<float> &row) {
    double sum = 0;
    for (float value : row) {
      sum += std::exp(static_cast<double>(value));
    }
    for (float &value : row) {
      value = static_cast<float>(std::exp(static_cast<double>(value)) / sum);
    }
  };
  compare("softmax", "", softmax, 2e-6f);
}

INSTANTIATE_TEST_SUITE_P(Choices, WeighTest, testing::Values(1, 6, 8));
