//===- LoadProfileTest.cpp - Loads from JSON and CSV ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/LoadProfile.h"
#include "TestSupport.h"

using namespace moe::planning;
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
  const char *shape = "expected loads as [[...], ...] (layers x experts) or "
                      "{\"loads\": [[...], ...]}";
  EXPECT_EQ(jsonError("{}"), shape);
  EXPECT_EQ(jsonError("[]"), shape);
  EXPECT_EQ(jsonError("7"), shape);
  EXPECT_EQ(jsonError("[3]"), "layer 0: expected a list of loads");
  EXPECT_EQ(jsonError("[[1], [\"a\"]]"),
            "layer 1, expert 0: expected a number");
  EXPECT_EQ(jsonError("[[1, 2], [1]]"),
            "layer 1: expected 2 loads as in layer 0, but got 1");
  EXPECT_EQ(jsonError("[[1, -2]]"), "layer 0, expert 1: expected a finite load "
                                    "of at least 0, but got -2.00");
  EXPECT_EQ(jsonError("[[0, 0]]"),
            "layer 0: expected a finite sum of loads above 0, but got 0.00");
  EXPECT_NE(jsonError("[[1, 2"), "");
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
            "line 1: expected a header with the columns 'layer', 'expert' and "
            "'count', but got 'layer,count'");
  EXPECT_EQ(csvError(header), "expected at least one line of loads");
  EXPECT_EQ(csvError(header + "0,0,1\n-1,0,1\n"),
            "line 3: expected a layer, but got '-1'");
  EXPECT_EQ(csvError(header + "0,x,1\n"),
            "line 2: expected an expert, but got 'x'");
  EXPECT_EQ(csvError(header + "0,1\n"), "line 2: expected a count, but got ''");
  EXPECT_EQ(csvError(header + "0,0,1\n\n0,0,2\n"),
            "line 4: layer 0, expert 0 is there twice");
  EXPECT_EQ(csvError(header + "0,0,nan\n"),
            "layer 0, expert 0: expected a finite load of at least 0, but got "
            "nan");
  EXPECT_EQ(csvError(csv, {"", "code"}),
            "no domain 'code' among the loads; known: arxiv, book");
  EXPECT_EQ(csvError(csv, {"OLMoE", ""}),
            "no model 'OLMoE' among the loads; known: Mixtral-8x7B-v0.1");
}
