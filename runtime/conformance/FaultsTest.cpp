// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- FaultsTest.cpp - Nothing hangs, and errors name both sides ---------===//

#include "Harness.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

using namespace moert::conformance;

namespace {

constexpr int64_t stallDeadlineNs = 150000000;
constexpr double longestSeconds = 2.0;

class FaultsTest : public TransportTest {
protected:
  /// Every rank must end in time, with the same failure.
  Outcome runFailing(const Job &job, const Body &body) const {
    Outcome outcome = run(job, body);
    EXPECT_NE(outcome.status, MOERT_OK);
    EXPECT_LT(outcome.seconds, longestSeconds);
    return outcome;
  }
};

} // namespace
MOERT_FOR_ALL_TRANSPORTS(FaultsTest);

TEST_P(FaultsTest, CountsThatDiffer) {
  Outcome outcome = runFailing({4}, [](Rank &rank) {
    // Rank 1 sends 17 rows to rank 3, which expects 16.
    std::vector<int32_t> sent(4, 16), expected(4, 16);
    if (rank.rank == 1) {
      sent[3] = 17;
    }
    std::vector<int32_t> srcOffsets = prefixSums(sent);
    std::vector<int32_t> dstOffsets = prefixSums(expected);
    Buffer<char> source(rank, std::vector<char>(size_t(srcOffsets.back()) * 8));
    Buffer<char> destination(rank,
                             std::vector<char>(size_t(dstOffsets.back()) * 8));
    moert_collective call = makeCall(MOERT_ALL_TO_ALL_V, 12, 4);
    call.src = source.data();
    call.dst = destination.data();
    call.src_offsets = srcOffsets.data();
    call.dst_offsets = dstOffsets.data();
    call.row_bytes = 8;
    // Ranks that are not concerned may get through, but no further.
    rank.run(call);
    EXPECT_EQ(rank.run(makeCall(MOERT_BARRIER, 13)), MOERT_DIVERGED);
  });
  EXPECT_EQ(outcome.text, "rank 3: all_to_all_v #12 (layer 4): rank 1 sends 17 "
                          "rows, but rank 3 expects 16");
}

/// Two ranks, each with a buffer of its own; rank 1 comes second, with its own
/// version of the call.
static void runInOrder(Rank &rank, moert_collective first,
                       moert_collective second) {
  Buffer<char> buffer(rank, std::vector<char>(64));
  moert_collective &call = rank.rank == 0 ? first : second;
  call.src = call.dst = buffer.data();
  if (rank.rank == 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  rank.run(call);
}

TEST_P(FaultsTest, MessagesNameBothSides) {
  moert_collective call = makeCall(MOERT_ALL_REDUCE, 12, 4);
  call.count = 3;
  struct Case {
    std::function<void(moert_collective &)> change;
    std::string text;
  };
  const std::string prefix = "rank 0: all_reduce #12 (layer 4): rank 1 ";
  std::vector<Case> cases = {
      {[](moert_collective &c) { c.kind = MOERT_BARRIER; },
       "calls barrier #12 (layer 4) instead"},
      {[](moert_collective &c) { c.layer = -1; },
       "calls all_reduce #12 instead"},
      {[](moert_collective &c) { c.count = 2; },
       "sends 2 elements, but rank 0 expects 3"},
      {[](moert_collective &c) { c.dtype = MOERT_BF16; },
       "sends bf16, but rank 0 expects f32"},
      {[](moert_collective &c) { c.reduction = MOERT_MAX; },
       "reduces by max, but rank 0 by sum"}};
  for (const Case &difference : cases) {
    moert_collective other = call;
    difference.change(other);
    Outcome outcome =
        runFailing({2}, [&](Rank &rank) { runInOrder(rank, call, other); });
    EXPECT_EQ(outcome.text, prefix + difference.text);
  }
}

TEST_P(FaultsTest, RowSizesThatDiffer) {
  const int32_t offsets[] = {0, 0, 0};
  moert_collective call = makeCall(MOERT_ALL_TO_ALL_V, 1);
  call.src_offsets = call.dst_offsets = offsets;
  call.row_bytes = 256;
  moert_collective other = call;
  other.row_bytes = 512;
  Outcome outcome =
      runFailing({2}, [&](Rank &rank) { runInOrder(rank, call, other); });
  EXPECT_EQ(outcome.text, "rank 0: all_to_all_v #1: rank 1 sends rows of 512 "
                          "bytes, but rank 0 expects rows of 256");
}

TEST_P(FaultsTest, ARankThatLeaves) {
  Outcome outcome = runFailing({3}, [](Rank &rank) {
    rank.run(makeCall(MOERT_BARRIER, 1, 2));
    if (rank.rank == 2) {
      return;
    }
    if (rank.rank == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    rank.run(makeCall(MOERT_BARRIER, 3, 4));
  });
  // Emulated devices come to the end of the first barrier late.
  std::string text = outcome.text;
  if (onDevices() && text.rfind("rank 1", 0) == 0) {
    text[5] = '0';
  }
  EXPECT_EQ(text, "rank 0: barrier #3 (layer 4): rank 2 has left after "
                  "barrier #1 (layer 2)");
}

TEST_P(FaultsTest, ARankThatThrows) {
  Outcome outcome = runFailing({3}, [](Rank &rank) {
    rank.run(makeCall(MOERT_BARRIER, 1, 2));
    if (rank.rank == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      throw std::runtime_error("no such file");
    }
    rank.run(makeCall(MOERT_BARRIER, 3, 4));
  });
  // Of ranks on devices nobody knows that they wait.
  EXPECT_EQ(
      outcome.text,
      std::string(
          "rank 1: after barrier #1 (layer 2): threw \"no such file\"") +
          (onDevices() ? "" : "; ranks 0, 2 wait in barrier #3 (layer 4)"));
}

TEST_P(FaultsTest, ARankThatStalls) {
  Job job = {2, stallDeadlineNs};
  Outcome outcome = runFailing(job, [](Rank &rank) {
    rank.run(makeCall(MOERT_BARRIER, 1, 2));
    if (rank.rank == 1) {
      while (rank.status() == MOERT_OK) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    rank.run(makeCall(MOERT_BARRIER, 3, 4));
  });
  EXPECT_EQ(
      outcome.text,
      "rank 0: barrier #3 (layer 4): rank 1 has not arrived within 0.15 s "
      "(rank 1 was last in barrier #1 (layer 2))");
}

TEST_P(FaultsTest, AStallBehindAnotherRank) {
  if (onDevices()) {
    GTEST_SKIP() << "of ranks on devices nobody knows that they wait";
  }
  // Rank 0 waits for rank 1, which waits for rank 2.
  Job job = {3};
  job.sets = {{{0, 1}, {2}}, {{0}, {1, 2}}};
  Outcome outcome = runFailing(job, [](Rank &rank) {
    rank.run(makeCall(MOERT_BARRIER, 1, 4));
    if (rank.rank == 2) {
      while (rank.status() == MOERT_OK) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      return;
    }
    // The deadline of one call, where the job's is a minute.
    moert_collective call = makeCall(MOERT_BARRIER, 2 + rank.rank, 4);
    call.deadline_ns = rank.rank == 0 ? stallDeadlineNs : 0;
    rank.run(call, rank.rank);
  });
  EXPECT_EQ(outcome.text,
            "rank 0: barrier #2 (layer 4): rank 1 has not arrived within 0.15 "
            "s (rank 1 was last in barrier #3 (layer 4)); rank 2 keeps the "
            "others waiting (rank 2 was last in barrier #1 (layer 4))");
}

TEST_P(FaultsTest, RanksThatWaitForEachOther) {
  if (onDevices()) {
    GTEST_SKIP() << "of ranks on devices nobody knows that they wait";
  }
  // Each is in a group of which the other is not yet.
  Job job = {2, stallDeadlineNs};
  job.sets = {{{0, 1}}, {{1, 0}}};
  Outcome outcome = runFailing(job, [](Rank &rank) {
    rank.run(makeCall(MOERT_BARRIER, 1, 4), rank.rank);
  });
  EXPECT_EQ(outcome.status, MOERT_TIMED_OUT);
  EXPECT_NE(outcome.text.find("; all ranks wait for each other"),
            std::string::npos)
      << outcome.text;
}

TEST_P(FaultsTest, AStallWhileOthersLackACore) {
  if (onDevices()) {
    GTEST_SKIP() << "of ranks on devices nobody knows that they wait";
  }
  Job job = {4, stallDeadlineNs, 1};
  Outcome outcome = runFailing(job, [](Rank &rank) {
    if (moert_context_size(rank.context) == 4) {
      while (rank.status() == MOERT_OK) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  });
  EXPECT_EQ(outcome.status, MOERT_TIMED_OUT);
  EXPECT_NE(outcome.text.find("waits for a core: rank "), std::string::npos)
      << outcome.text;
}

TEST_P(FaultsTest, ProgressElsewhereIsNoStall) {
  // Rank 2 waits for longer than the deadline while ranks 0 and 1 work on.
  Job job = {3, 200000000};
  job.sets = {{{0, 1}, {2}}};
  expectOk(job, [](Rank &rank) {
    for (int32_t turn = 0; rank.rank < 2 && turn < 20; ++turn) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ASSERT_EQ(rank.run(makeCall(MOERT_BARRIER, turn), 0), MOERT_OK);
    }
    ASSERT_EQ(rank.run(makeCall(MOERT_BARRIER, 99)), MOERT_OK);
  });
}

TEST_P(FaultsTest, LeavingWithoutWaiting) {
  if (GetParam().movement == MOERT_MOVE_EARLY) {
    GTEST_SKIP() << "early movement would block in start";
  }
  Outcome outcome = runFailing({2}, [](Rank &rank) {
    if (rank.rank == 0) {
      rank.start(makeCall(MOERT_BARRIER, 7));
      return;
    }
    while (rank.status() == MOERT_OK) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  EXPECT_EQ(outcome.text, "rank 0: barrier #7: rank 0 has left without waiting "
                          "for what it started");
}

TEST_P(FaultsTest, CountsReadAfterAFailureAreZero) {
  Outcome outcome = runFailing({2}, [](Rank &rank) {
    if (rank.rank == 0) {
      moert_context_abort(rank.context, MOERT_ABORTED, "asked to");
    }
    for (moert_kind kind : {MOERT_ALL_TO_ALL, MOERT_ALL_GATHER,
                            MOERT_REDUCE_SCATTER, MOERT_ALL_REDUCE}) {
      Buffer<int32_t> source(rank, {9, 9, 9, 9});
      Buffer<int32_t> destination(rank, {9, 9, 9, 9});
      bool reduces = kind == MOERT_REDUCE_SCATTER || kind == MOERT_ALL_REDUCE;
      moert_collective call = makeCall(kind, 1);
      call.src = source.data();
      call.dst = destination.data();
      call.count = reduces ? 2 : 8;
      call.dtype = MOERT_INT32;
      EXPECT_NE(rank.run(call), MOERT_OK);
      EXPECT_EQ(destination.read()[0], 0);
      EXPECT_EQ(destination.read()[1], 0);
    }
  });
  EXPECT_EQ(outcome.text, "rank 0: asked to");
}

TEST_P(FaultsTest, BadArguments) {
  struct Case {
    std::function<void(moert_collective &)> change;
    moert_status status;
    std::string text;
  };
  static const int32_t falling[] = {0, 3, 2};
  static const int32_t rising[] = {0, 1, 2};
  std::vector<Case> cases = {
      {[](moert_collective &c) { c.kind = 9; }, MOERT_INVALID_ARGUMENT,
       "rank 0: unknown #1: unknown kind 9"},
      {[](moert_collective &c) { c.struct_size = 8; }, MOERT_VERSION_MISMATCH,
       "rank 0: moert_collective: expected struct_size " +
           std::to_string(sizeof(moert_collective)) + ", but got 8"},
      {[](moert_collective &c) { c.dst_offsets = falling; },
       MOERT_INVALID_ARGUMENT,
       "rank 0: all_to_all_v #1: dst_offsets[2]: expected at least 3, but got "
       "2"},
      {[](moert_collective &c) { c.src_offsets = nullptr; },
       MOERT_INVALID_ARGUMENT, "rank 0: all_to_all_v #1: src_offsets is null"},
      {[](moert_collective &c) { c.src = nullptr; }, MOERT_INVALID_ARGUMENT,
       "rank 0: all_to_all_v #1: the source is null"},
      {[](moert_collective &c) { c.flags = MOERT_OFFSETS_ON_DEVICE; },
       MOERT_INVALID_ARGUMENT,
       "rank 0: all_to_all_v #1: offsets on a device are not supported"},
      {[](moert_collective &c) {
         c.kind = MOERT_ALL_REDUCE;
         c.dtype = 77;
       },
       MOERT_INVALID_ARGUMENT, "rank 0: all_reduce #1: unknown dtype 77"},
      {[](moert_collective &c) {
         c.kind = MOERT_ALL_GATHER;
         c.count = -1;
       },
       MOERT_INVALID_ARGUMENT, "rank 0: all_gather #1: count is -1"}};
  if (onDevices()) {
    cases.erase(std::remove_if(cases.begin(), cases.end(),
                               [](const Case &mistake) {
                                 return mistake.text.find("on a device") !=
                                        std::string::npos;
                               }),
                cases.end());
  }
  for (const Case &mistake : cases) {
    Outcome outcome = runFailing({2}, [&](Rank &rank) {
      Buffer<char> buffer(rank, std::vector<char>(64));
      moert_collective call = makeCall(MOERT_ALL_TO_ALL_V, 1);
      call.src = buffer.data();
      call.dst = buffer.data() + 32;
      call.src_offsets = call.dst_offsets = rising;
      call.row_bytes = 4;
      if (rank.rank == 0) {
        mistake.change(call);
      }
      rank.run(call);
    });
    EXPECT_EQ(outcome.status, mistake.status);
    EXPECT_EQ(outcome.text, mistake.text);
  }
}
