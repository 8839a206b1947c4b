// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Routings at the edge of what there is, given as an input: all tokens on one
// expert, ranks without a row, tokens without an expert.

#include "TinyModels.h"

using namespace moe::integration;
using namespace moe::runner;

namespace {
struct Extreme {
  const char *name;
  /// The expert of a token's choice, of `experts` and `choices` in all.
  int64_t (*expert)(int64_t token, int64_t choice, int64_t experts,
                    int64_t tokens);
};

using Parameters = std::tuple<std::string, const char *, Form>;
class RoutingExtremes : public testing::TestWithParam<Parameters> {};

using FamilyParameters = std::tuple<Form, TinyModel>;
class FamiliesAtExtremes : public testing::TestWithParam<FamilyParameters> {};
} // namespace

static const Extreme extremes[] = {
    {"all tokens on the first expert",
     [](int64_t, int64_t choice, int64_t, int64_t) -> int64_t {
       return choice == 0 ? 0 : -1;
     }},
    {"all tokens on the last expert",
     [](int64_t, int64_t choice, int64_t experts, int64_t) -> int64_t {
       return choice == 0 ? experts - 1 : -1;
     }},
    {"all tokens on the same experts",
     [](int64_t, int64_t choice, int64_t experts, int64_t) {
       return experts - 1 - choice;
     }},
    {"a first choice that is none",
     [](int64_t token, int64_t choice, int64_t experts, int64_t) {
       return choice == 0 ? -1 : (token + choice) % experts;
     }},
    {"only the last token has an expert",
     [](int64_t token, int64_t choice, int64_t experts, int64_t tokens) {
       return token + 1 == tokens ? choice % experts : -1;
     }},
    {"no token has an expert",
     [](int64_t, int64_t, int64_t, int64_t) -> int64_t { return -1; }},
};

static RoutingArray makeRouting(const Extreme &extreme,
                                const PlannedLayer &layer, int64_t tokens) {
  RoutingArray routing;
  routing.tokens = tokens;
  routing.choices = layer.traffic.choices;
  for (int64_t token = 0; token < tokens; ++token) {
    for (int64_t choice = 0; choice < routing.choices; ++choice) {
      routing.experts.push_back(
          extreme.expert(token, choice, layer.experts, tokens));
      routing.weights.push_back(1.0f / static_cast<float>(token + choice + 2));
    }
  }
  return routing;
}

static void expectEqualAtExtremes(LayerSpec spec, const Form &form) {
  spec.setForm(form);
  spec.session.takesRouting = true;
  spec.session.seed = 11;
  LayerUnderTest layer(spec);
  for (const Extreme &extreme : extremes) {
    // Fewer tokens than ranks, not divisible by them, and then divisible.
    for (int64_t tokens : {1, 5, 24}) {
      SCOPED_TRACE(std::string(extreme.name) + ", " + std::to_string(tokens) +
                   " tokens");
      ProgramInput input = layer.randomInput(tokens);
      input.routing = makeRouting(extreme, layer.layer(), tokens);
      ProgramResult result = layer.expectEqual(input);
      EXPECT_EQ(result.routings[0].experts, input.routing->experts);
    }
  }
}

TEST_P(RoutingExtremes, EqualOneRankAndOneProgram) {
  auto [model, mesh, form] = GetParam();
  expectEqualAtExtremes(LayerSpec{model, mesh}, form);
}

// Without LLVM's optimiser, as in FamiliesTest.cpp.
TEST_P(FamiliesAtExtremes, EqualOneRankAndOneProgram) {
  auto [form, model] = GetParam();
  LayerSpec spec = model.makeSpec("mesh=ep=8");
  spec.session.optLevel = 0;
  expectEqualAtExtremes(spec, form);
}

static std::string
parametersName(const testing::TestParamInfo<Parameters> &info) {
  auto [model, mesh, form] = info.param;
  return nameOf(model) + "_" + nameOf(mesh) + "_" + form.name;
}

// A shared expert, which moves between start and wait; ten experts, uneven.
INSTANTIATE_TEST_SUITE_P(
    SharedExpert, RoutingExtremes,
    testing::Combine(testing::Values("qwen2-moe-tiny"),
                     testing::Values("mesh=ep=3", "mesh=ep=8",
                                     "mesh=dp=2,ep=2"),
                     testing::Values(exact, exactWhole, bounded, boundedWhole)),
    parametersName);

// Tensor axes inside the experts; columns come home in parts.
INSTANTIATE_TEST_SUITE_P(TensorAxis, RoutingExtremes,
                         testing::Combine(testing::Values("deepseek-v3-tiny-"
                                                          "bf16"),
                                          testing::Values("mesh=ep=2,etp=2"),
                                          testing::Values(exact, bounded)),
                         parametersName);

// A token without an expert returns itself, times its weight.
INSTANTIATE_TEST_SUITE_P(Dropped, RoutingExtremes,
                         testing::Combine(testing::Values("switch-tiny"),
                                          testing::Values("mesh=ep=5"),
                                          testing::Values(exact, bounded)),
                         parametersName);

static std::string
familyName(const testing::TestParamInfo<FamilyParameters> &info) {
  auto [form, model] = info.param;
  return nameOf(model.name) + "_" + form.name;
}

INSTANTIATE_TEST_SUITE_P(Forms, FamiliesAtExtremes,
                         testing::Combine(testing::Values(exact, boundedWhole),
                                          testing::ValuesIn(tinyModels())),
                         familyName);
