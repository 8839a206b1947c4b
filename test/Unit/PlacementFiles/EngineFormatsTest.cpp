//===- EngineFormatsTest.cpp - Placements as serving engines have them ----===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementFiles/EngineFormats.h"
#include "Placements.h"
#include "llvm/ADT/STLExtras.h"
#include <gtest/gtest.h>

using namespace moe::placement;
using namespace moe::planning;

static std::string exported(const PlacementFile &file, PlacementFormat format) {
  return llvm::cantFail(exportPlacement(file, format)).text;
}

/// Layer 1 alone, without replicas.
static PlacementFile withoutReplicas() {
  PlacementFile file = twoLayers();
  file.layers.pop_back();
  file.layers[0].data = {6, {{3, 1}, {5, 0}, {4, 2}}, {}};
  file.layers[0].expertLoad.clear();
  return file;
}

TEST(EngineFormats, NamesAreUnique) {
  EXPECT_EQ(knownPlacementFormats(), "moe-place, eplb, vllm, vllm-ascend, "
                                     "sglang, tensorrt-llm, megatron");
  EXPECT_EQ(parsePlacementFormat("sglang"), PlacementFormat::Sglang);
  EXPECT_EQ(parsePlacementFormat("pytorch"), std::nullopt);
}

TEST(EngineFormats, EplbHasItsThreeResults) {
  EXPECT_EQ(exported(twoLayers(), PlacementFormat::Eplb),
            "{\"layers\": [1,4],\n \"num_gpus\": 3,\n"
            " \"phy2log\": [[0,1,2,3,4,2],[0,3,1,0,4,2]],\n"
            " \"log2phy\": "
            "[[[0,-1],[1,-1],[2,5],[3,-1],[4,-1]],[[0,3],[2,-1],[5,-1],[1,-1],"
            "[4,-1]]],\n"
            " \"logcnt\": [[1,1,2,1,1],[2,1,1,1,1]]}\n");
}

TEST(EngineFormats, SglangHasARowForEveryLayer) {
  llvm::Expected<ExportedPlacement> result =
      exportPlacement(twoLayers(), PlacementFormat::Sglang, {6});
  ASSERT_TRUE(bool(result));
  EXPECT_EQ(result->text,
            "{\"physical_to_logical_map\": "
            "[[0,1,2,3,4,0],[0,1,2,3,4,2],[0,1,2,3,4,0],[0,1,2,3,4,0],"
            "[0,3,1,0,4,2],[0,1,2,3,4,0]]}\n");
  EXPECT_EQ(result->notes.size(), 2u);
  EXPECT_EQ(
      messageOf(exportPlacement(twoLayers(), PlacementFormat::Sglang, {4})),
      "expected a model of at least 5 layers, but got 4");
}

TEST(EngineFormats, TensorRTLLMHasTheModelsLayers) {
  EXPECT_EQ(exported(twoLayers(), PlacementFormat::TensorRTLLM),
            "initial_global_assignments:\n  1: [0, 1, 2, 3, 4, 2]\n"
            "  4: [0, 3, 1, 0, 4, 2]\nlayer_updates_per_iter: 0\n"
            "num_slots: 6\n");
}

TEST(EngineFormats, VllmTablesAreAsWideAsItsOwn) {
  // Two replicas more than experts: each expert could have all of them.
  PlacementFile file = twoLayers();
  file.layers.pop_back();
  std::string text = exported(file, PlacementFormat::Vllm);
  EXPECT_NE(text.find("\"logical_to_physical_map\": "
                      "[[[0,-1],[1,-1],[2,5],[3,-1],[4,-1]]]"),
            std::string::npos)
      << text;
}

TEST(EngineFormats, WhatIsWrittenIsReadBack) {
  for (PlacementFormat format :
       {PlacementFormat::MoePlace, PlacementFormat::Eplb, PlacementFormat::Vllm,
        PlacementFormat::VllmAscend, PlacementFormat::Sglang,
        PlacementFormat::TensorRTLLM, PlacementFormat::Megatron}) {
    PlacementFile file =
        format == PlacementFormat::Megatron ? withoutReplicas() : twoLayers();
    std::string text = exported(file, format);
    EXPECT_EQ(llvm::cantFail(detectPlacementFormat(text)), format);
    PlacementFile back =
        llvm::cantFail(readPlacement(text, "file", {/*gpus=*/3}));
    bool hasNumbers = format != PlacementFormat::Vllm &&
                      format != PlacementFormat::VllmAscend;
    for (auto [index, entry] : llvm::enumerate(file.layers)) {
      const LayerEntry *other =
          back.find(hasNumbers ? entry.layer : int64_t(index));
      ASSERT_NE(other, nullptr) << toString(format).str();
      EXPECT_EQ(other->data.expertsByRank, entry.data.expertsByRank);
      EXPECT_EQ(other->data.expertCount, entry.data.expertCount);
    }
    // Once more, nothing changes.
    EXPECT_EQ(exported(back, format), text);
  }
}

TEST(EngineFormats, SaysWhatAnEngineCannotHave) {
  PlacementFile file = twoLayers();
  EXPECT_EQ(messageOf(exportPlacement(file, PlacementFormat::Megatron)),
            "layer 1: megatron has no replicas, but got 6 slots for 5 experts");
  file.layers[1].data.expertsByRank[2][1] = -1;
  EXPECT_EQ(messageOf(exportPlacement(file, PlacementFormat::Vllm)),
            "layer 4: vllm needs an expert in every slot, but slot 1 of GPU 2 "
            "is empty (--fill-empty-slots fills it)");
  file.layers[0].data.expertsByRank[1].pop_back();
  EXPECT_EQ(messageOf(exportPlacement(file, PlacementFormat::Sglang)),
            "layer 1: sglang needs as many slots on every GPU, but GPU 1 has 1 "
            "and GPU 0 of the first layer 2");
}

TEST(EngineFormats, FillsEmptySlotsWithTheLightestReplica) {
  PlacementFile file = twoLayers();
  // GPU 2 would get 1/2 of expert 0, 2/3 of 1 and 3.5/3 of 2. In layer 4, where
  // loads are unknown, 1 and 3 have two replicas already, 0 has one.
  file.layers[0].data.expertsByRank = {{0, 1, 2}, {2, 3, 1}, {4, 3, -1}};
  file.layers[1].data.expertsByRank = {{1, 3, 2}, {3, 1, 0}, {4, 2, -1}};
  file.layers[1].data.replicaTables.clear();
  llvm::Expected<ExportedPlacement> written =
      exportPlacement(file, PlacementFormat::Vllm, {0, true});
  ASSERT_TRUE(bool(written));
  EXPECT_EQ(written->notes,
            (std::vector<std::string>{
                "layer 1: slot 2 of GPU 2 was empty and has a replica of "
                "expert 0",
                "layer 4: slot 2 of GPU 2 was empty and has a replica of "
                "expert 1"}));
  EXPECT_NE(written->text.find("[0,1,2,2,3,1,4,3,0]"), std::string::npos);
  // The planner's own format keeps them empty.
  llvm::Expected<ExportedPlacement> kept =
      exportPlacement(file, PlacementFormat::MoePlace, {0, true});
  ASSERT_TRUE(bool(kept));
  EXPECT_NE(kept->text.find("-1"), std::string::npos);
}

static std::string errorOf(llvm::StringRef text, ReaderFacts facts = {}) {
  return messageOf(readPlacement(text, "f", facts));
}

TEST(EngineFormats, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(errorOf("hello"),
            "f: expected a placement: " + knownPlacementFormats());
  EXPECT_EQ(errorOf("{}"),
            "f: expected the keys of a placement: " + knownPlacementFormats());
  EXPECT_EQ(errorOf(R"({"physical_to_logical_map": [[0, 1]]})"),
            "f: expected the number of GPUs (--gpus), which files of this "
            "format do not hold");
  EXPECT_EQ(errorOf(R"({"physical_to_logical_map": [[0, -2]]})", {1}),
            "f: layer 0: slot 1: expected an expert from 0 to 0, or -1, but "
            "got -2");
  EXPECT_EQ(errorOf("initial_global_assignments:\n  3: [0, x]\n", {1}),
            "f:2:10: expected a whole number");
  EXPECT_EQ(errorOf("initial_global_assignments: 3\n", {1}),
            "f:1:29: expected a list of experts for each layer");
  EXPECT_EQ(errorOf(R"({"expert_order": {"a": [0]}})", {1}),
            "f: expert_order: expected a layer's number, but got 'a'");
  EXPECT_EQ(errorOf(R"({"moe_layer_count": 0, "layer_list": []})"),
            "f: expected at least one layer");
}
