//===- PlacementFileTest.cpp - Placements with their figures --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Placements.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace moe::placement;
using namespace moe::planning;

static std::string write(const PlacementFile &file) {
  std::string text;
  llvm::raw_string_ostream os(text);
  writePlacement(file, os);
  return text;
}

static PlacementFile parse(llvm::StringRef text, ReaderFacts facts = {}) {
  return llvm::cantFail(parsePlacement(text, "p.json", facts));
}

TEST(PlacementFile, ReadsWhatItWrites) {
  std::string text = write(twoLayers());
  PlacementFile back = parse(text);
  EXPECT_EQ(write(back), text);
  EXPECT_EQ(back.gpus(), 3);
  EXPECT_EQ(back.experts(), 5);
  EXPECT_EQ(back.layers[1].data.replicaTables,
            twoLayers().layers[1].data.replicaTables);
  EXPECT_EQ(back.layers[0].figures.gpuLoad,
            (std::vector<double>{3, 5.75, 6.75}));
  EXPECT_EQ(back.layers[0].figures.gap, std::nullopt);
  EXPECT_EQ(back.layers[0].notes, std::vector<std::string>{"a note"});
}

TEST(PlacementFile, ListsAreThoseOfEplb) {
  PlacementData data = twoLayers().layers[0].data;
  EXPECT_EQ(phy2log(data), (std::vector<int64_t>{0, 1, 2, 3, 4, 2}));
  EXPECT_EQ(slotToGpu(data), (std::vector<int64_t>{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(logcnt(data), (std::vector<int64_t>{1, 1, 2, 1, 1}));
  EXPECT_EQ(log2phy(data), (std::vector<std::vector<int64_t>>{
                               {0, -1}, {1, -1}, {2, 5}, {3, -1}, {4, -1}}));
}

TEST(PlacementFile, KeepsEmptySlotsAndUnevenGpus) {
  PlacementFile file = twoLayers();
  file.layers.pop_back();
  file.layers[0].data.expertsByRank = {{0, -1, 1}, {}, {2, 3, 4, -1}};
  PlacementFile back = parse(write(file));
  EXPECT_EQ(back.layers[0].data.expertsByRank,
            file.layers[0].data.expertsByRank);
}

TEST(PlacementFile, ForeignFilesNeedOnlySlots) {
  PlacementFile file =
      parse(R"({"layers": [{"phy2log": [1, 0, 2, 1]}], "by": "hand"})", {2});
  EXPECT_EQ(file.layers[0].layer, 0);
  EXPECT_EQ(file.layers[0].data.expertsByRank,
            (std::vector<std::vector<int64_t>>{{1, 0}, {2, 1}}));
  EXPECT_EQ(file.experts(), 3);
}

static std::string errorOf(llvm::StringRef text, ReaderFacts facts = {}) {
  return messageOf(parsePlacement(text, "p.json", facts));
}

TEST(PlacementFile, ErrorsNameLayerAndField) {
  EXPECT_EQ(errorOf("[]"), "p.json:1:1: expected '{', but got '['");
  EXPECT_EQ(errorOf("{}"), "p.json: expected an object with 'layers'");
  EXPECT_EQ(errorOf(R"({"layers": []})"),
            "p.json: layers: expected at least one layer");
  EXPECT_EQ(errorOf(R"({"layers": [{"layer": 3}]})"),
            "p.json: layer 3: expected a list 'phy2log'");
  EXPECT_EQ(errorOf(R"({"layers": [{"layer": 3, "phy2log": [0, 1.5]}]})"),
            "p.json: layer 3: phy2log: entry 1: expected a whole number, but "
            "got 1.50");
  EXPECT_EQ(errorOf(R"({"layers": [{"phy2log": [0, 1]}]})"),
            "p.json: layer 0: expected a list 'slot_to_gpu', or --gpus");
  EXPECT_EQ(errorOf(R"({"layers": [{"phy2log": [0, 1, 2]}]})", {2}),
            "p.json: layer 0: phy2log: expected slots that divide evenly over "
            "the GPUs, but got 3 slots and 2 GPUs");
  EXPECT_EQ(
      errorOf(R"({"layers": [{"phy2log": [0, 1], "slot_to_gpu": [0]}]})"),
      "p.json: layer 0: slot_to_gpu: expected 2 slots as in phy2log, but got "
      "1");
  EXPECT_EQ(
      errorOf(R"({"layers": [{"phy2log": [0, 1], "slot_to_gpu": [1, 0]}]})"),
      "p.json: layer 0: slot_to_gpu: expected GPUs in ascending order, but "
      "slot 1 is on GPU 0");
  EXPECT_EQ(errorOf(R"({"layers": [{"phy2log": [0, 1],
                       "slot_to_gpu": [0, 1099511627776]}]})"),
            "p.json: layer 0: slot_to_gpu: expected at most 1048576 GPUs, but "
            "got 1099511627777");
  EXPECT_EQ(errorOf(R"({"layers": [{"phy2log": [0], "slot_to_gpu": [0],
                       "replica_tables": [{"expert": 0, "runs": [[5, 0]]}]}]})"),
            "p.json: layer 0: replica_tables: expert 0: expected runs that "
            "begin at 0, ascend and end below 64, but got 5");
  EXPECT_EQ(
      errorOf(R"({"layers": [{"layer": 2, "phy2log": [0], "slot_to_gpu": [0]},
                       {"layer": 2, "phy2log": [0], "slot_to_gpu": [0]}]})"),
      "p.json: layers: expected ascending layers, but got 2 after 2");
  EXPECT_EQ(errorOf(R"({"layers": [{"phy2log": [0], "slot_to_gpu": [0]},
                       {"phy2log": [0, 0], "slot_to_gpu": [0, 1]}]})"),
            "p.json: layer 1: expected a placement over 1 GPUs as in layer 0, "
            "but got 2");
}

TEST(PlacementFile, CutFilesAreErrors) {
  std::string text = write(twoLayers());
  for (size_t length = 0; length + 2 < text.size(); length += 7) {
    EXPECT_NE(errorOf(llvm::StringRef(text).take_front(length)), "no error")
        << length;
  }
}
