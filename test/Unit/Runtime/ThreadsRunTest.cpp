// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ThreadsRunTest.cpp - Running N ranks as threads --------------------===//

#include "moert/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

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

TEST(ThreadsRunTest, ATraceThatCannotBeWrittenIsSaidBeforehand) {
  Launch run(2);
  run.options.trace_events = 10;
  run.threads.trace_path = "/no/such/folder/trace.json";
  std::atomic<int32_t> bodies{0};
  EXPECT_EQ(run(
                [](moert_context *, void *user) -> moert_status {
                  ++*static_cast<std::atomic<int32_t> *>(user);
                  return MOERT_OK;
                },
                &bodies),
            MOERT_INVALID_ARGUMENT);
  EXPECT_STREQ(run.message.text, "/no/such/folder/trace.json: cannot be "
                                 "written: No such file or directory");
  EXPECT_EQ(bodies.load(), 0);
}

TEST(ThreadsRunTest, AJobThatFailsLeavesItsTrace) {
  std::string path = testing::TempDir() + "moert-failed-trace.json";
  Launch run(2);
  run.options.trace_events = 10;
  run.threads.trace_path = path.c_str();
  EXPECT_EQ(run(
                [](moert_context *context, void *) -> moert_status {
                  barrier(context);
                  return MOERT_OUT_OF_MEMORY;
                },
                nullptr),
            MOERT_RANK_FAILED);
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find("\"barrier #0\""), std::string::npos) << text.str();
  EXPECT_EQ(text.str().substr(text.str().size() - 3), "\n]\n");
  std::remove(path.c_str());
}

static int64_t threadCount() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                       std::filesystem::directory_iterator());
}

/// Whether no more threads are left than there were. One that was joined may
/// still be listed for a moment.
static bool onlyThreadsOf(int64_t before) {
  for (int attempt = 0; attempt < 1000 && threadCount() > before; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return threadCount() == before;
}

TEST(ThreadsRunTest, AFailingJobLeavesNoThread) {
  int64_t before = threadCount();
  const moert_rank_body bodies[] = {
      [](moert_context *context, void *) -> moert_status {
        if (moert_context_rank(context) == 2) {
          throw std::runtime_error("out of luck");
        }
        return barrier(context);
      },
      [](moert_context *context, void *) -> moert_status {
        return moert_context_rank(context) == 1 ? MOERT_OK : barrier(context);
      },
      [](moert_context *context, void *) -> moert_status {
        moert_context_abort(context, MOERT_ABORTED, "asked to");
        return barrier(context);
      }};
  for (moert_rank_body body : bodies) {
    Launch run(7);
    EXPECT_NE(run(body, nullptr), MOERT_OK);
    EXPECT_TRUE(onlyThreadsOf(before)) << run.message.text;
  }
}

/// Leaves the process about as much address space as it has, until destroyed.
namespace {
class AddressSpaceLimit {
public:
  explicit AddressSpaceLimit(rlim_t spare) {
    getrlimit(RLIMIT_AS, &before);
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before;
    limit.rlim_cur = rlim_t(pages) * rlim_t(sysconf(_SC_PAGESIZE)) + spare;
    setrlimit(RLIMIT_AS, &limit);
  }
  ~AddressSpaceLimit() { setrlimit(RLIMIT_AS, &before); }

private:
  rlimit before;
};
} // namespace

TEST(ThreadsRunTest, AThreadThatCannotBeMadeFailsTheJob) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "sanitizers need their address space";
#endif
#endif
  int64_t before = threadCount();
  Launch run(48);
  {
    // Enough for some stacks of 8 MiB.
    AddressSpaceLimit limit(rlim_t(48) << 20);
    EXPECT_EQ(run([](moert_context *context,
                     void *) -> moert_status { return barrier(context); },
                  nullptr),
              MOERT_OUT_OF_MEMORY);
  }
  EXPECT_NE(std::string(run.message.text).find(": no thread: "),
            std::string::npos)
      << run.message.text;
  EXPECT_TRUE(onlyThreadsOf(before));
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
