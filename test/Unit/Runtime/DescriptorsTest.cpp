// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DescriptorsTest.cpp - Hosts that are older or newer ----------------===//

#include "core/Descriptor.h"
#include "moert/threads.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <string>

namespace {

/// A descriptor of a newer host, with a field that the library does not know.
template <typename Descriptor> struct Newer {
  Descriptor known = {};
  uint64_t appended = 0;

  Newer() { known.struct_size = sizeof(*this); }
};

/// How a call took a descriptor.
struct Outcome {
  moert_status status;
  std::string text;
};

template <typename Descriptor>
using Call = std::function<Outcome(const Descriptor &)>;

} // namespace

/// Of its own size, of a newer host that asks for nothing new, of one that
/// does, and cut off.
template <typename Descriptor>
static void checkSizes(const std::string &name, Descriptor valid,
                       const Call<Descriptor> &call) {
  std::string size = std::to_string(sizeof(Descriptor));
  valid.struct_size = sizeof(Descriptor);
  EXPECT_EQ(call(valid).status, MOERT_OK) << call(valid).text;

  Newer<Descriptor> newer;
  newer.known = valid;
  newer.known.struct_size = sizeof(newer);
  EXPECT_EQ(call(newer.known).status, MOERT_OK) << call(newer.known).text;
  newer.appended = uint64_t(1) << 32;
  Outcome outcome = call(newer.known);
  EXPECT_EQ(outcome.status, MOERT_VERSION_MISMATCH);
  std::string text = name + ": byte " + std::to_string(sizeof(Descriptor) + 4) +
                     " is set, but this library knows only " + size;
  EXPECT_NE(outcome.text.find(text), std::string::npos) << outcome.text;

  constexpr uint32_t first = moert::firstVersionBytes<Descriptor>;
  valid.struct_size = first;
  EXPECT_EQ(call(valid).status, MOERT_OK) << call(valid).text;
  for (uint32_t wrong : {0u, first - 8, 0xffffffffu}) {
    valid.struct_size = wrong;
    outcome = call(valid);
    EXPECT_EQ(outcome.status, MOERT_VERSION_MISMATCH);
    text = name;
    text +=
        ": expected struct_size " + size + ", but got " + std::to_string(wrong);
    EXPECT_NE(outcome.text.find(text), std::string::npos) << outcome.text;
  }
}

/// Makes and destroys a context.
static Outcome create(const moert_options *options,
                      const moert_bootstrap *bootstrap) {
  moert_message message = {};
  message.struct_size = sizeof(message);
  moert_context *context = nullptr;
  moert_status status =
      moert_context_create(options, bootstrap, &context, &message);
  EXPECT_EQ(context == nullptr, status != MOERT_OK);
  EXPECT_EQ(message.status, status);
  moert_context_destroy(context);
  return {status, message.text};
}

static moert_options defaultOptions() {
  moert_options options = {};
  options.struct_size = sizeof(options);
  options.abi_version = MOERT_ABI_VERSION;
  return options;
}

/// What a call with a context of its own did to the context's job.
static Outcome inContext(const std::function<void(moert_context *)> &call) {
  moert_context *context = nullptr;
  EXPECT_EQ(moert_context_create(nullptr, nullptr, &context, nullptr),
            MOERT_OK);
  call(context);
  const char *text = nullptr;
  moert_status status = moert_context_status(context, &text);
  Outcome outcome = {status, text};
  moert_context_destroy(context);
  return outcome;
}

TEST(DescriptorsTest, TheAbiHasTheVersionOfItsHeader) {
  EXPECT_EQ(moert_abi_version(), uint32_t(MOERT_ABI_VERSION));
}

TEST(DescriptorsTest, AnotherVersion) {
  for (uint32_t version : {0u, uint32_t(MOERT_ABI_VERSION) + 1}) {
    moert_options options = defaultOptions();
    options.abi_version = version;
    Outcome outcome = create(&options, nullptr);
    EXPECT_EQ(outcome.status, MOERT_VERSION_MISMATCH);
    EXPECT_EQ(outcome.text, "moert_options: expected abi_version 1, but got " +
                                std::to_string(version));
  }
}

TEST(DescriptorsTest, Options) {
  checkSizes<moert_options>(
      "moert_options", defaultOptions(),
      [](const moert_options &options) { return create(&options, nullptr); });
}

TEST(DescriptorsTest, Bootstrap) {
  moert_bootstrap alone = {};
  alone.size = 1;
  checkSizes<moert_bootstrap>(
      "moert_bootstrap", alone,
      [](const moert_bootstrap &table) { return create(nullptr, &table); });
}

TEST(DescriptorsTest, Tiers) {
  const char *const names[] = {"only"};
  const int32_t tierOf[] = {0};
  checkSizes<moert_tiers>("moert_tiers", {0, 1, names, tierOf},
                          [](const moert_tiers &tiers) {
                            moert_options options = defaultOptions();
                            options.tiers = &tiers;
                            return create(&options, nullptr);
                          });
}

TEST(DescriptorsTest, Allocator) {
  moert_allocator allocator = {
      0, 0, nullptr,
      [](void *, int64_t bytes, int64_t) { return std::malloc(size_t(bytes)); },
      [](void *, void *pointer, int64_t) { std::free(pointer); }};
  Call<moert_allocator> call = [](const moert_allocator &allocator) {
    moert_options options = defaultOptions();
    options.allocator = &allocator;
    return create(&options, nullptr);
  };
  checkSizes("moert_allocator", allocator, call);
  allocator.struct_size = sizeof(allocator);
  allocator.deallocate = nullptr;
  EXPECT_EQ(call(allocator).status, MOERT_INVALID_ARGUMENT);
  EXPECT_EQ(call(allocator).text, "moert_allocator: expected both functions");
}

TEST(DescriptorsTest, GroupSet) {
  const int32_t offsets[] = {0, 1};
  const int32_t ranks[] = {0};
  checkSizes<moert_group_set>("moert_group_set", {0, 1, "ep", offsets, ranks},
                              [](const moert_group_set &set) {
                                return inContext([&](moert_context *context) {
                                  moert_context_bind_groups(context, &set, 1,
                                                            nullptr);
                                });
                              });
}

TEST(DescriptorsTest, AnArrayIsLaidOutByItsHost) {
  const int32_t offsets[] = {0, 1};
  const int32_t ranks[] = {0};
  Newer<moert_group_set> sets[3];
  for (Newer<moert_group_set> &set : sets) {
    set.known.count = 1;
    set.known.name = "ep";
    set.known.offsets = offsets;
    set.known.ranks = ranks;
  }
  inContext([&](moert_context *context) {
    EXPECT_EQ(moert_context_bind_groups(context, &sets[0].known, 3, nullptr),
              MOERT_OK);
    moert_comm *comm = nullptr;
    EXPECT_EQ(moert_context_comm(context, 2, &comm), MOERT_OK);
    EXPECT_EQ(moert_comm_size(comm), 1);
  });
}

TEST(DescriptorsTest, Collective) {
  moert_collective barrier = {};
  barrier.kind = MOERT_BARRIER;
  checkSizes<moert_collective>(
      "moert_collective", barrier, [](const moert_collective &call) {
        return inContext([&](moert_context *context) {
          moert_comm *comm = nullptr;
          moert_context_comm(context, MOERT_WORLD, &comm);
          moert_comm_run(comm, &call);
        });
      });
}

TEST(DescriptorsTest, Frame) {
  checkSizes<moert_frame>("moert_frame", {}, [](const moert_frame &frame) {
    return inContext([&](moert_context *context) {
      Newer<moert_frame> own;
      own.known = frame;
      own.known.context = context;
      if (frame.struct_size == sizeof(own)) {
        own.appended =
            reinterpret_cast<const Newer<moert_frame> *>(&frame)->appended;
      }
      moert_frame_barrier(&own.known, MOERT_WORLD, 1);
    });
  });
}

TEST(DescriptorsTest, ThreadsOptions) {
  moert_threads_options threads = {};
  threads.ranks = 2;
  checkSizes<moert_threads_options>(
      "moert_threads_options", threads,
      [](const moert_threads_options &threads) -> Outcome {
        moert_message message = {};
        message.struct_size = sizeof(message);
        moert_status status = moert_threads_run(
            &threads,
            [](moert_context *, void *) -> moert_status { return MOERT_OK; },
            nullptr, &message);
        return {status, message.text};
      });
}

/// Outputs of a newer host are filled as far as the library knows them.
TEST(DescriptorsTest, Counter) {
  inContext([](moert_context *context) {
    moert_comm *comm = nullptr;
    moert_context_comm(context, MOERT_WORLD, &comm);
    moert_collective barrier = {};
    barrier.struct_size = sizeof(barrier);
    barrier.kind = MOERT_BARRIER;
    barrier.id = 7;
    moert_comm_run(comm, &barrier);

    Newer<moert_counter> newer;
    newer.appended = 5;
    EXPECT_EQ(moert_context_counter(context, 0, &newer.known), MOERT_OK);
    EXPECT_EQ(newer.known.id, 7);
    EXPECT_EQ(newer.appended, 5u);
    newer.known.struct_size = sizeof(moert_counter) - 8;
    EXPECT_EQ(moert_context_counter(context, 0, &newer.known),
              MOERT_VERSION_MISMATCH);
  });
}

TEST(DescriptorsTest, Message) {
  moert_options options = defaultOptions();
  options.transport = "pigeon";
  moert_context *context = nullptr;
  Newer<moert_message> newer;
  moert_context_create(&options, nullptr, &context, &newer.known);
  EXPECT_STREQ(
      newer.known.text,
      "expected transport \"threads\" or \"nccl\", but got \"pigeon\"");
  // One that is too short is left alone.
  moert_message message = {};
  message.struct_size = 8;
  moert_context_create(&options, nullptr, &context, &message);
  EXPECT_EQ(message.status, MOERT_OK);
}

TEST(DescriptorsTest, LongTextsAreCutOff) {
  moert_options options = defaultOptions();
  std::string name(2 * MOERT_MESSAGE_BYTES, 'x');
  options.transport = name.c_str();
  EXPECT_EQ(create(&options, nullptr).text.size(),
            size_t(MOERT_MESSAGE_BYTES - 1));
}

TEST(DescriptorsTest, NamesOfWhatIsUnknown) {
  EXPECT_STREQ(moert_status_name(MOERT_DIVERGED), "diverged");
  EXPECT_NE(moert_status_name(99), nullptr);
  EXPECT_STREQ(moert_phase_name(MOERT_PHASE_WAIT), "wait");
  EXPECT_STREQ(moert_phase_name(-1), "unknown");
  EXPECT_STREQ(moert_kind_name(MOERT_KIND_COUNT), "unknown");
  EXPECT_EQ(moert_dtype_bytes(MOERT_BF16), 2);
  EXPECT_EQ(moert_dtype_bytes(99), 0);
}
