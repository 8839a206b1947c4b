// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InFlightTest.cpp - Between start and wait --------------------------===//

#include "Harness.h"

#include <atomic>
#include <chrono>
#include <thread>

using namespace moert::conformance;

namespace {
class InFlightTest : public TransportTest {
protected:
  bool late() const { return GetParam().movement == MOERT_MOVE_LATE; }
  bool early() const { return GetParam().movement == MOERT_MOVE_EARLY; }
};

/// An all_to_all of `count` marks a peer, each with its own buffers.
struct Exchange {
  Exchange(const Rank &rank, int32_t id, int32_t size, int32_t count)
      : self(rank.rank), id(id), count(count),
        source(rank, marks(rank.rank, id, size, count)),
        destination(rank, std::vector<int32_t>(size_t(size * count), -1)),
        call(makeCall(MOERT_ALL_TO_ALL, id)) {
    call.src = source.data();
    call.dst = destination.data();
    call.count = count * int64_t(sizeof(int32_t));
  }

  void check() {
    const std::vector<int32_t> &result = destination.read();
    for (size_t i = 0; i < result.size(); ++i) {
      ASSERT_EQ(result[i],
                mark(int32_t(i) / count, self, int32_t(i) % count) + id);
    }
  }

  static std::vector<int32_t> marks(int32_t self, int32_t id, int32_t size,
                                    int32_t count) {
    std::vector<int32_t> result;
    for (int32_t i = 0; i < size * count; ++i) {
      result.push_back(mark(self, i / count, i % count) + id);
    }
    return result;
  }

  int32_t self;
  int32_t id;
  int32_t count;
  Buffer<int32_t> source;
  Buffer<int32_t> destination;
  moert_collective call;
};
} // namespace
MOERT_FOR_ALL_TRANSPORTS(InFlightTest);

TEST_P(InFlightTest, ManyAreOutstanding) {
  for (int32_t ranks : rankCounts()) {
    for (int32_t count : {1, 3000}) {
      expectOk({ranks}, [&](Rank &rank) {
        std::vector<Exchange> exchanges;
        std::vector<moert_pending> pending;
        for (int32_t id = 0; id < 50; ++id) {
          exchanges.emplace_back(rank, id, ranks, count / ranks + 1);
        }
        for (Exchange &exchange : exchanges) {
          pending.push_back(rank.start(exchange.call));
          ASSERT_GT(pending.back(), 0);
        }
        for (size_t i = 0; i < exchanges.size(); ++i) {
          ASSERT_EQ(rank.wait(pending[i]), MOERT_OK);
          exchanges[i].check();
        }
      });
    }
  }
}

TEST_P(InFlightTest, WaitsMayComeInAnyOrder) {
  if (late()) {
    GTEST_SKIP() << "late movement wants all ranks to wait in the same order";
  }
  for (int32_t count : {1, 20000}) {
    expectOk({4}, [&](Rank &rank) {
      Exchange a(rank, 1, 4, count), b(rank, 2, 4, count);
      moert_pending first = rank.start(a.call);
      moert_pending second = rank.start(b.call);
      bool swap = rank.rank % 2 == 1;
      ASSERT_EQ(rank.wait(swap ? second : first), MOERT_OK);
      (swap ? b : a).check();
      ASSERT_EQ(rank.wait(swap ? first : second), MOERT_OK);
      (swap ? a : b).check();
    });
  }
}

TEST_P(InFlightTest, GroupsAreIndependent) {
  Job job = {4};
  job.sets = {{{0, 1}, {2, 3}}, {{0, 2}, {1, 3}}};
  expectOk(job, [](Rank &rank) {
    for (int32_t turn = 0; turn < 20; ++turn) {
      Buffer<int32_t> value(rank, {rank.rank});
      std::vector<Buffer<int32_t>> all;
      moert_pending pending[3];
      for (int32_t set = -1; set < 2; ++set) {
        moert_collective call = makeCall(MOERT_ALL_GATHER, set + 1);
        all.emplace_back(rank, std::vector<int32_t>(set < 0 ? 4 : 2));
        call.src = value.data();
        call.dst = all.back().data();
        call.count = sizeof(int32_t);
        pending[set + 1] = rank.start(call, set);
      }
      for (int32_t set = 1; set >= -1; --set) {
        ASSERT_EQ(rank.wait(pending[set + 1], set), MOERT_OK);
      }
      EXPECT_EQ(all[0].read(), (std::vector<int32_t>{0, 1, 2, 3}));
      int32_t even = rank.rank / 2 * 2;
      EXPECT_EQ(all[1].read(), (std::vector<int32_t>{even, even + 1}));
      int32_t low = rank.rank % 2;
      EXPECT_EQ(all[2].read(), (std::vector<int32_t>{low, low + 2}));
    }
  });
}

TEST_P(InFlightTest, StartDoesNotWaitForOthers) {
  if (early()) {
    GTEST_SKIP() << "early movement blocks in start";
  }
  std::atomic<bool> started{false};
  expectOk({2}, [&](Rank &rank) {
    Exchange exchange(rank, 1, 2, 100);
    if (rank.rank == 1) {
      while (!started.load()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    moert_pending pending = rank.start(exchange.call);
    started.store(true);
    ASSERT_EQ(rank.wait(pending), MOERT_OK);
    exchange.check();
  });
}

TEST_P(InFlightTest, ASourceOverwrittenInFlightShowsInLateMovementOnly) {
  // A program error on purpose: what it does is what the two test modes are
  // for. Without a test mode either may happen, so that is not run.
  if (!late() && !early()) {
    GTEST_SKIP() << "needs a test mode";
  }
  expectOk({2}, [&](Rank &rank) {
    int32_t source[2] = {10, 10}, destination[2] = {-1, -1};
    moert_collective call = makeCall(MOERT_ALL_TO_ALL, 1);
    call.src = source;
    call.dst = destination;
    call.count = sizeof(int32_t);
    moert_pending pending = rank.start(call);
    source[0] = source[1] = 20;
    EXPECT_EQ(destination[0], early() ? 10 : -1);
    ASSERT_EQ(rank.wait(pending), MOERT_OK);
    EXPECT_EQ(destination[0], early() ? 10 : 20);
    EXPECT_EQ(destination[1], early() ? 10 : 20);
  });
}

TEST_P(InFlightTest, AWaitingRankDoesTheWorkOfOneThatComputes) {
  if (late() || onDevices()) {
    GTEST_SKIP() << "late movement needs all ranks in wait; devices do their "
                    "own work, emulated ones only while no rank computes";
  }
  Job job = {2};
  job.corePermits = 2;
  std::atomic<bool> done{false};
  expectOk(job, [&](Rank &rank) {
    Exchange exchange(rank, 1, 2, 100000);
    if (rank.rank == 1) {
      // Rank 0 has fallen asleep by then, and must be woken by the start.
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
    }
    moert_pending pending = rank.start(exchange.call);
    if (rank.rank == 1) {
      while (!done.load()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    ASSERT_EQ(rank.wait(pending), MOERT_OK);
    done.store(true);
    exchange.check();
  });
}

TEST_P(InFlightTest, ARankWaitsForRecordsThatAnotherStillUses) {
  if (GetParam().movement != MOERT_MOVE_ANYTIME) {
    GTEST_SKIP() << "in the test modes no rank gets ahead of another";
  }
  expectOk({2}, [&](Rank &rank) {
    int64_t most = 0;
    moert_context_query(rank.context, MOERT_CAPABILITY_MAX_IN_FLIGHT, &most);
    most = most == 0 ? 100 : most;
    std::vector<Exchange> exchanges;
    std::vector<moert_pending> pending;
    for (int32_t id = 0; id < 3 * int32_t(most); ++id) {
      exchanges.emplace_back(rank, id, 2, 4);
    }
    for (size_t i = 0; i < exchanges.size(); ++i) {
      if (rank.rank == 0) {
        ASSERT_EQ(rank.run(exchanges[i].call), MOERT_OK);
        exchanges[i].check();
        continue;
      }
      pending.push_back(rank.start(exchanges[i].call));
      if (pending.size() < size_t(most)) {
        continue;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      for (moert_pending started : pending) {
        ASSERT_EQ(rank.wait(started), MOERT_OK);
      }
      for (size_t j = 0; j < pending.size(); ++j) {
        exchanges[i + 1 - pending.size() + j].check();
      }
      pending.clear();
    }
  });
}

TEST_P(InFlightTest, WaitingTwiceIsAnError) {
  Outcome outcome = run({1}, [](Rank &rank) {
    moert_pending pending = rank.start(makeCall(MOERT_BARRIER, 1));
    EXPECT_EQ(rank.wait(pending), MOERT_OK);
    EXPECT_EQ(rank.wait(pending), MOERT_INVALID_ARGUMENT);
  });
  EXPECT_EQ(outcome.text,
            "rank 0: wait: nothing is in flight under this handle");
}
