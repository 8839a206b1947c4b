// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ContextTest.cpp - Joining a job, options, groups -------------------===//

#include "moert/moert.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace {

/// A bootstrap for threads of this process.
class Meeting {
public:
  explicit Meeting(int32_t size) : size(size) {}

  moert_bootstrap table(int32_t rank) {
    members[size_t(rank)] = {this, rank};
    moert_bootstrap table = {};
    table.struct_size = sizeof(table);
    table.rank = rank;
    table.size = size;
    table.state = &members[size_t(rank)];
    table.all_gather = allGather;
    table.barrier = barrier;
    return table;
  }

private:
  struct Member {
    Meeting *meeting;
    int32_t rank;
  };

  static int32_t barrier(void *state) {
    Meeting &meeting = *static_cast<Member *>(state)->meeting;
    std::unique_lock<std::mutex> lock(meeting.mutex);
    int32_t round = meeting.round;
    if (++meeting.arrived == meeting.size) {
      meeting.arrived = 0;
      ++meeting.round;
      meeting.condition.notify_all();
    }
    meeting.condition.wait(lock, [&] { return meeting.round != round; });
    return 0;
  }

  static int32_t allGather(void *state, const void *source, int64_t bytes,
                           void *destination) {
    Member &member = *static_cast<Member *>(state);
    std::vector<char> *all = member.meeting->gathered;
    const char *from = static_cast<const char *>(source);
    all[member.rank].assign(from, from + bytes);
    barrier(state);
    for (int32_t rank = 0; rank < member.meeting->size; ++rank) {
      std::memcpy(static_cast<char *>(destination) + rank * bytes,
                  all[rank].data(), size_t(bytes));
    }
    return barrier(state);
  }

  const int32_t size;
  Member members[8];
  std::vector<char> gathered[8];
  std::mutex mutex;
  std::condition_variable condition;
  int32_t arrived = 0;
  int32_t round = 0;
};

struct Joined {
  moert_status status = MOERT_OK;
  moert_message message = {};
};

} // namespace

static moert_options defaultOptions() {
  moert_options options = {};
  options.struct_size = sizeof(options);
  options.abi_version = MOERT_ABI_VERSION;
  return options;
}

/// Each rank joins with its own options, and its table as `edit` leaves it, and
/// then runs the body.
static std::vector<Joined>
join(int32_t size, const std::function<moert_options(int32_t)> &optionsOf,
     const std::function<void(moert_context *)> &body,
     const std::function<void(moert_bootstrap &)> &edit = {}) {
  Meeting meeting(size);
  std::vector<Joined> results(static_cast<size_t>(size));
  std::vector<std::thread> threads;
  for (int32_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      moert_options options = optionsOf(rank);
      moert_bootstrap table = meeting.table(rank);
      if (edit) {
        edit(table);
      }
      Joined &result = results[size_t(rank)];
      result.message.struct_size = sizeof(result.message);
      moert_context *context = nullptr;
      result.status =
          moert_context_create(&options, &table, &context, &result.message);
      if (result.status == MOERT_OK) {
        body(context);
        moert_context_destroy(context);
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
  return results;
}

static moert_status barrier(moert_context *context, int32_t set) {
  moert_comm *comm = nullptr;
  EXPECT_EQ(moert_context_comm(context, set, &comm), MOERT_OK);
  moert_collective call = {};
  call.struct_size = sizeof(call);
  call.kind = MOERT_BARRIER;
  call.layer = -1;
  return moert_comm_run(comm, &call);
}

TEST(ContextTest, AJobOfOneNeedsNoBootstrap) {
  moert_context *context = nullptr;
  ASSERT_EQ(moert_context_create(nullptr, nullptr, &context, nullptr),
            MOERT_OK);
  EXPECT_EQ(moert_context_rank(context), 0);
  EXPECT_EQ(moert_context_size(context), 1);
  EXPECT_EQ(barrier(context, MOERT_WORLD), MOERT_OK);
  const char *text = nullptr;
  EXPECT_EQ(moert_context_status(context, &text), MOERT_OK);
  EXPECT_STREQ(text, "");
  moert_context_destroy(context);
  moert_context_destroy(nullptr);
}

TEST(ContextTest, RanksMeetThroughTheHostsTable) {
  std::atomic<int32_t> joined{0};
  std::vector<Joined> results = join(
      4, [](int32_t) { return defaultOptions(); },
      [&](moert_context *context) {
        EXPECT_EQ(moert_context_size(context), 4);
        EXPECT_EQ(barrier(context, MOERT_WORLD), MOERT_OK);
        ++joined;
      });
  EXPECT_EQ(joined.load(), 4);
}

TEST(ContextTest, OptionsThatDiffer) {
  std::vector<Joined> results = join(
      3,
      [](int32_t rank) {
        moert_options options = defaultOptions();
        options.movement = rank == 2 ? MOERT_MOVE_LATE : MOERT_MOVE_ANYTIME;
        return options;
      },
      [](moert_context *) {});
  for (const Joined &result : results) {
    EXPECT_EQ(result.status, MOERT_DIVERGED);
    EXPECT_STREQ(result.message.text,
                 "rank 2 passes other options than rank 0");
  }
}

TEST(ContextTest, OneRanksBadOptionsFailAll) {
  std::vector<Joined> results = join(
      2,
      [](int32_t rank) {
        moert_options options = defaultOptions();
        options.transport = rank == 1 ? "pigeon" : "threads";
        return options;
      },
      [](moert_context *) {});
  EXPECT_EQ(results[0].status, MOERT_UNSUPPORTED);
  EXPECT_STREQ(results[0].message.text, "rank 1 could not join: unsupported");
  EXPECT_EQ(results[1].status, MOERT_UNSUPPORTED);
  EXPECT_STREQ(
      results[1].message.text,
      "expected transport \"threads\" or \"nccl\", but got \"pigeon\"");
}

TEST(ContextTest, ATableThatIsNoRanks) {
  moert_context *context = nullptr;
  moert_message message = {};
  message.struct_size = sizeof(message);
  moert_bootstrap table = {};
  table.struct_size = sizeof(table);
  table.rank = 2;
  table.size = 2;
  EXPECT_EQ(moert_context_create(nullptr, &table, &context, &message),
            MOERT_INVALID_ARGUMENT);
  EXPECT_STREQ(message.text, "bootstrap: rank 2 of 2 is not a rank of a job");
  EXPECT_EQ(context, nullptr);
}

TEST(ContextTest, ATableThatFails) {
  moert_context *context = nullptr;
  moert_message message = {};
  message.struct_size = sizeof(message);
  moert_bootstrap table = {};
  table.struct_size = sizeof(table);
  table.size = 2;
  table.all_gather = [](void *, const void *, int64_t, void *) -> int32_t {
    return 1;
  };
  table.barrier = [](void *) -> int32_t { return 0; };
  EXPECT_EQ(moert_context_create(nullptr, &table, &context, &message),
            MOERT_BOOTSTRAP_FAILED);
  EXPECT_STREQ(message.text, "the bootstrap table's all_gather failed");
  EXPECT_EQ(context, nullptr);
}

/// What two or more ranks are told whose tables `edit` has made wrong.
static void expectNoJob(int32_t size,
                        const std::function<void(moert_bootstrap &)> &edit,
                        moert_status status, const char *text) {
  std::vector<Joined> results = join(
      size, [](int32_t) { return defaultOptions(); }, [](moert_context *) {},
      edit);
  for (const Joined &result : results) {
    EXPECT_EQ(result.status, status);
    EXPECT_STREQ(result.message.text, text);
  }
}

TEST(ContextTest, ABarrierThatFails) {
  expectNoJob(
      2,
      [](moert_bootstrap &table) {
        table.barrier = [](void *) -> int32_t { return 1; };
      },
      MOERT_BOOTSTRAP_FAILED, "the bootstrap table's barrier failed");
}

TEST(ContextTest, TwoRanksThatClaimOneNumber) {
  expectNoJob(
      4,
      [](moert_bootstrap &table) {
        table.rank = table.rank == 2 ? 1 : table.rank;
      },
      MOERT_INVALID_ARGUMENT, "bootstrap: rank 2 says that it is rank 1");
}

TEST(ContextTest, ReservedFieldsAreZero) {
  expectNoJob(
      1, [](moert_bootstrap &table) { table.reserved = 3; },
      MOERT_INVALID_ARGUMENT, "bootstrap: expected 0 in reserved, but got 3");
  join(
      1, [](int32_t) { return defaultOptions(); },
      [](moert_context *context) {
        moert_comm *world = nullptr;
        ASSERT_EQ(moert_context_comm(context, MOERT_WORLD, &world), MOERT_OK);
        moert_collective call = {};
        call.struct_size = sizeof(call);
        call.kind = MOERT_BARRIER;
        call.layer = -1;
        call.flags = 2;
        EXPECT_EQ(moert_comm_run(world, &call), MOERT_INVALID_ARGUMENT);
        const char *text = nullptr;
        moert_context_status(context, &text);
        EXPECT_NE(std::string(text).find("unknown flags 2"), std::string::npos);
      });
}

TEST(ContextTest, TierTableIsChecked) {
  const char *const names[] = {"only"};
  const int32_t tierOf[] = {0, 1, 0, 0};
  moert_tiers tiers = {sizeof(tiers), 1, names, tierOf};
  std::vector<Joined> results = join(
      2,
      [&](int32_t) {
        moert_options options = defaultOptions();
        options.tiers = &tiers;
        return options;
      },
      [](moert_context *) {});
  EXPECT_STREQ(results[0].message.text,
               "tiers: rank 0 to rank 1: expected a tier below 1, but got 1");
  // The other rank reads its own row only.
  EXPECT_STREQ(results[1].message.text,
               "rank 0 could not join: invalid argument");
}

TEST(ContextTest, GroupSetsAreChecked) {
  moert_context *context = nullptr;
  ASSERT_EQ(moert_context_create(nullptr, nullptr, &context, nullptr),
            MOERT_OK);
  const int32_t offsets[] = {0, 2};
  const int32_t ranks[] = {0, 0};
  moert_group_set set = {sizeof(set), 1, "ep", offsets, ranks};
  EXPECT_EQ(moert_context_bind_groups(context, &set, 1, nullptr),
            MOERT_INVALID_ARGUMENT);
  const char *text = nullptr;
  moert_context_status(context, &text);
  EXPECT_STREQ(text, "rank 0: group set \"ep\": expected each rank below 1 at "
                     "most once, but got rank 0");
  moert_context_destroy(context);
}

TEST(ContextTest, GroupSetsThatDiffer) {
  std::vector<Joined> results = join(
      2, [](int32_t) { return defaultOptions(); },
      [](moert_context *context) {
        int32_t rank = moert_context_rank(context);
        const int32_t offsets[] = {0, 2};
        const int32_t ranks[] = {rank, 1 - rank};
        moert_group_set set = {sizeof(set), 1, "ep", offsets, ranks};
        moert_context_bind_groups(context, &set, 1, nullptr);
        while (moert_context_status(context, nullptr) == MOERT_OK) {
          std::this_thread::yield();
        }
        const char *text = nullptr;
        EXPECT_EQ(moert_context_status(context, &text), MOERT_DIVERGED);
        EXPECT_NE(std::strstr(text, "group set 0 \"ep\": rank "), nullptr)
            << text;
      });
}

TEST(ContextTest, Capabilities) {
  moert_options options = defaultOptions();
  options.movement = MOERT_MOVE_LATE;
  options.core_permits = 3;
  moert_context *context = nullptr;
  ASSERT_EQ(moert_context_create(&options, nullptr, &context, nullptr),
            MOERT_OK);
  const std::pair<moert_capability, int64_t> expected[] = {
      {MOERT_CAPABILITY_DEVICE_BUFFERS, 0},
      {MOERT_CAPABILITY_DEVICE_OFFSETS, 0},
      {MOERT_CAPABILITY_STREAMS, 0},
      {MOERT_CAPABILITY_DIRECT, 1},
      {MOERT_CAPABILITY_MAX_IN_FLIGHT, 64},
      {MOERT_CAPABILITY_REDUCIBLE_DTYPES, 0x1ff},
      {MOERT_CAPABILITY_MOVEMENT, MOERT_MOVE_LATE},
      {MOERT_CAPABILITY_CORE_PERMITS, 3}};
  for (auto [capability, wanted] : expected) {
    int64_t value = -1;
    EXPECT_EQ(moert_context_query(context, capability, &value), MOERT_OK);
    EXPECT_EQ(value, wanted) << "capability " << capability;
  }
  int64_t value = -1;
  EXPECT_EQ(moert_context_query(context, 99, &value), MOERT_INVALID_ARGUMENT);
  EXPECT_EQ(value, -1);
  moert_context_destroy(context);
}

TEST(ContextTest, MoreInFlightThanTheRingHolds) {
  moert_context *context = nullptr;
  ASSERT_EQ(moert_context_create(nullptr, nullptr, &context, nullptr),
            MOERT_OK);
  int64_t most = 0;
  moert_context_query(context, MOERT_CAPABILITY_MAX_IN_FLIGHT, &most);
  moert_comm *comm = nullptr;
  moert_context_comm(context, MOERT_WORLD, &comm);
  moert_collective call = {};
  call.struct_size = sizeof(call);
  call.kind = MOERT_BARRIER;
  moert_pending pending = 0;
  for (int64_t i = 0; i < most; ++i) {
    EXPECT_EQ(moert_comm_start(comm, &call, &pending), MOERT_OK);
  }
  EXPECT_EQ(moert_comm_start(comm, &call, &pending), MOERT_INVALID_ARGUMENT);
  const char *text = nullptr;
  moert_context_status(context, &text);
  EXPECT_STREQ(text, "rank 0: expected at most 64 collectives of a group in "
                     "flight, but got one more");
  moert_context_destroy(context);
}

static void *countingAllocate(void *state, int64_t bytes, int64_t alignment) {
  ++*static_cast<int *>(state);
  return std::aligned_alloc(size_t(alignment), size_t(bytes));
}

static void countingDeallocate(void *state, void *pointer, int64_t) {
  --*static_cast<int *>(state);
  std::free(pointer);
}

TEST(ContextTest, MemoryComesThroughTheHook) {
  int live = 0;
  moert_allocator allocator = {sizeof(allocator), 0, &live, countingAllocate,
                               countingDeallocate};
  moert_options options = defaultOptions();
  options.allocator = &allocator;
  moert_context *context = nullptr;
  ASSERT_EQ(moert_context_create(&options, nullptr, &context, nullptr),
            MOERT_OK);
  void *memory = nullptr;
  ASSERT_EQ(moert_context_allocate(context, 128, &memory), MOERT_OK);
  EXPECT_EQ(live, 1);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 64, 0u);
  moert_context_deallocate(context, memory, 128);
  EXPECT_EQ(live, 0);
  moert_context_destroy(context);
}
