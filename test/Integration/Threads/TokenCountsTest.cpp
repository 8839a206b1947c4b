// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One dynamic module at many token counts, with the model's own router: equal
// scores, tokens that all choose alike, ranks without a token.

#include "LayerUnderTest.h"

using namespace moe::integration;
using namespace moe::runner;

namespace {
using Parameters = std::tuple<const char *, const char *>;
class TokenCounts : public testing::TestWithParam<Parameters> {};
} // namespace

TEST_P(TokenCounts, OneModuleServesAll) {
  auto [model, plan] = GetParam();
  LayerSpec spec{model};
  spec.plan = plan;
  spec.session.seed = 5;
  LayerUnderTest layer(spec);
  // Down, up and again, so that nothing is left over from the run before.
  for (int64_t tokens : {33, 0, 1, 2, 7, 257, 7}) {
    for (const ProgramInput &input : makeInputs(layer, tokens)) {
      SCOPED_TRACE(std::to_string(tokens) + " tokens");
      ProgramResult result = layer.expectEqual(input);
      EXPECT_EQ(result.outputs[0].rows, tokens);
      EXPECT_EQ(result.routings[0].tokens, tokens);
    }
  }
}

TEST(StaticTokens, MayBeFewerThanRanks) {
  for (int64_t tokens : {1, 3, 13}) {
    LayerSpec spec{"mixtral-tiny"};
    spec.plan = "mesh=ep=5";
    spec.staticTokens = tokens;
    LayerUnderTest layer(spec);
    layer.expectEqual(layer.randomInput(tokens));
  }
}

static std::string
parametersName(const testing::TestParamInfo<Parameters> &info) {
  auto [model, plan] = info.param;
  return nameOf(model) + "_" + nameOf(plan);
}

INSTANTIATE_TEST_SUITE_P(
    Meshes, TokenCounts,
    testing::Combine(testing::Values("qwen2-moe-tiny"),
                     testing::Values("mesh=ep=4",
                                     "mesh=ep=8 exchange=flat_"
                                     "bounded",
                                     "mesh=dp=2,ep=3", "mesh=ep=2,etp=4")),
    parametersName);

// One dimension over two axes: experts, tokens, or both are folded.
INSTANTIATE_TEST_SUITE_P(
    FoldedAxes, TokenCounts,
    testing::Combine(
        testing::Values("deepseek-v2-tiny"),
        testing::Values("mesh=dp=2,tp=3 expert-axes=dp,tp token-axes=dp,tp",
                        "mesh=dp=2,tp=2 expert-axes=dp,tp token-axes=dp",
                        "mesh=dp=2,tp=2 expert-axes=tp,dp token-axes=dp,tp",
                        "mesh=dp=2,ep=2,tp=2 expert-axes=ep,tp "
                        "token-axes=dp,ep",
                        "mesh=dp=2,cp=2,ep=2 expert-axes=dp,ep "
                        "expert-tensor-axes=cp token-axes=dp,ep")),
    parametersName);
