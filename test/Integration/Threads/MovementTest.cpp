// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs with start and wait on transports that move data at one end of what
// is allowed: only when all ranks wait, or before start returns. A program
// that touches a buffer in flight computes something else on one of them.

#include "LayerUnderTest.h"

using namespace moe::integration;
using namespace moe::runner;

namespace {
using Parameters = std::tuple<const char *, const char *, moert_movement>;
class Movement : public testing::TestWithParam<Parameters> {};
} // namespace

TEST_P(Movement, DoesNotShow) {
  auto [model, plan, movement] = GetParam();
  LayerSpec spec{model};
  spec.plan = plan;
  spec.session.movement = movement;
  LayerUnderTest layer(spec);
  for (int64_t tokens : {64, 3, 0, 200}) {
    SCOPED_TRACE(std::to_string(tokens) + " tokens");
    layer.expectEqual(layer.randomInput(tokens));
  }
}

static std::string
parametersName(const testing::TestParamInfo<Parameters> &info) {
  auto [model, plan, movement] = info.param;
  return nameOf(model) + "_" + nameOf(plan) +
         (movement == MOERT_MOVE_LATE ? "_late" : "_early");
}

INSTANTIATE_TEST_SUITE_P(
    Transports, Movement,
    testing::Combine(testing::Values("qwen2-moe-tiny", "deepseek-v3-tiny-bf16"),
                     testing::Values("mesh=ep=4 exchange=flat_bounded",
                                     "mesh=ep=3", "mesh=dp=2,ep=2,etp=2"),
                     testing::Values(MOERT_MOVE_LATE, MOERT_MOVE_EARLY)),
    parametersName);
