// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every family's MoE layer, with the model's own router, against one rank and
// against the program that was not partitioned. The full cross of
//   the small models in f32 (of Mixtral, Qwen2-MoE, Qwen3-MoE, OLMoE,
//   DeepSeek-V2, its Lite, DeepSeek-V3, Kimi-K2, GLM-4.5, Switch)
//   × ep in {1, 2, 3, 4, 5, 8}
//   × rows exchanged exact or bounded
//   × exchanges split into start and wait, or whole (the same code where a
//     model has no shared expert, which is what may stand between them)
// runs on 33, 7, 1 and 0 tokens: numbers that no mesh divides, fewer tokens
// than ranks, ranks without a token, none at all; and on 7 tokens whose scores
// are all equal or that all choose the same experts.
//
// The rest is a covering, since all of it would take too long:
// - the models in bf16 on each of these ep, bounded and split;
// - every model, f32 and bf16, on each of `otherMeshes` (dp × ep, etp, folded
//   axes, placements with replicas, more ranks than experts), in one form each,
//   the two models of a family in different ones;
// - every model with all tokens on one expert: RoutingExtremesTest.cpp.
//
// LLVM's optimiser is off, since nothing that is tested here depends on it and
// it would take most of the time; the other tests of this folder have it on.

#include "TinyModels.h"

#include "llvm/Support/FormatVariadic.h"

using namespace moe::integration;
using namespace moe::runner;

namespace {
struct OtherMesh {
  const char *name;
  const char *plan;
  /// Of the axes inside the experts.
  int64_t columnParts = 1;
};

using ExpertAxisParameters = std::tuple<int64_t, Form, TinyModel>;
class FamiliesOnExpertAxis
    : public testing::TestWithParam<ExpertAxisParameters> {};

using OtherMeshParameters = std::tuple<size_t, size_t>;
class FamiliesOnOtherMeshes
    : public testing::TestWithParam<OtherMeshParameters> {};
} // namespace

static constexpr Form forms[] = {exact, bounded, exactWhole, boundedWhole};

static const OtherMesh otherMeshes[] = {
    {"data", "mesh=dp=2,ep=3"},
    {"columns", "mesh=ep=2,etp=2", 2},
    {"data_columns", "mesh=dp=2,ep=2,etp=2", 2},
    {"folded", "mesh=dp=2,tp=2 expert-axes=dp,tp token-axes=dp,tp"},
    {"round_robin", "mesh=ep=4 placement=round_robin"},
    {"replicas", "mesh=ep=5 placement=joint replicas=3"},
    // More than any of Mixtral, Qwen2 and Switch has experts.
    {"many_ranks", "mesh=ep=11"},
};

static void setUp(LayerSpec &spec, const Form &form) {
  spec.setForm(form);
  spec.session.seed = 3;
  spec.session.optLevel = 0;
}

TEST_P(FamiliesOnExpertAxis, EqualOneRankAndOneProgram) {
  auto [ranks, form, model] = GetParam();
  LayerSpec spec = model.makeSpec("mesh=ep=" + std::to_string(ranks));
  setUp(spec, form);
  LayerUnderTest layer(spec);
  ASSERT_EQ(layer.facts().ranks, ranks);
  for (int64_t tokens : {33, 1, 0}) {
    SCOPED_TRACE(std::to_string(tokens) + " tokens");
    layer.expectEqual(layer.randomInput(tokens));
  }
  for (const ProgramInput &input : makeInputs(layer, 7)) {
    layer.expectEqual(input);
  }
}

/// The width of this model's experts has no halves, which it says; a width that
/// has, in the ratio of GLM-4.5's 1536 to its 5120 columns, takes its place.
static void takeWidthWithHalves(const TinyModel &model, LayerSpec &spec) {
  if (llvm::StringRef(model.name).starts_with("glm4-moe-tiny")) {
    EXPECT_NE(refusalOf(spec).find("expected columns that the 2 ranks of the "
                                   "expert tensor axes divide, but got 39"),
              std::string::npos)
        << refusalOf(spec);
    spec.expertWidth = 24;
  }
}

TEST_P(FamiliesOnOtherMeshes, EqualOneRankAndOneProgram) {
  auto [meshIndex, modelIndex] = GetParam();
  const OtherMesh &mesh = otherMeshes[meshIndex];
  const TinyModel &model = tinyModels()[modelIndex];
  LayerSpec spec = model.makeSpec(mesh.plan);
  setUp(spec, forms[(meshIndex + modelIndex) % std::size(forms)]);
  if (mesh.columnParts > 1) {
    takeWidthWithHalves(model, spec);
  }
  LayerUnderTest layer(spec);
  for (int64_t tokens : {33, 7, 0}) {
    for (const ProgramInput &input : makeInputs(layer, tokens)) {
      SCOPED_TRACE(std::to_string(tokens) + " tokens");
      layer.expectEqual(input);
    }
  }
}

static std::string
expertAxisName(const testing::TestParamInfo<ExpertAxisParameters> &info) {
  auto [ranks, form, model] = info.param;
  return llvm::formatv("{0}_ep_{1}_{2}", nameOf(model.name), ranks, form.name)
      .str();
}

static std::string
otherMeshName(const testing::TestParamInfo<OtherMeshParameters> &info) {
  auto [mesh, model] = info.param;
  return nameOf(tinyModels()[model].name) + "_" + otherMeshes[mesh].name;
}

static std::vector<TinyModel> modelsIn(bool bf16) {
  std::vector<TinyModel> models;
  llvm::copy_if(tinyModels(), std::back_inserter(models),
                [&](const TinyModel &model) {
                  return llvm::StringRef(model.name).ends_with("bf16") == bf16;
                });
  return models;
}

// The model comes last, so that two processes that take turns share the models
// out and compile each one's programs of one rank once.
static const auto expertRanks = testing::Values(1, 2, 3, 4, 5, 8);

INSTANTIATE_TEST_SUITE_P(F32, FamiliesOnExpertAxis,
                         testing::Combine(expertRanks, testing::ValuesIn(forms),
                                          testing::ValuesIn(modelsIn(false))),
                         expertAxisName);

INSTANTIATE_TEST_SUITE_P(BF16, FamiliesOnExpertAxis,
                         testing::Combine(expertRanks, testing::Values(bounded),
                                          testing::ValuesIn(modelsIn(true))),
                         expertAxisName);

INSTANTIATE_TEST_SUITE_P(
    Meshes, FamiliesOnOtherMeshes,
    testing::Combine(testing::Range<size_t>(0, std::size(otherMeshes)),
                     testing::Range<size_t>(0, tinyModels().size())),
    otherMeshName);
