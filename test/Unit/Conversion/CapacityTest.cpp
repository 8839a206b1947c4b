// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"

#include <algorithm>
#include <cmath>

using namespace mlir::moe::test;

static constexpr char module[] = R"(
func.func @limit(%e: memref<?x3xi32>, %k: memref<?x3xi32>) {
  moe.limit_capacity %e into %k group $G capacity $C order $O experts 8
      : (memref<?x3xi32>, memref<?x3xi32>) -> ()
  return
}
func.func @count(%e: memref<?x3xi32>, %first: index, %tokens: index, %c: memref<?x3x8xi32>) {
  moe.count_choices %e from_token %first tokens %tokens into %c group $G experts 8
      : (memref<?x3xi32>, index, index, memref<?x3x8xi32>) -> ()
  return
}
func.func @limit_part(%e: memref<?x3xi32>, %taken: memref<?x?x3x8xi32>, %first: index,
                 %tokens: index, %rank: index, %k: memref<?x3xi32>) {
  moe.limit_capacity %e taken %taken from_token %first tokens %tokens rank %rank into %k
      group $G capacity $C order $O experts 8
      : (memref<?x3xi32>, memref<?x?x3x8xi32>, index, index, index, memref<?x3xi32>) -> ()
  return
}
func.func @renormalize(%e: memref<?x3xi32>, %w: memref<?x3xf32>, %k: memref<?x3xi32>, %n: memref<?x3xf32>) {
  moe.limit_capacity %e weight %w into %k, %n group $G capacity $C order $O experts 8 renormalize
      : (memref<?x3xi32>, memref<?x3xf32>, memref<?x3xi32>, memref<?x3xf32>) -> ()
  return
}
)";

namespace {

constexpr int64_t experts = 8;
constexpr int64_t choices = 3;

struct Limit {
  const char *group;
  /// Tokens of a group; 0: all.
  int64_t size;
  const char *capacity;
  int64_t (*capacityOf)(int64_t tokens);
  bool survivors;
};

using Choices = Buffer<int32_t, 2>;

class CapacityTest : public testing::TestWithParam<Limit> {
protected:
  Limit limit = GetParam();
  CompiledLoops &code = CompiledLoops::get(
      module,
      {{"G", limit.group},
       {"C", limit.capacity},
       {"O", limit.survivors ? "survivors_then_token" : "choice_then_token"}});

  /// Distinct random experts for each token, or none.
  void fillChoices(Choices &expert) {
    Random random(limit.size + 3);
    for (int64_t t = 0; t < expert.size(0); ++t) {
      int64_t first = random.below(experts);
      for (int64_t j = 0; j < choices; ++j) {
        // Low experts are chosen more often.
        int64_t chosen = (first * first / experts + 3 * j) % experts;
        expert(t, j) = random.below(7) == 0 ? -1 : chosen;
      }
    }
  }

  /// What survives, by the definition: each assignment counts those before it.
  std::vector<int32_t> expected(Choices &expert) {
    int64_t tokens = expert.size(0);
    int64_t size = limit.size ? limit.size : std::max<int64_t>(tokens, 1);
    std::vector<int32_t> kept(tokens * choices, -1);
    for (int64_t j = 0; j < choices; ++j) {
      for (int64_t t = 0; t < tokens; ++t) {
        int64_t begin = t / size * size;
        int64_t end = std::min(begin + size, tokens);
        int64_t number = 0;
        for (int64_t u = begin; u < end; ++u) {
          for (int64_t i = 0; i < j; ++i) {
            bool counts = !limit.survivors || kept[u * choices + i] >= 0;
            number += expert(u, i) == expert(t, j) && counts;
          }
          number += u < t && expert(u, j) == expert(t, j);
        }
        if (number < limit.capacityOf(end - begin)) {
          kept[t * choices + j] = expert(t, j);
        }
      }
    }
    return kept;
  }
};

} // namespace

TEST_P(CapacityTest, KeepsWhoComesFirst) {
  for (int64_t tokens : {0, 1, 33, 100}) {
    Choices expert({tokens, choices}), kept({tokens, choices}, -7);
    fillChoices(expert);
    code.call("limit", expert, kept);
    std::vector<int32_t> all = expected(expert);
    EXPECT_TRUE(std::equal(kept.begin(), kept.end(), all.begin(), all.end()));
    if (tokens == 100) {
      EXPECT_FALSE(
          std::equal(kept.begin(), kept.end(), expert.begin(), expert.end()))
          << "nothing was dropped";
    }
  }
}

TEST_P(CapacityTest, RanksTogetherKeepTheSame) {
  for (int64_t tokens : {0, 1, 3, 33, 100}) {
    Choices expert({tokens, choices});
    fillChoices(expert);
    std::vector<int32_t> all = expected(expert);
    // One more than the tokens of the smallest case: some have none.
    int64_t ranks = 4;
    int64_t groups = limit.size ? (tokens + limit.size - 1) / limit.size : 1;
    Buffer<int32_t, 4> taken({ranks, groups, choices, experts});
    auto first = [&](int64_t rank) {
      return rank * (tokens / ranks) + std::min(rank, tokens % ranks);
    };
    for (bool counting : {true, false}) {
      for (int64_t rank = 0; rank < ranks; ++rank) {
        int64_t begin = first(rank), local = first(rank + 1) - begin;
        Choices mine({local, choices}), kept({local, choices}, -7);
        std::copy(expert.begin() + begin * choices,
                  expert.begin() + (begin + local) * choices, mine.begin());
        if (counting) {
          Buffer<int32_t, 3> counts({groups, choices, experts}, 99);
          code.call("count", mine, begin, tokens, counts);
          std::copy(counts.begin(), counts.end(),
                    taken.begin() + rank * groups * choices * experts);
          continue;
        }
        code.call("limit_part", mine, taken, begin, tokens, rank, kept);
        EXPECT_TRUE(
            std::equal(kept.begin(), kept.end(), all.begin() + begin * choices))
            << tokens << " tokens, rank " << rank;
      }
    }
  }
}

TEST_P(CapacityTest, RenormalizesOverWhatSurvived) {
  int64_t tokens = 100;
  Choices expert({tokens, choices}), kept({tokens, choices}, -7);
  Buffer<float, 2> weight({tokens, choices}), normal({tokens, choices});
  fillChoices(expert);
  Random random(5);
  std::generate(weight.begin(), weight.end(),
                [&] { return random.level(1000) + 1.5f; });
  code.call("renormalize", expert, weight, kept, normal);
  for (int64_t t = 0; t < tokens; ++t) {
    float sum = 0;
    for (int64_t j = 0; j < choices; ++j) {
      sum += kept(t, j) >= 0 ? weight(t, j) : 0;
    }
    for (int64_t j = 0; j < choices; ++j) {
      EXPECT_EQ(normal(t, j), sum == 0 ? 0 : weight(t, j) / sum);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Limits, CapacityTest,
    testing::Values(
        Limit{"<all>", 0, "<count = 9>", [](int64_t) { return int64_t(9); },
              false},
        Limit{"<all>", 0, "<count = 9>", [](int64_t) { return int64_t(9); },
              true},
        Limit{"<tokens 16>", 16, "<count = 2>",
              [](int64_t) { return int64_t(2); }, false},
        Limit{"<sequence 10>", 10, "<factor = 1.25 : f64, rounding = ceil>",
              [](int64_t s) {
                return static_cast<int64_t>(std::ceil(1.25 * s / 8));
              },
              true},
        Limit{"<tokens 40>", 40,
              "<factor = 1.25 : f64, rounding = floor, multiple_of = 4>",
              [](int64_t s) {
                return static_cast<int64_t>(1.25 * s / 8 + 3) / 4 * 4;
              },
              true},
        Limit{"<tokens 20>", 20,
              "<factor = 1.0 : f64, rounding = half_even, minimum = 1>",
              [](int64_t s) {
                return std::max<int64_t>(1, std::nearbyint(1.0 * s / 8));
              },
              false}));
