// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every small model of test/Inputs/models on meshes of each kind, its last
// layer with experts, with the model's own router.

#include "LayerUnderTest.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace moe::integration;
using namespace moe::runner;

namespace {
struct Model {
  std::string name;
  std::string layer;
  std::optional<int64_t> sequenceLength;
};

using Parameters = std::tuple<Model, const char *>;
class Families : public testing::TestWithParam<Parameters> {};
} // namespace

/// What the goldens of the reference were made of.
static std::vector<Model> readModels() {
  auto text = llvm::MemoryBuffer::getFile(MOE_TEST_FOLDER
                                          "/Reference/goldens/index.json");
  llvm::json::Value index =
      llvm::cantFail(llvm::json::parse(text ? (*text)->getBuffer() : "{}"));
  std::vector<Model> models;
  for (const auto &[name, value] : *index.getAsObject()) {
    const llvm::json::Object &entry = *value.getAsObject();
    Model model{name.str(), "", entry.getInteger("sequence_length")};
    if (auto number = entry.getInteger("layer")) {
      model.layer = std::to_string(*number);
    } else {
      model.layer = entry.getString("layer")->str();
    }
    models.push_back(model);
  }
  llvm::sort(models, [](const Model &left, const Model &right) {
    return left.name < right.name;
  });
  return models;
}

TEST_P(Families, EqualOneRankAndOneProgram) {
  auto [model, plan] = GetParam();
  // Experts of 39 columns, which have no halves.
  if (llvm::StringRef(plan).contains("etp") &&
      llvm::StringRef(model.name).starts_with("glm4-moe-tiny")) {
    GTEST_SKIP();
  }
  LayerSpec spec{model.name, plan};
  spec.sequenceLength = model.sequenceLength;
  spec.session.layer = model.layer;
  spec.session.seed = 3;
  LayerUnderTest layer(spec);
  // No token, one, fewer than ranks, and numbers that no mesh divides.
  for (int64_t tokens : {33, 13, 3, 1, 0}) {
    SCOPED_TRACE(std::to_string(tokens) + " tokens");
    layer.expectEqual(layer.randomInput(tokens));
  }
}

static std::string
parametersName(const testing::TestParamInfo<Parameters> &info) {
  auto [model, plan] = info.param;
  return nameOf(model.name) + "_" + nameOf(plan);
}

INSTANTIATE_TEST_SUITE_P(
    Meshes, Families,
    testing::Combine(testing::ValuesIn(readModels()),
                     testing::Values("mesh=ep=2 exchange=flat_bounded",
                                     "mesh=ep=3", "mesh=ep=4",
                                     "mesh=ep=5 exchange=flat_bounded",
                                     "mesh=ep=8", "mesh=dp=2,ep=2",
                                     "mesh=ep=2,etp=2")),
    parametersName);
