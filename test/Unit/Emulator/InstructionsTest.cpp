// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- InstructionsTest.cpp - Collectives, atomics, approximations --------===//
//
// Expected values are taken from the PTX ISA's descriptions.
//
//===----------------------------------------------------------------------===//

#include "KernelThreads.h"

#include <cmath>
#include <limits>

using namespace moert;
using namespace moert::emulator;

/// Runs one warp, each lane of which stores two words from address 8 * lane of
/// the first argument on. Returns the words.
static std::vector<uint32_t> runWarp(moert_kernel_body body) {
  KernelMachine machine;
  cuda::Pointer to = machine.device.allocate(256);
  machine.launch(body, {}, {to});
  std::vector<uint32_t> words = machine.download<uint32_t>(to, 64);
  for (const Finding &finding : machine.findings()) {
    ADD_FAILURE() << finding.text;
  }
  return words;
}

static void answer(const Thread &thread, uint32_t first, uint32_t second) {
  uint64_t place = thread.argument(0) + 8 * thread.lane();
  thread.store(place, first);
  thread.store(place + 4, second);
}

//===----------------------------------------------------------------------===//
// shfl.sync
//===----------------------------------------------------------------------===//

/// What a shuffle of 100 + lane gives.
template <uint32_t Mode, uint32_t Lane, uint32_t Clamp>
static void shuffle(const Thread &thread) {
  uint32_t inRange = 2;
  uint32_t value = thread.calls.shuffle(thread.handle, Mode, ~0u,
                                        uint32_t(100 + thread.lane()), Lane,
                                        Clamp, &inRange, 0);
  answer(thread, value, inRange);
}

/// Whole warps: the segment's mask is 0, and the clamp 31, or 0 for up.
TEST(EmulatedInstructions, ShufflesOfWholeWarps) {
  std::vector<uint32_t> up =
      runWarp(asKernel<shuffle<MOERT_KERNEL_SHUFFLE_UP, 3, 0>>);
  std::vector<uint32_t> down =
      runWarp(asKernel<shuffle<MOERT_KERNEL_SHUFFLE_DOWN, 5, 31>>);
  std::vector<uint32_t> crossed =
      runWarp(asKernel<shuffle<MOERT_KERNEL_SHUFFLE_BUTTERFLY, 9, 31>>);
  std::vector<uint32_t> chosen =
      runWarp(asKernel<shuffle<MOERT_KERNEL_SHUFFLE_INDEX, 38, 31>>);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(up[size_t(lane) * 2], 100 + (lane < 3 ? lane : lane - 3));
    EXPECT_EQ(up[size_t(lane) * 2 + 1], lane < 3 ? 0u : 1u);
    EXPECT_EQ(down[size_t(lane) * 2], 100 + (lane > 26 ? lane : lane + 5));
    EXPECT_EQ(down[size_t(lane) * 2 + 1], lane > 26 ? 0u : 1u);
    EXPECT_EQ(crossed[size_t(lane) * 2], 100 + (lane ^ 9));
    // Of the operand only the lower five bits count.
    EXPECT_EQ(chosen[size_t(lane) * 2], 106u);
  }
}

/// Segments of 8 lanes: the segment's mask is 0b11000.
TEST(EmulatedInstructions, ShufflesOfSegments) {
  constexpr uint32_t segments = 0x18 << 8;
  std::vector<uint32_t> down =
      runWarp(asKernel<shuffle<MOERT_KERNEL_SHUFFLE_DOWN, 3, segments | 31>>);
  std::vector<uint32_t> up =
      runWarp(asKernel<shuffle<MOERT_KERNEL_SHUFFLE_UP, 3, segments>>);
  std::vector<uint32_t> chosen =
      runWarp(asKernel<shuffle<MOERT_KERNEL_SHUFFLE_INDEX, 10, segments | 31>>);
  for (uint32_t lane = 0; lane < 32; ++lane) {
    uint32_t within = lane % 8;
    EXPECT_EQ(down[size_t(lane) * 2], 100 + (within > 4 ? lane : lane + 3));
    EXPECT_EQ(up[size_t(lane) * 2], 100 + (within < 3 ? lane : lane - 3));
    EXPECT_EQ(chosen[size_t(lane) * 2], 100 + lane - within + 2);
  }
}

//===----------------------------------------------------------------------===//
// vote.sync, redux.sync
//===----------------------------------------------------------------------===//

/// Odd lanes vote on whether they are below 16, even ones on whether they are
/// below 32.
static void voteInHalves(const Thread &thread) {
  bool isOdd = thread.lane() % 2 != 0;
  uint32_t mask = isOdd ? 0xaaaaaaaa : 0x55555555;
  bool predicate = thread.lane() < (isOdd ? 16u : 32u);
  uint32_t results = 0;
  for (uint32_t mode : {MOERT_KERNEL_VOTE_ALL, MOERT_KERNEL_VOTE_ANY,
                        MOERT_KERNEL_VOTE_UNIFORM}) {
    results = results * 2 + thread.calls.vote(thread.handle, mode, mask,
                                              predicate ? 1 : 0, 0);
  }
  answer(thread, results, thread.ballot(predicate, mask));
}

TEST(EmulatedInstructions, VotesOfTwoHalves) {
  std::vector<uint32_t> words = runWarp(asKernel<voteInHalves>);
  for (size_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(words[lane * 2], lane % 2 != 0 ? 2u : 7u);
    EXPECT_EQ(words[lane * 2 + 1], lane % 2 != 0 ? 0x0000aaaau : 0x55555555u);
  }
}

template <uint32_t Op, uint32_t Type> static void reduce(const Thread &thread) {
  auto value = uint32_t(thread.lane() - 7);
  answer(thread, thread.calls.reduce(thread.handle, Op, Type, ~0u, value, 0),
         0);
}

TEST(EmulatedInstructions, ReductionsOfWarps) {
  EXPECT_EQ(runWarp(asKernel<reduce<MOERT_KERNEL_ADD, MOERT_KERNEL_S32>>)[6],
            uint32_t(31 * 16 - 7 * 32));
  EXPECT_EQ(runWarp(asKernel<reduce<MOERT_KERNEL_MIN, MOERT_KERNEL_S32>>)[6],
            uint32_t(-7));
  EXPECT_EQ(runWarp(asKernel<reduce<MOERT_KERNEL_MIN, MOERT_KERNEL_U32>>)[6],
            0u);
  EXPECT_EQ(runWarp(asKernel<reduce<MOERT_KERNEL_MAX, MOERT_KERNEL_S32>>)[6],
            24u);
  EXPECT_EQ(runWarp(asKernel<reduce<MOERT_KERNEL_OR, MOERT_KERNEL_U32>>)[6],
            ~0u);
}

//===----------------------------------------------------------------------===//
// atom
//===----------------------------------------------------------------------===//

/// What an operation leaves where 10 was, and returns.
template <uint32_t Op, uint32_t Value>
static void update(const Thread &thread) {
  uint64_t place = thread.shared();
  if (thread.lane() == 0) {
    thread.store(place, uint32_t(10));
    auto old = uint32_t(thread.calls.atomic(thread.handle, Op, MOERT_KERNEL_S32,
                                            place, Value, 10, 0));
    answer(thread, thread.load<uint32_t>(place), old);
  }
}

static uint32_t afterUpdate(moert_kernel_body body) {
  KernelMachine machine;
  cuda::Pointer to = machine.device.allocate(8);
  machine.launch(body, {1, 32, 4}, {to});
  std::vector<uint32_t> words = machine.download<uint32_t>(to, 2);
  EXPECT_EQ(words[1], 10u);
  return words[0];
}

TEST(EmulatedInstructions, AtomicsReturnWhatWasThere) {
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_ADD, ~0u>>), 9u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_MIN, ~0u>>), ~0u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_MAX, ~0u>>), 10u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_XOR, 3>>), 9u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_EXCHANGE, 3>>), 3u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_COMPARE_AND_SWAP, 3>>),
            3u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_INCREMENT, 10>>), 0u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_INCREMENT, 11>>), 11u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_DECREMENT, 9>>), 9u);
  EXPECT_EQ(afterUpdate(asKernel<update<MOERT_KERNEL_DECREMENT, 11>>), 9u);
}

//===----------------------------------------------------------------------===//
// cp.async
//===----------------------------------------------------------------------===//

/// Copies in two groups and waits for the first; of its second copy only 4
/// bytes are read.
static void copyAndWait(const Thread &thread) {
  if (thread.lane() != 0) {
    return;
  }
  uint64_t from = thread.argument(0), to = thread.argument(1);
  thread.copyAsync(thread.shared(), from, 16);
  thread.calls.copy_async(thread.handle, thread.shared() + 16, from + 16, 8, 4,
                          0);
  thread.commit();
  thread.copyAsync(thread.shared() + 24, from + 24, 4);
  thread.commit();
  thread.wait(1);
  for (uint32_t offset = 0; offset < 24; offset += 4) {
    thread.store(to + offset, thread.load<uint32_t>(thread.shared() + offset));
  }
  thread.wait(0);
  thread.store(to + 24, thread.load<uint32_t>(thread.shared() + 24));
}

TEST(EmulatedInstructions, GroupsOfCopiesAreWaitedForInOrder) {
  for (const MachineOptions &options : manySeeds()) {
    KernelMachine machine(options);
    cuda::Pointer to = machine.device.allocate(28);
    machine.launch(
        asKernel<copyAndWait>, {1, 32, 28},
        {machine.upload(std::vector<int32_t>{1, 2, 3, 4, 5, 6, 7}), to});
    EXPECT_EQ(machine.download<int32_t>(to, 7),
              (std::vector<int32_t>{1, 2, 3, 4, 5, 0, 7}));
    EXPECT_TRUE(machine.findings().empty());
  }
}

//===----------------------------------------------------------------------===//
// Approximations
//===----------------------------------------------------------------------===//

static void approximateAll(const Thread &thread) {
  auto function = uint32_t(thread.argument(2));
  for (uint64_t i = thread.lane(); i < thread.argument(3); i += 32) {
    thread.store(thread.argument(1) + 4 * i,
                 thread.calls.approximate(
                     thread.handle, function,
                     thread.load<float>(thread.argument(0) + 4 * i)));
  }
}

static std::vector<float>
approximateOnDevice(uint32_t function, const std::vector<float> &values) {
  KernelMachine machine;
  cuda::Pointer to = machine.device.allocate(values.size() * 4);
  machine.launch(asKernel<approximateAll>, {},
                 {machine.upload(values), to, function, values.size()});
  return machine.download<float>(to, values.size());
}

TEST(EmulatedInstructions, ApproximationsAreWithinOneUnitInTheLastPlace) {
  struct Function {
    uint32_t function;
    float first;
    float last;
    double (*exact)(double);
  };
  const Function functions[] = {
      {MOERT_KERNEL_EX2, -126, 127.9f, [](double x) { return std::exp2(x); }},
      {MOERT_KERNEL_LG2, 1e-37f, 40, [](double x) { return std::log2(x); }},
      {MOERT_KERNEL_RCP, 0.01f, 40, [](double x) { return 1 / x; }},
      {MOERT_KERNEL_RSQRT, 0.01f, 40,
       [](double x) { return 1 / std::sqrt(x); }},
      {MOERT_KERNEL_SQRT, 0, 40, [](double x) { return std::sqrt(x); }},
      {MOERT_KERNEL_TANH, -9, 9, [](double x) { return std::tanh(x); }},
      {MOERT_KERNEL_SIN, -3.2f, 3.2f, [](double x) { return std::sin(x); }},
      {MOERT_KERNEL_COS, -3.2f, 3.2f, [](double x) { return std::cos(x); }}};
  for (const Function &function : functions) {
    std::vector<float> values;
    for (int i = 0; i <= 1000; ++i) {
      values.push_back(function.first +
                       (function.last - function.first) * float(i) / 1000);
    }
    std::vector<float> results = approximateOnDevice(function.function, values);
    for (size_t i = 0; i < values.size(); ++i) {
      double exact = function.exact(values[i]);
      auto nearest = float(exact);
      float next = std::nextafter(nearest, INFINITY);
      // sin and cos are promised to be near in absolute terms only.
      double unit = std::max<double>(next - nearest, 1e-12);
      EXPECT_LE(std::fabs(results[i] - exact), unit)
          << "function " << function.function << " of " << values[i];
    }
  }
}

TEST(EmulatedInstructions, ApproximationsOfSpecialValues) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(approximateOnDevice(MOERT_KERNEL_EX2, {-inf, 0, 128, -150, -149}),
            (std::vector<float>{0, 1, inf, 0, 0x1p-149f}));
  EXPECT_EQ(
      approximateOnDevice(MOERT_KERNEL_EX2 | MOERT_KERNEL_FLUSH, {-149, -126}),
      (std::vector<float>{0, 0x1p-126f}));
  EXPECT_EQ(approximateOnDevice(MOERT_KERNEL_LG2, {0, 1, 8, inf}),
            (std::vector<float>{-inf, 0, 3, inf}));
  EXPECT_EQ(approximateOnDevice(MOERT_KERNEL_RSQRT, {0, 4, inf}),
            (std::vector<float>{inf, 0.5f, 0}));
  EXPECT_EQ(approximateOnDevice(MOERT_KERNEL_TANH, {-inf, 0, inf}),
            (std::vector<float>{-1, 0, 1}));
  EXPECT_TRUE(std::isnan(approximateOnDevice(MOERT_KERNEL_LG2, {-1})[0]));
  EXPECT_TRUE(std::isnan(approximateOnDevice(MOERT_KERNEL_COS, {inf})[0]));
}

//===----------------------------------------------------------------------===//
// Special registers and residency
//===----------------------------------------------------------------------===//

/// Persistent: blocks take rows until none is left.
static void strideOverRows(const Thread &thread) {
  for (uint64_t row = thread.block(); row < thread.argument(1);
       row += thread.blocks()) {
    uint64_t place =
        thread.argument(0) + 4 * (row * thread.threads() + thread.index());
    thread.store(place, uint32_t(row * 1000 + thread.block()));
  }
}

TEST(EmulatedInstructions, AGridOfResidentBlocksCoversAllRows) {
  for (const MachineOptions &options : manySeeds()) {
    KernelMachine machine(options);
    cuda::Pointer to = machine.device.allocate(37 * 40 * 4);
    // 4 multiprocessors with two blocks each; warps of 32 and of 8 lanes.
    machine.launch(asKernel<strideOverRows>, {8, 40, 0}, {to, 37});
    std::vector<uint32_t> words = machine.download<uint32_t>(to, 37 * 40);
    for (size_t i = 0; i < words.size(); ++i) {
      EXPECT_EQ(words[i], i / 40 * 1000 + i / 40 % 8);
    }
    EXPECT_TRUE(machine.findings().empty());
  }
}
