// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CollectivesTest.cpp - Every collective moves the right bytes -------===//

#include "Harness.h"

#include <atomic>
#include <thread>

using namespace moert::conformance;

namespace {
class CollectivesTest : public TransportTest {};
} // namespace
MOERT_FOR_ALL_TRANSPORTS(CollectivesTest);

/// Rows that `from` sends to `to`.
using Counts = std::function<int32_t(int32_t from, int32_t to)>;

/// Exchanges rows of three marks each and checks every one. Source and
/// destination have exactly the size they need, so that a sanitizer sees any
/// access beyond.
static void exchangeRows(const Rank &rank, const moert_comm *comm, int32_t set,
                         const Counts &counts) {
  constexpr int32_t width = 3;
  int32_t self = moert_comm_rank(comm);
  int32_t size = moert_comm_size(comm);
  std::vector<int32_t> sent, expected, source;
  for (int32_t p = 0; p < size; ++p) {
    sent.push_back(counts(self, p));
    expected.push_back(counts(p, self));
    for (int32_t i = 0; i < sent.back() * width; ++i) {
      source.push_back(mark(self, p, i));
    }
  }
  std::vector<int32_t> srcOffsets = prefixSums(sent);
  std::vector<int32_t> dstOffsets = prefixSums(expected);
  Buffer<int32_t> from(rank, source);
  Buffer<int32_t> to(
      rank, std::vector<int32_t>(size_t(dstOffsets.back()) * width, -1));
  moert_collective call = makeCall(MOERT_ALL_TO_ALL_V, 1, 7);
  call.src = from.data();
  call.dst = to.data();
  call.src_offsets = srcOffsets.data();
  call.dst_offsets = dstOffsets.data();
  call.row_bytes = width * int64_t(sizeof(int32_t));
  ASSERT_EQ(rank.run(call, set), MOERT_OK);
  const std::vector<int32_t> &destination = to.read();
  size_t at = 0;
  for (int32_t p = 0; p < size; ++p) {
    for (int32_t i = 0; i < expected[size_t(p)] * width; ++i) {
      ASSERT_EQ(destination[at++], mark(p, self, i)) << "from " << p;
    }
  }
}

TEST_P(CollectivesTest, AllToAllVMovesRaggedRows) {
  std::vector<std::pair<const char *, Counts>> patterns = {
      {"ragged", [](int32_t f, int32_t t) { return (f * 5 + t * 3) % 7; }},
      {"nothing", [](int32_t, int32_t) { return 0; }},
      {"to rank 0", [](int32_t f, int32_t t) { return t == 0 ? f + 1 : 0; }},
      {"from rank 0", [](int32_t f, int32_t t) { return f == 0 ? t : 0; }},
      {"self", [](int32_t f, int32_t t) { return f == t ? 4 : 0; }},
      {"large", [](int32_t f, int32_t t) { return 900 + f * 17 + t; }}};
  for (int32_t ranks : rankCounts()) {
    for (const auto &[name, counts] : patterns) {
      SCOPED_TRACE(std::string(name) + " on " + std::to_string(ranks));
      const Counts &pattern = counts;
      expectOk({ranks}, [&](Rank &rank) {
        for (int32_t turn = 0; turn < 3; ++turn) {
          exchangeRows(rank, rank.comm(), MOERT_WORLD, pattern);
        }
      });
    }
  }
}

TEST_P(CollectivesTest, AllToAllVWithRowsOfNoBytes) {
  expectOk({3}, [](Rank &rank) {
    std::vector<int32_t> offsets = {0, 1, 2, 3};
    moert_collective call = makeCall(MOERT_ALL_TO_ALL_V, 1);
    call.src_offsets = call.dst_offsets = offsets.data();
    EXPECT_EQ(rank.run(call), MOERT_OK);
  });
}

TEST_P(CollectivesTest, OffsetsMayBeOnTheDevice) {
  if (!onDevices()) {
    GTEST_SKIP() << "threads have no device";
  }
  for (int32_t ranks : rankCounts()) {
    expectOk({ranks}, [&](Rank &rank) {
      // Rank r sends r + p rows to rank p.
      std::vector<int32_t> counts, source;
      for (int32_t p = 0; p < ranks; ++p) {
        counts.push_back(rank.rank + p);
        for (int32_t i = 0; i < counts.back(); ++i) {
          source.push_back(mark(rank.rank, p, i));
        }
      }
      Buffer<int32_t> offsets(rank, prefixSums(counts)), from(rank, source),
          to(rank, std::vector<int32_t>(source.size(), -1));
      moert_collective call = makeCall(MOERT_ALL_TO_ALL_V, 5);
      call.src = from.data();
      call.dst = to.data();
      call.src_offsets = call.dst_offsets = offsets.data();
      call.row_bytes = sizeof(int32_t);
      call.flags = MOERT_OFFSETS_ON_DEVICE;
      ASSERT_EQ(rank.run(call), MOERT_OK);
      const std::vector<int32_t> &destination = to.read();
      size_t at = 0;
      for (int32_t p = 0; p < ranks; ++p) {
        for (int32_t i = 0; i < counts[size_t(p)]; ++i) {
          ASSERT_EQ(destination[at++], mark(p, rank.rank, i));
        }
      }
    });
  }
}

TEST_P(CollectivesTest, AllToAllVInSubgroups) {
  // dp=2 x ep=3, and one set whose groups list their ranks backwards and leave
  // rank 5 out.
  Job job = {6};
  job.sets = {
      {{0, 1, 2}, {3, 4, 5}}, {{0, 3}, {1, 4}, {2, 5}}, {{4, 1}, {3, 2, 0}}};
  expectOk(job, [](Rank &rank) {
    for (int32_t set = 0; set < 3; ++set) {
      moert_comm *comm = rank.comm(set);
      if (moert_comm_rank(comm) < 0) {
        EXPECT_EQ(rank.rank, 5);
        EXPECT_EQ(moert_comm_size(comm), 0);
        continue;
      }
      exchangeRows(rank, comm, set,
                   [](int32_t f, int32_t t) { return 2 * f + t; });
    }
  });
}

TEST_P(CollectivesTest, GroupRankIsThePositionInTheList) {
  Job job = {3};
  job.sets = {{{2, 0}, {1}}};
  expectOk(job, [](Rank &rank) {
    const int32_t expected[] = {1, 0, 0};
    EXPECT_EQ(moert_comm_rank(rank.comm(0)), expected[rank.rank]);
  });
}

TEST_P(CollectivesTest, AllToAllMovesEqualBlocks) {
  for (int32_t ranks : rankCounts()) {
    for (int32_t count : {0, 1, 700}) {
      expectOk({ranks}, [&](Rank &rank) {
        std::vector<int32_t> source;
        for (int32_t i = 0; i < count * ranks; ++i) {
          source.push_back(mark(rank.rank, i / count, i % count));
        }
        Buffer<int32_t> from(rank, source);
        Buffer<int32_t> to(rank, std::vector<int32_t>(source.size(), -1));
        moert_collective call = makeCall(MOERT_ALL_TO_ALL, 2);
        call.src = from.data();
        call.dst = to.data();
        call.count = count * int64_t(sizeof(int32_t));
        ASSERT_EQ(rank.run(call), MOERT_OK);
        const std::vector<int32_t> &destination = to.read();
        for (int32_t i = 0; i < count * ranks; ++i) {
          ASSERT_EQ(destination[size_t(i)],
                    mark(i / count, rank.rank, i % count));
        }
      });
    }
  }
}

TEST_P(CollectivesTest, AllGatherCollectsEqualBlocks) {
  for (int32_t ranks : rankCounts()) {
    for (int32_t count : {0, 3, 900}) {
      expectOk({ranks}, [&](Rank &rank) {
        // In place: the source is the rank's own block of the destination.
        std::vector<int32_t> initial(size_t(count) * ranks, -1);
        int32_t begin = count * rank.rank;
        for (int32_t i = 0; i < count; ++i) {
          initial[size_t(begin) + size_t(i)] = mark(rank.rank, 0, i);
        }
        Buffer<int32_t> to(rank, initial);
        moert_collective call = makeCall(MOERT_ALL_GATHER, 3);
        call.src = to.data() + begin;
        call.dst = to.data();
        call.count = count * int64_t(sizeof(int32_t));
        ASSERT_EQ(rank.run(call), MOERT_OK);
        const std::vector<int32_t> &destination = to.read();
        for (int32_t i = 0; i < count * ranks; ++i) {
          ASSERT_EQ(destination[size_t(i)], mark(i / count, 0, i % count));
        }
      });
    }
  }
}

TEST_P(CollectivesTest, AllGatherVCollectsRaggedRows) {
  for (int32_t ranks : rankCounts()) {
    expectOk({ranks}, [&](Rank &rank) {
      std::vector<int32_t> counts;
      for (int32_t p = 0; p < ranks; ++p) {
        counts.push_back(p % 3 == 1 ? 0 : 200 * p + 1);
      }
      std::vector<int32_t> offsets = prefixSums(counts);
      std::vector<int32_t> source;
      for (int32_t i = 0; i < counts[size_t(rank.rank)]; ++i) {
        source.push_back(mark(rank.rank, 0, i));
      }
      Buffer<int32_t> from(rank, source);
      Buffer<int32_t> to(rank,
                         std::vector<int32_t>(size_t(offsets.back()), -1));
      moert_collective call = makeCall(MOERT_ALL_GATHER_V, 4);
      call.src = from.data();
      call.dst = to.data();
      call.dst_offsets = offsets.data();
      call.row_bytes = sizeof(int32_t);
      ASSERT_EQ(rank.run(call), MOERT_OK);
      const std::vector<int32_t> &destination = to.read();
      for (int32_t p = 0; p < ranks; ++p) {
        for (int32_t i = 0; i < counts[size_t(p)]; ++i) {
          ASSERT_EQ(destination[size_t(offsets[size_t(p)] + i)], mark(p, 0, i));
        }
      }
    });
  }
}

TEST_P(CollectivesTest, BarrierWaitsForTheLastRank) {
  for (int32_t ranks : rankCounts()) {
    std::atomic<int32_t> entered{0};
    expectOk({ranks}, [&](Rank &rank) {
      for (int32_t turn = 1; turn <= 5; ++turn) {
        entered.fetch_add(1);
        ASSERT_EQ(rank.run(makeCall(MOERT_BARRIER, turn)), MOERT_OK);
        EXPECT_GE(entered.load(), turn * ranks);
      }
    });
  }
}

TEST_P(CollectivesTest, RanksMayFarOutnumberCores) {
  if (onDevices()) {
    GTEST_SKIP() << "cores are for ranks that are threads";
  }
  for (int32_t permits : {1, 2, 64}) {
    Job job = {64};
    job.corePermits = permits;
    expectOk(job, [&](Rank &rank) {
      for (int32_t turn = 0; turn < 10; ++turn) {
        exchangeRows(rank, rank.comm(), MOERT_WORLD,
                     [&](int32_t f, int32_t t) { return (f + t + turn) % 5; });
      }
    });
  }
}

TEST_P(CollectivesTest, NoMoreRanksComputeThanPermits) {
  if (onDevices()) {
    GTEST_SKIP() << "cores are for ranks that are threads";
  }
  Job job = {8};
  job.corePermits = 3;
  std::atomic<int32_t> running{0}, most{0};
  expectOk(job, [&](Rank &rank) {
    for (int32_t turn = 0; turn < 50; ++turn) {
      int32_t now = running.fetch_add(1) + 1;
      int32_t seen = most.load();
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::yield();
      running.fetch_sub(1);
      ASSERT_EQ(rank.run(makeCall(MOERT_BARRIER, turn)), MOERT_OK);
    }
  });
  EXPECT_LE(most.load(), 3);
}
