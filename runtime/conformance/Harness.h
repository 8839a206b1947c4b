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

/// One rank, as the body of a test sees it.
class Rank {
public:
  explicit Rank(moert_context *context);

  moert_context *const context;
  const int32_t rank;
  const int32_t size;

  moert_comm *comm(int32_t set = MOERT_WORLD) const;
  moert_status run(const moert_collective &call,
                   int32_t set = MOERT_WORLD) const;
  moert_pending start(const moert_collective &call,
                      int32_t set = MOERT_WORLD) const;
  moert_status wait(moert_pending pending, int32_t set = MOERT_WORLD) const;
  moert_status status() const;
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
};

std::vector<TransportUnderTest> transportsUnderTest();

/// Base of all suites.
class TransportTest : public testing::TestWithParam<TransportUnderTest> {
protected:
  Outcome run(const Job &job, const Body &body) const {
    return GetParam().run(GetParam(), job, body);
  }
  void expectOk(const Job &job, const Body &body) const {
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

/// The numbers of ranks that data tests run with.
inline const std::vector<int32_t> rankCounts = {1, 2, 3, 4, 5, 6, 7, 8, 33};

/// A value that differs by sender, receiver and index.
inline int32_t mark(int32_t from, int32_t to, int32_t index) {
  return from * 1000003 + to * 10007 + index;
}

/// Exclusive prefix sums of the counts.
std::vector<int32_t> prefixSums(const std::vector<int32_t> &counts);

} // namespace moert::conformance

#endif // MOERT_CONFORMANCE_HARNESS_H
