// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TinyModels.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace moe::integration;

static std::vector<TinyModel> readModels() {
  auto text = llvm::MemoryBuffer::getFile(MOE_TEST_FOLDER
                                          "/Reference/goldens/index.json");
  llvm::json::Value index =
      llvm::cantFail(llvm::json::parse(text ? (*text)->getBuffer() : "{}"));
  std::vector<TinyModel> models;
  for (const auto &[name, value] : *index.getAsObject()) {
    const llvm::json::Object &entry = *value.getAsObject();
    TinyModel model{name.str(), "", entry.getInteger("sequence_length")};
    if (auto number = entry.getInteger("layer")) {
      model.layer = std::to_string(*number);
    } else {
      model.layer = entry.getString("layer")->str();
    }
    models.push_back(model);
  }
  llvm::sort(models, [](const TinyModel &left, const TinyModel &right) {
    return left.name < right.name;
  });
  return models;
}

const std::vector<TinyModel> &moe::integration::tinyModels() {
  static const std::vector<TinyModel> models = readModels();
  return models;
}

LayerSpec TinyModel::makeSpec(const std::string &plan) const {
  LayerSpec spec{name, plan};
  spec.sequenceLength = sequenceLength;
  spec.session.layer = layer;
  return spec;
}
