// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Formats/BracketDepth.h"

#include "gtest/gtest.h"
#include <string>

using namespace moe::formats;

static std::string errorOf(const std::string &text) {
  return llvm::toString(checkBracketDepth(text, "m.mlir"));
}

TEST(BracketDepth, CountsWhatIsOpen) {
  std::string deepest(kMaxBracketDepth, '(');
  EXPECT_EQ(errorOf(deepest), "");
  EXPECT_EQ(errorOf(deepest + ")("), "");
  EXPECT_EQ(errorOf("{\n" + deepest),
            "m.mlir:2:512: expected at most 512 brackets inside one "
            "another");
}

TEST(BracketDepth, PassesOverStringsCommentsAndArrows) {
  std::string many(size_t(2) * kMaxBracketDepth, '<');
  EXPECT_EQ(errorOf("\"" + many + "\\\"" + many + "\""), "");
  EXPECT_EQ(errorOf("// " + many), "");
  // An arrow closes nothing.
  std::string arrows;
  for (unsigned i = 0; i <= kMaxBracketDepth; ++i) {
    arrows += "->(";
  }
  EXPECT_NE(errorOf(arrows), "");
}
