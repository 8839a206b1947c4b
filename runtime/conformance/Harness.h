// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Harness.h - Running the conformance suite on a transport -*- C++ -*-===//
//
// A transport passes if every test of this folder does. To test another one,
// add it to transportsUnderTest.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_CONFORMANCE_HARNESS_H
#define MOERT_CONFORMANCE_HARNESS_H

#include "moert/moert.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace moert::conformance {

/// The memory that a rank's collectives work on.
class RankMemory {
public:
  virtual ~RankMemory() = default;

  virtual void *allocate(size_t bytes) = 0;
  virtual void free(void *pointer) = 0;
  /// Queue a copy from or to the host, which reads `from` when it runs.
  virtual void write(void *to, const void *from, size_t bytes) = 0;
  virtual void read(void *to, const void *from, size_t bytes) = 0;
  /// What is queued is done, also where the job has failed.
  virtual void finish() = 0;
  /// What the rank's collectives are ordered by; null on the host.
  virtual moert_stream stream() const = 0;
};

/// One rank, as the body of a test sees it. A call returns when its destination
/// can be read, also where the transport only orders streams.
class Rank {
public:
  Rank(moert_context *context, RankMemory &memory);

  moert_context *const context;
  RankMemory &memory;
  const int32_t rank;
  const int32_t size;

  moert_comm *comm(int32_t set = MOERT_WORLD) const;
  moert_status run(const moert_collective &call,
                   int32_t set = MOERT_WORLD) const;
  moert_pending start(const moert_collective &call,
                      int32_t set = MOERT_WORLD) const;
  moert_status wait(moert_pending pending, int32_t set = MOERT_WORLD) const;
  moert_status status() const;
  int64_t query(moert_capability capability) const;
};

/// Elements in a rank's memory, exactly as many as it is made with, so that a
/// sanitizer or an emulated device sees any access beyond.
template <typename T> class Buffer {
public:
  Buffer(const Rank &rank, std::vector<T> values)
      : memory(&rank.memory), values(std::move(values)),
        place(memory->allocate(bytes())) {
    memory->write(place, this->values.data(), bytes());
  }
  Buffer(Buffer &&other) noexcept
      : memory(other.memory), values(std::move(other.values)),
        place(other.place) {
    other.place = nullptr;
  }
  ~Buffer() {
    if (place) {
      memory->finish();
      memory->free(place);
    }
  }

  /// For descriptors only: the host may not be able to read it.
  T *data() const { return static_cast<T *>(place); }
  /// What is there once all that is queued is done.
  const std::vector<T> &read() {
    memory->read(values.data(), place, bytes());
    memory->finish();
    return values;
  }

private:
  size_t bytes() const { return values.size() * sizeof(T); }

  RankMemory *memory;
  /// What was written and what was read: a copy may be under way.
  std::vector<T> values;
  void *place;
};

moert_collective makeCall(moert_kind kind, int32_t id, int32_t layer = -1);

struct Job {
  int32_t ranks = 1;
  /// 0: the transport's default.
  int64_t deadlineNs = 0;
  int32_t corePermits = 0;
  /// Lists of groups; each becomes a set.
  std::vector<std::vector<std::vector<int32_t>>> sets = {};
};

struct Outcome {
  moert_status status;
  std::string text;
  double seconds;
};

using Body = std::function<void(Rank &)>;

/// A transport with its options.
struct TransportUnderTest {
  const char *name;
  moert_movement movement;
  /// Runs the body on every rank and returns the job's first failure.
  Outcome (*run)(const TransportUnderTest &transport, const Job &job,
                 const Body &body);
  /// The transport works on devices, and has not more than this many; 0: on
  /// threads of the host, as many as one likes.
  int32_t devices = 0;
  /// Of the emulated devices' scheduler.
  uint64_t seed = 0;
};

std::vector<TransportUnderTest> transportsUnderTest();
/// Of these, the threads transport in all its movements.
std::vector<TransportUnderTest> threadsUnderTest();

/// Base of all suites.
class TransportTest : public testing::TestWithParam<TransportUnderTest> {
protected:
  Outcome run(const Job &job, const Body &body) const {
    return GetParam().run(GetParam(), job, body);
  }
  bool onDevices() const { return GetParam().devices > 0; }
  /// The numbers of ranks that data tests run with.
  std::vector<int32_t> rankCounts() const;
  void expectOk(const Job &job, const Body &body) const {
    if (onDevices() && job.ranks > GetParam().devices) {
      GTEST_SKIP() << "needs " << job.ranks << " devices, but there are "
                   << GetParam().devices;
    }
    Outcome outcome = run(job, body);
    EXPECT_EQ(outcome.status, MOERT_OK) << outcome.text;
  }
};

std::string transportName(const testing::TestParamInfo<TransportUnderTest> &);

#define MOERT_FOR_ALL_TRANSPORTS(suite)                                        \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      Transports, suite,                                                       \
      testing::ValuesIn(moert::conformance::transportsUnderTest()),            \
      moert::conformance::transportName)

/// For a suite about what only ranks that are threads promise.
#define MOERT_FOR_THREADS(suite)                                               \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      Transports, suite,                                                       \
      testing::ValuesIn(moert::conformance::threadsUnderTest()),               \
      moert::conformance::transportName)

/// A value that differs by sender, receiver and index.
inline int32_t mark(int32_t from, int32_t to, int32_t index) {
  return from * 1000003 + to * 10007 + index;
}

/// A job's sets in the ABI's form; refer to its own members.
struct FlatSets {
  explicit FlatSets(const Job &job);
  FlatSets(const FlatSets &) = delete;

  std::vector<std::vector<int32_t>> offsets;
  std::vector<std::vector<int32_t>> ranks;
  std::vector<moert_group_set> sets;
};

/// Runs a job on N emulated devices.
Outcome runEmulated(const TransportUnderTest &transport, const Job &job,
                    const Body &body);
/// Runs a job on the machine's own devices.
Outcome runNccl(const TransportUnderTest &transport, const Job &job,
                const Body &body);
/// Devices of the machine; 0 with the reason where there are none to be used.
int32_t countDevices(std::string &reason);

/// Exclusive prefix sums of the counts.
std::vector<int32_t> prefixSums(const std::vector<int32_t> &counts);

} // namespace moert::conformance

#endif // MOERT_CONFORMANCE_HARNESS_H
