// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadsRunTest.cpp - Running N ranks as threads --------------------===//

#include "moert/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

namespace {

struct Launch {
  moert_options options = {};
  moert_threads_options threads = {};
  moert_message message = {};

  explicit Launch(int32_t ranks) {
    options.struct_size = sizeof(options);
    options.abi_version = MOERT_ABI_VERSION;
    threads.struct_size = sizeof(threads);
    threads.ranks = ranks;
    threads.options = &options;
    message.struct_size = sizeof(message);
  }
  moert_status operator()(moert_rank_body body, void *user) {
    return moert_threads_run(&threads, body, user, &message);
  }
};

} // namespace

static moert_status barrier(moert_context *context) {
  moert_comm *comm = nullptr;
  moert_context_comm(context, MOERT_WORLD, &comm);
  moert_collective call = {};
  call.struct_size = sizeof(call);
  call.kind = MOERT_BARRIER;
  call.layer = -1;
  return moert_comm_run(comm, &call);
}

TEST(ThreadsRunTest, EveryRankRunsOnce) {
  std::atomic<int32_t> sum{0};
  Launch run(9);
  EXPECT_EQ(run(
                [](moert_context *context, void *user) -> moert_status {
                  *static_cast<std::atomic<int32_t> *>(user) +=
                      moert_context_rank(context);
                  return MOERT_OK;
                },
                &sum),
            MOERT_OK);
  EXPECT_EQ(sum.load(), 36);
  EXPECT_STREQ(run.message.text, "");
}

TEST(ThreadsRunTest, ABodysStatusIsTheJobsFailure) {
  Launch run(2);
  EXPECT_EQ(run(
                [](moert_context *context, void *) -> moert_status {
                  return moert_context_rank(context) == 1 ? MOERT_OUT_OF_MEMORY
                                                          : MOERT_OK;
                },
                nullptr),
            MOERT_RANK_FAILED);
  EXPECT_STREQ(run.message.text, "rank 1: before any collective: returned "
                                 "\"out of memory\"");
}

TEST(ThreadsRunTest, BadOptions) {
  Launch run(0);
  EXPECT_EQ(
      run([](moert_context *, void *) -> moert_status { return 0; }, nullptr),
      MOERT_INVALID_ARGUMENT);
  EXPECT_STREQ(run.message.text,
               "expected at least one rank and a body, but got 0 ranks");
  Launch other(1);
  other.threads.struct_size = 4;
  EXPECT_EQ(
      other([](moert_context *, void *) -> moert_status { return 0; }, nullptr),
      MOERT_VERSION_MISMATCH);
}

namespace {
struct Stuck {
  std::atomic<bool> release{false};
  std::atomic<int32_t> rank{-1};
};
} // namespace

TEST(ThreadsRunTest, ABodyThatNeverReturnsIsReported) {
  Stuck stuck;
  Launch run(2);
  run.options.deadline_ns = 100000000;
  run.threads.on_stuck = [](void *user, int32_t rank,
                            const moert_message *message) {
    Stuck &stuck = *static_cast<Stuck *>(user);
    EXPECT_EQ(message->status, MOERT_TIMED_OUT);
    EXPECT_STREQ(message->text, "rank 0: barrier #0: rank 1 has not arrived "
                                "within 0.1 s (rank 1 has called no collective "
                                "yet)");
    stuck.rank = rank;
    stuck.release = true;
  };
  EXPECT_EQ(run(
                [](moert_context *context, void *user) -> moert_status {
                  if (moert_context_rank(context) == 0) {
                    return barrier(context);
                  }
                  // Does not even look at the status.
                  while (!static_cast<Stuck *>(user)->release) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                  }
                  return MOERT_OK;
                },
                &stuck),
            MOERT_TIMED_OUT);
  EXPECT_EQ(stuck.rank.load(), 1);
}

TEST(ThreadsRunTest, TraceFileHoldsAllRanks) {
  std::string path = testing::TempDir() + "moert-trace.json";
  Launch run(3);
  run.options.trace_events = 10;
  run.threads.trace_path = path.c_str();
  EXPECT_EQ(run([](moert_context *context,
                   void *) -> moert_status { return barrier(context); },
                nullptr),
            MOERT_OK);
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  for (const char *part : {"\"tid\": 0", "\"tid\": 1", "\"tid\": 2"}) {
    EXPECT_NE(text.str().find(part), std::string::npos) << text.str();
  }
  EXPECT_EQ(text.str().front(), '[');
  std::remove(path.c_str());
}

TEST(ThreadsRunTest, UnboundThreads) {
  Launch run(4);
  run.threads.flags = MOERT_THREADS_UNBOUND;
  EXPECT_EQ(run([](moert_context *context,
                   void *) -> moert_status { return barrier(context); },
                nullptr),
            MOERT_OK);
}

TEST(ThreadsRunTest, ACoreGivenUpCanBeTakenBack) {
  Launch run(4);
  run.options.core_permits = 1;
  EXPECT_EQ(run(
                [](moert_context *context, void *) -> moert_status {
                  for (int turn = 0; turn < 20; ++turn) {
                    moert_context_release_core(context);
                    std::this_thread::yield();
                    moert_status status = moert_context_acquire_core(context);
                    if (status != MOERT_OK) {
                      return status;
                    }
                  }
                  return barrier(context);
                },
                nullptr),
            MOERT_OK)
      << run.message.text;
}
