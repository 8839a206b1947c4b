// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"

#include <algorithm>
#include <numeric>

using namespace mlir::moe::test;

static constexpr char module[] = R"(
func.func @assign(%e: memref<?x$Kxi32>, %table: memref<64x$Exi32>, %first: index,
                  %p: memref<?x$Kxi32>, %c: memref<$Nx$Sxi32>) {
  %placement = builtin.unrealized_conversion_cast %table : memref<64x$Exi32> to !moe.placement_ref<$E experts>
  moe.assign_slots %e placed by %placement from_token %first into %p, %c
      : (memref<?x$Kxi32>, !moe.placement_ref<$E experts>, index, memref<?x$Kxi32>, memref<$Nx$Sxi32>) -> ()
  return
}
func.func @offsets(%c: memref<$Nx$Sxi32>, %r: memref<?xi32>, %s: memref<?xi32>) {
  moe.count_offsets %c into %r, %s : (memref<$Nx$Sxi32>, memref<?xi32>, memref<?xi32>) -> ()
  return
}
func.func @positions(%c: memref<$Nx$Sxi32>, %n: index, %q: memref<?xi32>) {
  moe.slot_positions %c extent %n into %q : (memref<$Nx$Sxi32>, index, memref<?xi32>) -> ()
  return
}
)";

namespace {

struct Size {
  int64_t experts;
  int64_t k;
  int64_t ranks;
  int64_t slots;
};

class LayoutTest : public testing::TestWithParam<Size> {
protected:
  Size size = GetParam();
  CompiledLoops &code =
      CompiledLoops::get(module, {{"E", std::to_string(size.experts)},
                                  {"K", std::to_string(size.k)},
                                  {"N", std::to_string(size.ranks)},
                                  {"S", std::to_string(size.slots)}});
};

} // namespace

TEST_P(LayoutTest, PlacesAreACountingSort) {
  Random random(1);
  Buffer<int32_t, 2> table({64, size.experts});
  std::generate(table.begin(), table.end(),
                [&] { return random.below(size.ranks * size.slots); });
  for (int64_t tokens : {0, 1, 33, 150}) {
    int64_t first = 1000 + tokens;
    Buffer<int32_t, 2> expert({tokens, size.k}), position({tokens, size.k}, -7);
    Buffer<int32_t, 2> counts({size.ranks, size.slots}, 99);
    std::generate(expert.begin(), expert.end(),
                  [&] { return random.below(size.experts + 1) - 1; });
    code.call("assign", expert, table, first, position, counts);

    // All assignments (destination, t, j), sorted.
    std::vector<std::array<int64_t, 3>> assignments;
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t j = 0; j < size.k; ++j) {
        if (expert(t, j) >= 0) {
          int64_t to = table((first + t) % 64, expert(t, j));
          assignments.push_back({to, t, j});
        } else {
          EXPECT_EQ(position(t, j), -1);
        }
      }
    }
    std::sort(assignments.begin(), assignments.end());
    std::vector<int32_t> expected(size.ranks * size.slots);
    for (size_t i = 0; i < assignments.size(); ++i) {
      auto [to, t, j] = assignments[i];
      EXPECT_EQ(position(t, j), i);
      ++expected[to];
    }
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), counts.begin()));
  }
}

TEST_P(LayoutTest, OffsetsSumByRankAndBySlot) {
  Buffer<int32_t, 2> counts({size.ranks, size.slots});
  Buffer<int32_t, 1> byRank({size.ranks + 1}, -7), bySlot({size.slots + 1}, -7);
  Random random(2);
  std::generate(counts.begin(), counts.end(), [&] { return random.below(9); });
  code.call("offsets", counts, byRank, bySlot);
  int32_t sum = 0;
  for (int64_t r = 0; r < size.ranks; ++r) {
    EXPECT_EQ(byRank(r), sum);
    sum = std::accumulate(&counts(r, 0), &counts(r, 0) + size.slots, sum);
  }
  EXPECT_EQ(byRank(size.ranks), sum);
  sum = 0;
  for (int64_t s = 0; s < size.slots; ++s) {
    EXPECT_EQ(bySlot(s), sum);
    for (int64_t r = 0; r < size.ranks; ++r) {
      sum += counts(r, s);
    }
  }
  EXPECT_EQ(bySlot(size.slots), sum);
}

TEST_P(LayoutTest, ArrivedRowsAreSortedBySlotThenSource) {
  Buffer<int32_t, 2> counts({size.ranks, size.slots});
  Random random(3);
  std::generate(counts.begin(), counts.end(), [&] { return random.below(9); });
  // (slot, rank) of each row, as the rows arrive.
  std::vector<std::pair<int64_t, int64_t>> arrived;
  for (int64_t r = 0; r < size.ranks; ++r) {
    for (int64_t s = 0; s < size.slots; ++s) {
      arrived.insert(arrived.end(), counts(r, s), {s, r});
    }
  }
  std::vector<std::pair<int64_t, int64_t>> expected = arrived;
  std::sort(expected.begin(), expected.end());
  int64_t sum = arrived.size();
  for (int64_t extent : {sum, sum + 5}) {
    Buffer<int32_t, 1> places({extent}, -7);
    code.call("positions", counts, extent, places);
    std::vector<std::pair<int64_t, int64_t>> sorted(sum, {-1, -1});
    for (int64_t i = 0; i < sum; ++i) {
      ASSERT_TRUE(0 <= places(i) && places(i) < sum);
      sorted[places(i)] = arrived[i];
      // Rows of one slot and rank keep their order.
      EXPECT_TRUE(i == 0 || arrived[i] != arrived[i - 1] ||
                  places(i) == places(i - 1) + 1);
    }
    EXPECT_EQ(sorted, expected);
    for (int64_t i = sum; i < extent; ++i) {
      EXPECT_EQ(places(i), -7);
    }
  }
}

TEST_P(LayoutTest, PlacesStayInsideTheExtentWhenCountsExceedIt) {
  Buffer<int32_t, 2> counts({size.ranks, size.slots}, 1000);
  for (int64_t extent : {0, 1, 700, 1500}) {
    Buffer<int32_t, 1> places({extent}, -7);
    code.call("positions", counts, extent, places);
    for (int32_t place : places) {
      EXPECT_TRUE(0 <= place && place < extent) << place;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, LayoutTest,
                         testing::Values(Size{8, 2, 4, 2}, Size{8, 1, 1, 8},
                                         Size{60, 8, 3, 20},
                                         Size{256, 8, 5, 52}),
                         [](const testing::TestParamInfo<Size> &info) {
                           return "E" + std::to_string(info.param.experts) +
                                  "N" + std::to_string(info.param.ranks);
                         });
