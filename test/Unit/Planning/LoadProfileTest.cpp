//===- LoadProfileTest.cpp - Loads from JSON and CSV ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/LoadProfile.h"
#include "../TemporaryFolder.h"
#include "TestSupport.h"
#include "moe/Formats/NumpyArray.h"
#include <cmath>

using namespace moe::formats;
using namespace moe::planning;
using namespace moe::test;
using namespace moe::planning::test;

// Counts of Mixtral-8x7B's first experts, allenai/OLMoE routing output.
static constexpr const char *csv = R"(model,domain,layer,expert,count,source
Mixtral-8x7B-v0.1,arxiv,0,0,55713,allenai/OLMoE
Mixtral-8x7B-v0.1,arxiv,0,1,52019,allenai/OLMoE
Mixtral-8x7B-v0.1,arxiv,0,2,52619,allenai/OLMoE
Mixtral-8x7B-v0.1,book,0,0,44287,allenai/OLMoE
Mixtral-8x7B-v0.1,book,7,2,10,allenai/OLMoE
)";

static std::string jsonError(llvm::StringRef text) {
  return message(LoadProfile::fromJson(text));
}
static std::string csvError(llvm::StringRef text,
                            const LoadSelection &selection = {}) {
  return message(LoadProfile::fromCsv(text, selection));
}

TEST(LoadProfile, IsUniformWithoutAFile) {
  LoadProfile profile;
  EXPECT_TRUE(profile.isAssumedUniform());
  ExpertShares shares = llvm::cantFail(profile.sharesOf(3, 5));
  EXPECT_TRUE(shares.isAssumedUniform);
  EXPECT_EQ(shares.shares, std::vector<double>(5, 0.2));
}

TEST(LoadProfile, ReadsJson) {
  for (const char *text :
       {"[[1, 3], [0.5, 0.0]]", R"({"loads": [[1, 3], [5e-1, 0]], "x": 1})"}) {
    LoadProfile profile = llvm::cantFail(LoadProfile::fromJson(text));
    EXPECT_EQ(profile.layers(), (std::vector<int64_t>{0, 1}));
    ExpertShares first = llvm::cantFail(profile.sharesOf(0, 2));
    EXPECT_FALSE(first.isAssumedUniform);
    EXPECT_EQ(first.shares, (std::vector<double>{0.25, 0.75}));
    EXPECT_EQ(llvm::cantFail(profile.sharesOf(1, 2)).shares,
              (std::vector<double>{1, 0}));
    // A layer that the file lacks.
    EXPECT_TRUE(llvm::cantFail(profile.sharesOf(2, 2)).isAssumedUniform);
    EXPECT_EQ(message(profile.sharesOf(1, 3)),
              "layer 1: expected loads of 3 experts, but got 2");
  }
}

TEST(LoadProfile, RefusesBadJson) {
  const char *shape =
      "expected loads as [[...], ...] (layers x experts), or one such array "
      "for each source rank, or an object that has it as 'loads' or 'weight', "
      "or a 'trace'";
  EXPECT_EQ(jsonError("{}"), shape);
  EXPECT_EQ(jsonError("[]"), shape);
  EXPECT_EQ(jsonError("{\"loads\": []}"), shape);
  EXPECT_EQ(jsonError("7"), "1:1: expected the end of the text, but got '7'");
  EXPECT_EQ(jsonError("[3]"), "1:2: expected '[', but got '3'");
  EXPECT_EQ(jsonError("[[1], [\"a\"]]"),
            "1:8: expected a number, but got '\"'");
  EXPECT_EQ(jsonError("[[NaN]]"), "1:3: expected a number, but got 'N'");
  EXPECT_EQ(jsonError("[[1e999]]"), "layer 0, expert 0: expected a finite load "
                                    "of at least 0, but got INF");
  EXPECT_EQ(jsonError("[[01]]"), "1:3: expected a number, but got '0'");
  EXPECT_EQ(jsonError("[[]]"),
            "expected loads of 1 to 1048576 experts, but got 0");
  EXPECT_EQ(jsonError(R"({"loads": [[1]], "weight": [[1]]})"),
            "expected 'loads' or 'weight', but got both");
  EXPECT_EQ(jsonError(R"({"loads": [[1], [2]], "layers": [3]})"),
            "expected 2 numbers of layers, but got 1");
  EXPECT_EQ(jsonError(R"({"loads": [[1], [2]], "layers": [3, 3]})"),
            "expected ascending numbers of layers, but got 3 after 3");
  EXPECT_EQ(jsonError("[[1, 2], [1]]"),
            "layer 1: expected 2 loads as in layer 0, but got 1");
  EXPECT_EQ(jsonError("[[1, -2]]"), "layer 0, expert 1: expected a finite load "
                                    "of at least 0, but got -2.00");
  EXPECT_EQ(jsonError("[[0, 0]]"),
            "layer 0: expected a finite sum of loads above 0, but got 0.00");
  EXPECT_EQ(jsonError("[[1, 2"),
            "1:7: expected ']', but got the end of the text");
  // No recursion that a file could exhaust.
  EXPECT_EQ(jsonError(std::string(1 << 20, '[')),
            "1:4: expected a number, but got '['");
  EXPECT_EQ(jsonError("[[[1], [2]], [[1]]]"),
            "source rank 1: expected 2 layers as of source rank 0, but got 1");
  EXPECT_EQ(jsonError("[[[1, 2]], [[1]]]"),
            "source rank 1, layer 0: expected 2 loads as in layer 0, but got "
            "1");
  EXPECT_EQ(jsonError("[[[1, 2]], [[1, -1]]]"),
            "source rank 1, layer 0, expert 1: expected a finite load of at "
            "least 0, but got -1.00");
}

TEST(LoadProfile, NamesTheLayersThatAFileLacks) {
  LoadProfile profile = llvm::cantFail(LoadProfile::fromJson(
      R"({"layers": [0, 7, 15], "weight": [[1, 1], [1, 2], [1, 3]]})"));
  EXPECT_EQ(profile.layers(), (std::vector<int64_t>{0, 7, 15}));
  EXPECT_EQ(profile.expertCount(), 2);
  EXPECT_EQ(profile.missingLayers({0, 1, 7, 8}), (std::vector<int64_t>{1, 8}));
  EXPECT_EQ(llvm::cantFail(profile.sharesOf(15, 2)).shares[1], 0.75);
}

TEST(LoadProfile, KnowsSourceRanksApart) {
  LoadProfile profile = llvm::cantFail(LoadProfile::fromJson(
      "[[[1, 2, 0], [0, 0, 4]], [[3, 2, 0], [4, 4, 4]]]"));
  EXPECT_EQ(profile.layers(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(profile.sourceCount(), 2);
  LayerLoads loads = llvm::cantFail(profile.loadsOf(1, 3, 2));
  EXPECT_EQ(loads.loads, (std::vector<double>{4, 4, 8}));
  EXPECT_EQ(loads.bySource[0], (std::vector<double>{0, 0, 4}));
  EXPECT_EQ(loads.bySource[1], (std::vector<double>{4, 4, 4}));
  EXPECT_EQ(llvm::cantFail(profile.sharesOf(0, 3)).shares,
            (std::vector<double>{0.5, 0.5, 0}));
  EXPECT_EQ(message(profile.loadsOf(1, 3, 4)),
            "layer 1: expected loads of 4 source ranks, but got 2");
  // A layer that is not known has no sources either.
  EXPECT_TRUE(llvm::cantFail(profile.loadsOf(2, 3, 4)).bySource.empty());
  // Sources that are not known apart fit any number of ranks.
  LoadProfile plain = llvm::cantFail(LoadProfile::fromJson("[[1, 2]]"));
  EXPECT_EQ(plain.sourceCount(), 0);
  EXPECT_EQ(llvm::cantFail(plain.loadsOf(0, 2, 7)).loads[1], 2);
}

TEST(LoadProfile, CountsATrace) {
  // Four tokens, one layer, two choices.
  LoadProfile profile = llvm::cantFail(LoadProfile::fromJson(
      R"({"trace": [[[0, 3]], [[3, -1]], [[3, 1]], [[1, 0]]]})"));
  EXPECT_EQ(profile.expertCount(), 4);
  LayerLoads loads = llvm::cantFail(profile.loadsOf(0, 5, 2));
  EXPECT_EQ(loads.loads, (std::vector<double>{2, 2, 0, 3, 0}));
  EXPECT_EQ(loads.bySource[0], (std::vector<double>{1, 0, 0, 2, 0}));
  EXPECT_EQ(loads.bySource[1], (std::vector<double>{1, 2, 0, 1, 0}));
  std::vector<double> together = profile.routingTrace()->coactivation(0, 4);
  EXPECT_EQ(together, (std::vector<double>{2, 1, 0, 1, 1, 2, 0, 1, 0, 0, 0, 0,
                                           1, 1, 0, 3}));
  EXPECT_EQ(message(profile.loadsOf(0, 3, 2)),
            "layer 0: expected loads of 3 experts, but got 4");
  EXPECT_TRUE(llvm::cantFail(profile.loadsOf(1, 4, 2)).isAssumedUniform);
}

TEST(LoadProfile, RefusesBadTraces) {
  auto error = [](llvm::StringRef trace) {
    return jsonError(("{\"trace\": " + trace + "}").str());
  };
  EXPECT_EQ(error("[[0, 1]]"), "expected a trace as [[[...], ...], ...] "
                               "(tokens x layers x choices)");
  EXPECT_EQ(error("[[[0, 1]], [[0]]]"),
            "token 1, layer 0: expected 2 choices as of token 0, but got 1");
  EXPECT_EQ(error("[[[0], [1]], [[0]]]"),
            "token 1: expected 2 layers as of token 0, but got 1");
  EXPECT_EQ(error("[[[0.5]]]"),
            "choice 0: expected a whole number, but got 0.50");
  EXPECT_EQ(error("[[[0, -2]]]"), "token 0, layer 0, choice 1: expected an "
                                  "expert from -1 to 1048575, but got -2");
  EXPECT_EQ(error("[[[4, 4]]]"), "token 0, layer 0: expert 4 is chosen twice");
  EXPECT_EQ(error("[[[4], [-1]]]"),
            "layer 1: expected a token that chose an expert");
}

template <typename T>
static std::string imageOf(NumpyType type, llvm::ArrayRef<int64_t> shape,
                           llvm::ArrayRef<T> values) {
  NumpyArray array(type, shape);
  llvm::copy(values, array.values<T>().begin());
  return array.image();
}

TEST(LoadProfile, ReadsNumpyArrays) {
  std::string layers =
      imageOf<float>(NumpyType::Float32, {2, 3}, {1, 2, 3, 0, 0.5, 0});
  LoadProfile profile = llvm::cantFail(LoadProfile::parse(layers));
  EXPECT_EQ(llvm::cantFail(profile.loadsOf(0, 3, 4)).loads,
            (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(llvm::cantFail(profile.loadsOf(1, 3, 4)).loads,
            (std::vector<double>{0, 0.5, 0}));
  std::string three =
      imageOf<int64_t>(NumpyType::Int64, {3, 1, 2}, {0, 1, 2, 3, 4, 5});
  EXPECT_EQ(
      llvm::cantFail(llvm::cantFail(LoadProfile::parse(three)).loadsOf(0, 2, 3))
          .bySource[2],
      (std::vector<double>{4, 5}));
  LoadSelection trace;
  trace.content = LoadSelection::Content::Trace;
  EXPECT_EQ(
      llvm::cantFail(
          llvm::cantFail(LoadProfile::parse(three, trace)).loadsOf(0, 6, 3))
          .loads,
      (std::vector<double>{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(message(LoadProfile::parse(layers, trace)),
            "expected a trace of int32 or int64 in 3 dimensions (tokens x "
            "layers x choices), but got float32 in 2");
  EXPECT_EQ(
      message(LoadProfile::parse(
          imageOf<float>(NumpyType::Float32, {2, 1}, {1, std::nanf("")}))),
      "layer 1, expert 0: expected a finite load of at least 0, but got nan");
  EXPECT_EQ(
      message(LoadProfile::parse(imageOf<float>(NumpyType::Float32, {1}, {1}))),
      "expected loads of 2 dimensions (layers x experts) or 3 (source "
      "ranks x layers x experts), but got 1");
  EXPECT_EQ(message(LoadProfile::parse(
                imageOf<float>(NumpyType::Float32, {2, 0}, {}))),
            "expected an array of at least one element");
}

TEST(LoadProfile, OpensAnyOfTheFormsAndNamesTheFile) {
  TemporaryFolder folder;
  std::string path = folder.write("loads", "[[1, 3]]");
  EXPECT_EQ(llvm::cantFail(LoadProfile::open(path)).expertCount(), 2);
  path = folder.write("loads", "layer,expert,count\n4,0,1\n");
  EXPECT_EQ(llvm::cantFail(LoadProfile::open(path)).layers(),
            std::vector<int64_t>{4});
  path = folder.write("loads", "[[1, -3]]");
  EXPECT_EQ(message(LoadProfile::open(path)),
            path + ": layer 0, expert 1: expected a finite load of at least 0, "
                   "but got -3.00");
  path = folder.write("loads", "");
  EXPECT_EQ(message(LoadProfile::open(path)),
            path + ":1: expected a header with the columns 'layer', "
                   "'expert' and 'count', but got ''");
  EXPECT_EQ(message(LoadProfile::open(folder.file("none"))),
            folder.file("none") + ": No such file or directory");
}

TEST(LoadProfile, ReadsSourceRanksFromCsv) {
  LoadProfile profile = llvm::cantFail(
      LoadProfile::fromCsv("rank,layer,expert,count\n1,3,0,5\n0,3,1,2\n", {}));
  LayerLoads loads = llvm::cantFail(profile.loadsOf(3, 2, 2));
  EXPECT_EQ(loads.bySource[0], (std::vector<double>{0, 2}));
  EXPECT_EQ(loads.bySource[1], (std::vector<double>{5, 0}));
}

TEST(LoadProfile, ReadsCsvOfADomain) {
  LoadProfile profile =
      llvm::cantFail(LoadProfile::fromCsv(csv, {"", "arxiv"}));
  EXPECT_EQ(profile.layers(), (std::vector<int64_t>{0}));
  std::vector<double> shares = llvm::cantFail(profile.sharesOf(0, 3)).shares;
  EXPECT_DOUBLE_EQ(shares[1], 52019.0 / (55713 + 52019 + 52619));
}

TEST(LoadProfile, AddsUpTheDomainsOfACsv) {
  LoadProfile profile = llvm::cantFail(LoadProfile::fromCsv(csv, {}));
  EXPECT_EQ(profile.layers(), (std::vector<int64_t>{0, 7}));
  std::vector<double> shares = llvm::cantFail(profile.sharesOf(0, 3)).shares;
  EXPECT_DOUBLE_EQ(shares[0], 100000.0 / (100000 + 52019 + 52619));
  EXPECT_EQ(llvm::cantFail(profile.sharesOf(7, 3)).shares,
            (std::vector<double>{0, 0, 1}));
}

TEST(LoadProfile, RefusesBadCsv) {
  std::string header = "layer,expert,count\n";
  EXPECT_EQ(csvError("layer,count\n0,1\n"),
            "1: expected a header with the columns 'layer', 'expert' and "
            "'count', but got 'layer,count'");
  EXPECT_EQ(csvError(header), "expected at least one line of loads");
  EXPECT_EQ(csvError(header + "0,0,1\n-1,0,1\n"),
            "3: expected a layer, but got '-1'");
  EXPECT_EQ(csvError(header + "0,x,1\n"), "2: expected an expert, but got 'x'");
  EXPECT_EQ(csvError(header + "0,1\n"),
            "2: expected a finite count of at least 0, but got ''");
  EXPECT_EQ(csvError(header + "0,0,1\n\n0,0,2\n"),
            "4: expected each expert once, but got layer 0, expert 0 twice");
  EXPECT_EQ(csvError("rank,layer,expert,count\nx,0,0,1\n"),
            "2: expected a source rank, but got 'x'");
  EXPECT_EQ(csvError(header + "0,1048576,1\n"),
            "2: expected an expert, but got '1048576'");
  EXPECT_EQ(csvError("rank,layer,expert,count\n99999,0,99999,1\n"),
            "expected at most 67108864 loads, but got 1 layers x 100000 source "
            "ranks x 100000 experts");
  EXPECT_EQ(csvError(header + "0,0,nan\n"),
            "2: expected a finite count of at least 0, but got 'nan'");
  EXPECT_EQ(csvError(csv, {"", "code"}),
            "no domain 'code' among the loads; known: arxiv, book");
  EXPECT_EQ(csvError(csv, {"OLMoE", ""}),
            "no model 'OLMoE' among the loads; known: Mixtral-8x7B-v0.1");
}
