// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir::moe::test;

static constexpr float infinity = std::numeric_limits<float>::infinity();
static constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

static constexpr char module[] = R"(
func.func @select(%s: memref<?x$Exf32>, %e: memref<?x$Kxi32>, %w: memref<?x$Kxf32>) {
  moe.select top_k $K %s into %e, %w
      : (memref<?x$Exf32>, memref<?x$Kxi32>, memref<?x$Kxf32>) -> ()
  return
}
func.func @select_biased(%s: memref<?x$Exbf16>, %b: memref<$Exf32>, %n: memref<?x$Exf32>,
                         %e: memref<?x$Kxi32>, %w: memref<?x$Kxbf16>) {
  moe.select top_k $K %s biased by %b noised by %n into %e, %w
      : (memref<?x$Exbf16>, memref<$Exf32>, memref<?x$Exf32>, memref<?x$Kxi32>, memref<?x$Kxbf16>) -> ()
  return
}
)";

/// The k best of some scores: descending, ties by index, NaN as -inf.
static std::vector<int64_t> best(std::vector<float> scores, int64_t k) {
  for (float &score : scores) {
    score = score != score ? -infinity : score;
  }
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  order.resize(k);
  return order;
}

/// Scores with many ties, and some that are no numbers.
template <typename T> static void fillScores(T &scores, uint32_t seed) {
  Random random(seed);
  for (auto &score : scores) {
    float level = random.level(32);
    int64_t rare = random.below(64);
    score = rare == 0   ? notANumber
            : rare == 1 ? -infinity
            : rare == 2 ? -0.0f
                        : level;
  }
}

template <typename ScoreT>
static void expectChoices(Buffer<int32_t, 2> &expert, Buffer<ScoreT, 2> &score,
                          Buffer<ScoreT, 2> &scores, int64_t t,
                          const std::vector<int64_t> &expected) {
  for (int64_t j = 0; j < expert.size(1); ++j) {
    ASSERT_EQ(expert(t, j), expected[j]) << "token " << t << " choice " << j;
    EXPECT_TRUE(sameBits(score(t, j), scores(t, expected[j])));
  }
}

namespace {

struct Size {
  int64_t experts;
  int64_t k;
};

class SelectTest : public testing::TestWithParam<Size> {
protected:
  void expectTheBest(CompiledLoops &code);

  int64_t experts = GetParam().experts;
  int64_t k = GetParam().k;
  Numbers numbers{{"E", std::to_string(experts)}, {"K", std::to_string(k)}};
  CompiledLoops &code = CompiledLoops::get(module, numbers);
};

} // namespace

void SelectTest::expectTheBest(CompiledLoops &code) {
  for (int64_t tokens : {0, 1, 33}) {
    Buffer<float, 2> scores({tokens, experts}), score({tokens, k});
    Buffer<int32_t, 2> expert({tokens, k}, -7);
    fillScores(scores, 3);
    code.call("select", scores, expert, score);
    for (int64_t t = 0; t < tokens; ++t) {
      std::vector<float> row(&scores(t, 0), &scores(t, 0) + experts);
      expectChoices(expert, score, scores, t, best(row, k));
    }
  }
}

TEST_P(SelectTest, TakesTheBestWithTiesByIndex) { expectTheBest(code); }

TEST_P(SelectTest, TakesTheSameWithoutWideVectors) {
  expectTheBest(CompiledLoops::get(module, numbers, "x86-64"));
}

TEST_P(SelectTest, StaysAmongTheExpertsWithoutAnyNumber) {
  for (float value : {notANumber, -infinity, infinity, 0.0f}) {
    Buffer<float, 2> scores({2, experts}, value), score({2, k});
    Buffer<int32_t, 2> expert({2, k}, -7);
    code.call("select", scores, expert, score);
    for (int64_t j = 0; j < k; ++j) {
      EXPECT_EQ(expert(0, j), j);
      EXPECT_EQ(expert(1, j), j);
    }
  }
}

TEST_P(SelectTest, BiasAndNoiseChooseButDoNotScore) {
  int64_t tokens = 33;
  Buffer<BF16, 2> scores({tokens, experts}), score({tokens, k});
  Buffer<float, 2> noise({tokens, experts});
  Buffer<float, 1> bias({experts});
  Buffer<int32_t, 2> expert({tokens, k}, -7);
  fillScores(scores, 4);
  Random random(5);
  std::generate(bias.begin(), bias.end(), [&] { return random.level(1000); });
  std::generate(noise.begin(), noise.end(), [&] { return random.level(99); });
  code.call("select_biased", scores, bias, noise, expert, score);
  for (int64_t t = 0; t < tokens; ++t) {
    std::vector<float> row(experts);
    for (int64_t e = 0; e < experts; ++e) {
      row[e] = (static_cast<float>(scores(t, e)) + bias(e)) + noise(t, e);
    }
    expectChoices(expert, score, scores, t, best(row, k));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, SelectTest,
                         testing::Values(Size{8, 1}, Size{8, 2}, Size{8, 8},
                                         Size{60, 1}, Size{60, 2}, Size{60, 8},
                                         Size{256, 1}, Size{256, 2},
                                         Size{256, 8}),
                         [](const testing::TestParamInfo<Size> &info) {
                           return "E" + std::to_string(info.param.experts) +
                                  "K" + std::to_string(info.param.k);
                         });

namespace {

struct Limit {
  int64_t experts;
  int64_t groups;
  int64_t keep;
  /// 0: the largest.
  int64_t top;
  bool zero;
};

class GroupLimitTest : public testing::TestWithParam<Limit> {};

} // namespace

static std::vector<float> maskGroups(std::vector<float> row,
                                     const Limit &limit) {
  int64_t size = limit.experts / limit.groups;
  std::vector<float> groupScores;
  for (int64_t g = 0; g < limit.groups; ++g) {
    std::vector<float> group(row.begin() + g * size,
                             row.begin() + (g + 1) * size);
    float sum = 0;
    std::vector<int64_t> top = best(group, std::max<int64_t>(limit.top, 1));
    for (size_t i = 0; i < top.size(); ++i) {
      float value = std::isnan(group[top[i]]) ? -infinity : group[top[i]];
      sum = i == 0 ? value : sum + value;
    }
    groupScores.push_back(sum);
  }
  std::vector<int64_t> kept = best(groupScores, limit.keep);
  for (int64_t e = 0; e < limit.experts; ++e) {
    if (std::find(kept.begin(), kept.end(), e / size) == kept.end()) {
      row[e] = limit.zero ? 0 : -infinity;
    }
  }
  return row;
}

TEST_P(GroupLimitTest, TakesTheBestOfTheBestGroups) {
  const Limit &limit = GetParam();
  CompiledLoops &code = CompiledLoops::get(
      R"(
    func.func @select(%s: memref<?x$Exf32>, %b: memref<$Exf32>, %e: memref<?x6xi32>, %w: memref<?x6xf32>) {
      moe.select top_k 6 %s biased by %b
          limit <groups = $G, keep = $P, score = $F, mask = $M> into %e, %w
          : (memref<?x$Exf32>, memref<$Exf32>, memref<?x6xi32>, memref<?x6xf32>) -> ()
      return
    })",
      {{"E", std::to_string(limit.experts)},
       {"G", std::to_string(limit.groups)},
       {"P", std::to_string(limit.keep)},
       {"F",
        limit.top ? "sum_of_top, top = " + std::to_string(limit.top) : "max"},
       {"M", limit.zero ? "zero" : "negative_infinity"}});
  int64_t tokens = 65;
  Buffer<float, 2> scores({tokens, limit.experts}), score({tokens, 6});
  Buffer<float, 1> bias({limit.experts});
  Buffer<int32_t, 2> expert({tokens, 6}, -7);
  fillScores(scores, 6);
  Random random(8);
  std::generate(bias.begin(), bias.end(), [&] { return random.level(8); });
  // Tokens that like no expert: a score of zero is the best they have.
  for (int64_t t = 0; t < tokens; t += 3) {
    for (int64_t e = 0; e < limit.experts; ++e) {
      scores(t, e) = std::min(scores(t, e), -bias(e));
    }
  }
  code.call("select", scores, bias, expert, score);
  for (int64_t t = 0; t < tokens; ++t) {
    std::vector<float> row(limit.experts);
    for (int64_t e = 0; e < limit.experts; ++e) {
      row[e] = scores(t, e) + bias(e);
    }
    expectChoices(expert, score, scores, t, best(maskGroups(row, limit), 6));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Limits, GroupLimitTest,
    testing::Values(Limit{256, 8, 4, 2, true}, Limit{256, 8, 4, 2, false},
                    Limit{60, 6, 3, 0, true}, Limit{60, 6, 1, 0, false},
                    Limit{60, 6, 6, 0, false}, Limit{8, 4, 3, 1, false}));

TEST(SecondExpertTest, SamplingAppliesNoiseToTheSecondOnly) {
  CompiledLoops &code = CompiledLoops::get(R"(
    func.func @select(%s: memref<?x8xf32>, %n: memref<?x8xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>) {
      moe.select top_k 2 %s noised by %n second sampling into %e, %w
          : (memref<?x8xf32>, memref<?x8xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
      return
    })");
  Buffer<float, 2> scores({33, 8}), noise({33, 8}), score({33, 2});
  Buffer<int32_t, 2> expert({33, 2}, -7);
  fillScores(scores, 9);
  fillScores(noise, 10);
  std::fill(&scores(5, 0), &scores(6, 0), notANumber);
  code.call("select", scores, noise, expert, score);
  for (int64_t t = 0; t < 33; ++t) {
    std::vector<float> row(&scores(t, 0), &scores(t, 0) + 8);
    int64_t first = best(row, 1)[0];
    for (int64_t e = 0; e < 8; ++e) {
      row[e] += noise(t, e);
    }
    std::vector<int64_t> noised = best(row, 8);
    noised.erase(std::find(noised.begin(), noised.end(), first));
    expectChoices(expert, score, scores, t, {first, noised[0]});
  }
}

TEST(SecondExpertTest, RandomKeepsTheSecondInProportionToItsScore) {
  CompiledLoops &code = CompiledLoops::get(R"(
    func.func @select(%s: memref<?x8xf32>, %r: memref<?xf32>, %e: memref<?x2xi32>, %w: memref<?x2xf32>) {
      moe.select top_k 2 %s second random random %r into %e, %w
          : (memref<?x8xf32>, memref<?xf32>, memref<?x2xi32>, memref<?x2xf32>) -> ()
      return
    })");
  Buffer<float, 2> scores({33, 8}), score({33, 2});
  Buffer<float, 1> random({33});
  Buffer<int32_t, 2> expert({33, 2}, -7);
  Random numbers(11);
  std::generate(scores.begin(), scores.end(),
                [&] { return numbers.level(8) / 4 + 0.25f; });
  std::generate(random.begin(), random.end(),
                [&] { return numbers.level(8) / 2 + 0.5f; });
  std::fill(&scores(7, 0), &scores(8, 0), notANumber);
  code.call("select", scores, random, expert, score);
  int64_t dropped = 0;
  for (int64_t t = 0; t < 33; ++t) {
    std::vector<float> row(&scores(t, 0), &scores(t, 0) + 8);
    std::vector<int64_t> two = best(row, 2);
    bool keeps = 2 * row[two[1]] > random(t);
    EXPECT_EQ(expert(t, 0), two[0]);
    EXPECT_EQ(expert(t, 1), keeps ? two[1] : -1);
    EXPECT_TRUE(sameBits(score(t, 1), keeps ? row[two[1]] : 0));
    dropped += !keeps;
  }
  EXPECT_GT(dropped, 3);
  EXPECT_LT(dropped, 30);
}
