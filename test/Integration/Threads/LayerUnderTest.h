// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One layer of a small model, planned as a test asks for, and what it must
// compute: N ranks = one rank = the program that was never partitioned, bit
// for bit, and bytes counted = bytes planned for the routing that occurred.
#ifndef MOE_TEST_INTEGRATION_THREADS_LAYERUNDERTEST_H
#define MOE_TEST_INTEGRATION_THREADS_LAYERUNDERTEST_H

#include "moe/Runner/Session.h"

#include "gtest/gtest.h"

namespace moe::integration {

/// How rows travel: by an exchange of the plan, which is split into start and
/// wait, with independent work between them, or whole.
struct Form {
  const char *name;
  const char *exchange;
  bool overlaps;
};

inline constexpr Form exact{"exact", "flat_exact", true};
inline constexpr Form exactWhole{"exact_whole", "flat_exact", false};
inline constexpr Form bounded{"bounded", "flat_bounded", true};
inline constexpr Form boundedWhole{"bounded_whole", "flat_bounded", false};

struct LayerSpec {
  /// A file of test/Inputs/models, without its ending.
  std::string model;
  /// Options of the plan pipeline; "mesh=ep=3".
  std::string plan = "mesh=ep=1";
  /// The token dimension; none: dynamic.
  std::optional<int64_t> staticTokens = std::nullopt;
  /// Of a model with capacity; none: all tokens are one sequence.
  std::optional<int64_t> sequenceLength = std::nullopt;
  /// Instead of the file's moe_intermediate_size.
  std::optional<int64_t> expertWidth = std::nullopt;
  /// The module's seed, weights, CPU, overlap, movement, routing as an input.
  runner::SessionOptions session = {};

  /// Adds a form to the plan.
  void setForm(const Form &form);
};

/// The layer on one rank, and what it computed: many tests compare with it.
class OneRank;

class LayerUnderTest {
public:
  explicit LayerUnderTest(const LayerSpec &spec);

  const runner::ProgramFacts &facts() const { return session->facts(); }
  const runner::PlannedLayer &layer() const {
    return session->layers().front();
  }
  runner::ProgramInput randomInput(int64_t tokens) const {
    return llvm::cantFail(session->randomInput(tokens));
  }

  /// Runs the layer and compares it with the same layer on one rank and with
  /// the program that was not partitioned. Gives the result.
  runner::ProgramResult expectEqual(const runner::ProgramInput &input);

private:
  void expectPlannedTraffic(const runner::ProgramRun &run) const;

  std::unique_ptr<runner::Session> session;
  OneRank *alone;
};

/// What the plan pipeline says when it refuses a plan; "" when it takes it.
std::string refusalOf(const LayerSpec &spec);

/// Random tokens; zeros, whose scores are all equal; and one token again and
/// again, so that all choose the same experts.
std::vector<runner::ProgramInput> makeInputs(const LayerUnderTest &layer,
                                             int64_t tokens);

/// Letters and digits of a plan, for the names of tests.
std::string nameOf(llvm::StringRef plan);

} // namespace moe::integration

#endif // MOE_TEST_INTEGRATION_THREADS_LAYERUNDERTEST_H
