//===- ConfigObjectTest.cpp - Errors name the key and its place -----------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Model/ConfigObject.h"
#include "moe/Model/ExpertLayers.h"
#include <gtest/gtest.h>

using namespace moe::model;

template <typename T> static std::string message(llvm::Expected<T> result) {
  return result ? "" : llvm::toString(result.takeError());
}

static ConfigObject parse(llvm::StringRef text) {
  return llvm::cantFail(ConfigObject::parse(text, "c.json"));
}

TEST(ConfigObject, ErrorsNameTheKeyAndItsPlace) {
  ConfigObject config = parse("{\n  \"a\": {\"b\": 0, \"c\": \"x\"},\n"
                              "  \"d\": null}");
  ConfigObject inner = llvm::cantFail(config.getObject("a"));
  EXPECT_EQ(message(inner.getInteger("b")),
            "c.json:2:9: error: key \"a.b\": expected an integer from 1 to "
            "262144, but got 0");
  EXPECT_EQ(llvm::cantFail(inner.getInteger("b", 0)), 0);
  EXPECT_EQ(message(inner.getChoice("c", {"y", "z"})),
            "c.json:2:17: error: key \"a.c\": expected \"y\" or \"z\", but got "
            "\"x\"");
  EXPECT_EQ(message(inner.getFlag("e")),
            "c.json:1:1: error: missing key \"a.e\"");
  EXPECT_FALSE(config.has("d"));
  EXPECT_EQ(llvm::cantFail(config.getIntegerOrNull("d")), 0);
  EXPECT_EQ(message(config.getObject("d")),
            "c.json:3:3: error: key \"d\": expected an object, but got null");
}

TEST(ConfigObject, RefusesWhatIsNoObject) {
  EXPECT_EQ(message(ConfigObject::parse("{\"a\": ", "c")),
            "c:1:6: error: malformed JSON: unexpected EOF");
  EXPECT_EQ(message(ConfigObject::parse("[1]", "c")),
            "c:1:1: error: expected a JSON object, but got [1]");
  EXPECT_EQ(message(ConfigObject::parse(std::string(100000, '['), "c")),
            "c:1:1: error: malformed JSON: expected at most 64 levels of "
            "nesting");
  EXPECT_EQ(message(ConfigObject::parse("{\"a\": 1,\n\"a\": 2}", "c")),
            "c:2:1: error: key \"a\": expected once, but got it twice");
}

static std::string layersOf(llvm::StringRef text, LayerRule rule,
                            llvm::StringRef key = "step") {
  std::string marks;
  for (bool hasExperts : llvm::cantFail(readExpertLayers(
           parse(text), {rule, "num_hidden_layers", key.str()}))) {
    marks += hasExperts ? 'x' : '.';
  }
  return marks;
}

TEST(ExpertLayers, FollowTheRules) {
  EXPECT_EQ(layersOf("{\"num_hidden_layers\": 3}", LayerRule::Every), "xxx");
  EXPECT_EQ(layersOf("{\"num_hidden_layers\": 7, \"first_k_dense_replace\": 2,"
                     "\"moe_layer_freq\": 2}",
                     LayerRule::AfterDense),
            "..x.x.x");
  EXPECT_EQ(layersOf("{\"num_hidden_layers\": 6, \"step\": 2,"
                     "\"mlp_only_layers\": [3]}",
                     LayerRule::EachStep),
            ".x...x");
  EXPECT_EQ(layersOf("{\"num_hidden_layers\": 6, \"step\": 2}",
                     LayerRule::EvenlySpread),
            ".x..x.");
  EXPECT_EQ(layersOf("{\"num_hidden_layers\": 6, \"expert_layer_period\": 3,"
                     "\"expert_layer_offset\": 2}",
                     LayerRule::Periodic),
            "..x..x");
  EXPECT_EQ(layersOf("{\"num_hidden_layers\": 6, \"moe_layer_start_index\": 1,"
                     "\"moe_layer_end_index\": 3}",
                     LayerRule::Range),
            ".xxx..");
}
