// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- EmulatorCallsTest.cpp - Emulated devices through the C ABI ---------===//

#include "moert/compiled.h"
#include "moert/emulator.h"
#include "moert/threads.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

struct Outcome {
  moert_status status;
  std::string text;
  std::vector<std::string> findings;
};

} // namespace

/// Runs a body on each of `ranks` emulated devices.
static Outcome run(int32_t ranks, moert_rank_body body,
                   const char *transport = "nccl", int32_t devices = 0) {
  moert_message message = {};
  message.struct_size = sizeof(message);
  moert_emulator_options machine = {};
  machine.struct_size = sizeof(machine);
  machine.devices = devices > 0 ? devices : ranks;
  machine.seed = 7;
  moert_emulator *emulator = nullptr;
  EXPECT_EQ(moert_emulator_create(&machine, &emulator, &message), MOERT_OK)
      << message.text;
  moert_options options = {};
  options.struct_size = sizeof(options);
  options.abi_version = MOERT_ABI_VERSION;
  options.transport = transport;
  options.devices = moert_emulator_devices(emulator);
  moert_threads_options threads = {};
  threads.struct_size = sizeof(threads);
  threads.ranks = ranks;
  threads.options = &options;
  Outcome outcome;
  outcome.status = moert_threads_run(&threads, body, nullptr, &message);
  outcome.text = message.text;
  int64_t count = moert_emulator_finding_count(emulator);
  for (int64_t i = 0; i < count; ++i) {
    outcome.findings.emplace_back(moert_emulator_finding(emulator, i));
  }
  moert_emulator_destroy(emulator);
  return outcome;
}

/// Uploads the rank's number, gathers, downloads.
static moert_status gather(moert_context *context, void *) {
  int32_t rank = moert_context_rank(context);
  std::vector<int32_t> all(size_t(moert_context_size(context)), -1);
  moert_frame frame = {};
  frame.struct_size = sizeof(frame);
  frame.context = context;
  EXPECT_EQ(moert_stream_create(context, &frame.stream), MOERT_OK);
  int64_t bytes = int64_t(all.size() * sizeof(int32_t));
  void *own = moert_frame_allocate(&frame, sizeof(int32_t));
  void *result = moert_frame_allocate(&frame, bytes);
  moert_context_upload(context, frame.stream, own, &rank, sizeof(rank));
  moert_frame_all_gather(&frame, MOERT_WORLD, 1, own, result, sizeof(rank));
  moert_context_download(context, frame.stream, all.data(), result, bytes);
  EXPECT_EQ(moert_context_synchronize(context, frame.stream), MOERT_OK);
  for (size_t r = 0; r < all.size(); ++r) {
    EXPECT_EQ(all[r], int32_t(r));
  }
  moert_frame_deallocate(&frame, own, sizeof(int32_t));
  moert_frame_deallocate(&frame, result, bytes);
  moert_stream_destroy(context, frame.stream);
  return moert_context_status(context, nullptr);
}

TEST(EmulatorCallsTest, RanksRunOnDevices) {
  for (int32_t ranks : {1, 2, 5}) {
    Outcome outcome = run(ranks, gather);
    EXPECT_EQ(outcome.status, MOERT_OK) << outcome.text;
    EXPECT_TRUE(outcome.findings.empty());
  }
}

TEST(EmulatorCallsTest, TooFewDevices) {
  Outcome outcome = run(3, gather, "nccl", 2);
  EXPECT_EQ(outcome.status, MOERT_INVALID_ARGUMENT);
  EXPECT_EQ(outcome.text, "expected a device for each rank, but ranks 0 and 2 "
                          "are both on device 0");
}

TEST(EmulatorCallsTest, ABodyThatFailsEndsTheJob) {
  Outcome outcome = run(2, [](moert_context *context, void *) -> moert_status {
    if (moert_context_rank(context) == 1) {
      return MOERT_INVALID_ARGUMENT;
    }
    moert_frame frame = {};
    frame.struct_size = sizeof(frame);
    frame.context = context;
    moert_frame_barrier(&frame, MOERT_WORLD, 1);
    return moert_context_synchronize(context, nullptr) == MOERT_OK
               ? MOERT_INTERNAL
               : MOERT_OK;
  });
  EXPECT_EQ(outcome.status, MOERT_RANK_FAILED);
  EXPECT_EQ(outcome.text, "rank 1: returned \"invalid argument\"");
}

TEST(EmulatorCallsTest, FindingsAreOneLineEach) {
  Outcome outcome = run(1, [](moert_context *context, void *) -> moert_status {
    moert_stream one = nullptr;
    moert_stream other = nullptr;
    moert_stream_create(context, &one);
    moert_stream_create(context, &other);
    void *place = nullptr;
    moert_context_allocate(context, 4, &place);
    int32_t value = 3;
    moert_context_upload(context, one, place, &value, 4);
    moert_context_upload(context, other, place, &value, 4);
    moert_context_synchronize(context, one);
    moert_context_synchronize(context, other);
    moert_context_deallocate(context, place, 4);
    return MOERT_OK;
  });
  ASSERT_EQ(outcome.findings.size(), 1u);
  EXPECT_EQ(outcome.findings[0].find('\n'), std::string::npos);
  EXPECT_NE(outcome.findings[0].find("nothing orders it"), std::string::npos)
      << outcome.findings[0];
}

TEST(EmulatorCallsTest, OneMachineAtATime) {
  moert_emulator_options options = {};
  options.struct_size = sizeof(options);
  options.devices = 1;
  moert_emulator *first = nullptr;
  moert_emulator *second = nullptr;
  moert_message message = {};
  message.struct_size = sizeof(message);
  EXPECT_EQ(moert_emulator_create(&options, &first, nullptr), MOERT_OK);
  EXPECT_EQ(moert_emulator_create(&options, &second, &message),
            MOERT_INVALID_ARGUMENT);
  EXPECT_STREQ(message.text, "emulated devices: this process has some already");
  moert_emulator_destroy(first);
  options.devices = 0;
  EXPECT_EQ(moert_emulator_create(&options, &first, &message),
            MOERT_INVALID_ARGUMENT);
  EXPECT_STREQ(message.text,
               "emulated devices: expected at least one, but got 0");
  options.devices = 1;
  options.multiprocessors = -3;
  EXPECT_EQ(moert_emulator_create(&options, &first, &message),
            MOERT_INVALID_ARGUMENT);
  EXPECT_STREQ(message.text, "emulated devices: expected a number of "
                             "multiprocessors, but got -3");
}
