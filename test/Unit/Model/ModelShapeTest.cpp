//===- ModelShapeTest.cpp - Sizes of models against published ones --------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Model/ModelShape.h"
#include "ModelFile.h"
#include "llvm/ADT/STLExtras.h"

using namespace moe::model;
using namespace moe::model::test;

static ModelShape shapeOf(llvm::StringRef name) {
  return llvm::cantFail(readModelShape(modelText(name), name));
}

static std::string errorOf(const std::string &text) {
  llvm::Expected<ModelShape> shape = readModelShape(text, "c.json");
  return shape ? "" : llvm::toString(shape.takeError());
}

namespace {
/// What publishers count of the vocabulary's matrices as active.
enum class Vocabulary { Both, HeadOnly, None };

struct PublishedSize {
  const char *file;
  /// Billions of parameters; 0 where nothing was published.
  double total;
  double active;
  Vocabulary vocabulary = Vocabulary::Both;
  /// Published active sizes are rounded, to one digit in some.
  double activeTolerance = 0.03;
  double tolerance = 0.01;
};
} // namespace

// Model cards and papers.
static const PublishedSize published[] = {
    {"Mixtral-8x7B", 46.7, 12.9},
    {"DeepSeek-V3", 671, 37},
    {"DeepSeek-V2", 236, 21},
    {"DeepSeek-V2-Lite", 15.7, 2.4, Vocabulary::HeadOnly, 0.04},
    {"Qwen3-30B-A3B", 30.5, 3.3},
    {"Qwen1.5-MoE-A2.7B", 14.3, 2.7},
    {"Kimi-K2", 1026, 32, Vocabulary::HeadOnly},
    {"GLM-4.5-family-355B", 355, 32, Vocabulary::None},
    {"ERNIE-4.5-21B-A3B", 21.8, 3, Vocabulary::None, 0.05},
    {"Granite-3.1-3B-A800M", 3.3, 0.8, Vocabulary::None},
    {"DBRX", 132, 36},
    {"Grok-1", 314, 86},
    {"Hunyuan-Large", 389, 52},
    {"Jamba-v0.1", 51.6, 12},
    // The total counts the vision encoder, which the file does not describe.
    {"Llama-4-Scout-17B-16E", 109, 17, Vocabulary::Both, 0.03, 0.012},
    {"MiniMax-M1", 456, 45.9, Vocabulary::None},
    {"Phi-3.5-MoE", 41.9, 6.6},
    {"Qwen3.5-35B-A3B", 35, 3, Vocabulary::HeadOnly},
    {"gpt-oss-120b", 116.83, 5.13, Vocabulary::HeadOnly, 0.005, 0.001},
    {"gpt-oss-20b", 20.91, 3.61, Vocabulary::HeadOnly, 0.005, 0.001},
    {"Switch-C-2048_flaxformer", 1571, 0},
};

/// Active parameters as a publisher counts them.
static double activeOf(const ModelShape &shape, Vocabulary vocabulary) {
  double active = shape.activeParameters();
  if (vocabulary != Vocabulary::Both) {
    active -= shape.parametersOf(WeightKind::Embedding);
  }
  if (vocabulary == Vocabulary::None) {
    active -= shape.parametersOf(WeightKind::OutputHead);
  }
  return active;
}

TEST(ModelShape, GivesPublishedSizes) {
  for (const PublishedSize &size : published) {
    ModelShape shape = shapeOf(size.file);
    EXPECT_NEAR(shape.parameters() / 1e9 / size.total, 1, size.tolerance)
        << size.file << " " << shape.parameters() / 1e9;
    if (size.active > 0) {
      double active = activeOf(shape, size.vocabulary) / 1e9;
      EXPECT_NEAR(active / size.active, 1, size.activeTolerance)
          << size.file << " " << active;
    }
    double sum = 0;
    for (unsigned kind = 0; kind < weightKindCount; ++kind) {
      sum += shape.parametersOf(WeightKind(kind));
    }
    EXPECT_NEAR(sum / shape.parameters(), 1, 1e-12);
  }
}

TEST(ModelShape, FollowsTheFileNotTheName) {
  // The file holds the class's defaults; the checkpoint's experts are half as
  // wide, which makes the 6.9 billion that its name speaks of.
  EXPECT_NEAR(shapeOf("OLMoE-1B-7B").parameters() / 1e9, 13.36, 0.01);
  std::string text =
      replaced(modelText("OLMoE-1B-7B"), "\"intermediate_size\": 2048",
               "\"intermediate_size\": 1024");
  ModelShape shape = llvm::cantFail(readModelShape(text, "c.json"));
  EXPECT_NEAR(shape.parameters() / 1e9, 6.92, 0.01);
  EXPECT_NEAR(shape.activeParameters() / 1e9, 1.28, 0.01);
}

TEST(ModelShape, CountsOneExpertOfDeepSeekV3) {
  ModelShape shape = shapeOf("DeepSeek-V3");
  EXPECT_EQ(shape.expertParameters(), 44040192);
  EXPECT_EQ(shape.expertLayers, 58);
  // One more slot over 58 layers: 2.379 GiB in FP8, scales apart.
  double slot = 58 * (shape.expertBytes() - shape.expertScaleBytes());
  EXPECT_NEAR(slot / (1 << 30), 2.379, 0.0005);
  // An f32 scale for each 128 x 128 block.
  EXPECT_EQ(shape.expertScaleBytes(), 4.0 * 44040192 / (128 * 128));
}

TEST(ModelShape, KnowsWhatIsQuantized) {
  ModelShape deepSeek = shapeOf("DeepSeek-V3");
  ModelShape gptOss = shapeOf("gpt-oss-120b");
  for (const ModelShape *shape : {&deepSeek, &gptOss}) {
    bool isFp8 = shape == &deepSeek;
    for (const WeightGroup &group : shape->weights) {
      bool isMatrix = group.rows > 1;
      bool isExpert = group.kind == WeightKind::Expert;
      bool isLinear = isExpert || group.kind == WeightKind::Attention ||
                      group.kind == WeightKind::SharedExpert ||
                      group.kind == WeightKind::DenseFeedForward;
      EXPECT_EQ(group.format.hasScales(),
                isMatrix && (isFp8 ? isLinear : isExpert))
          << group.name;
    }
  }
  // 4 bits and 8 for each 32 numbers: 4.25 bits a number.
  EXPECT_NEAR(gptOss.bytesOf(WeightKind::Expert) * 8 /
                  gptOss.parametersOf(WeightKind::Expert),
              4.25, 0.02);
  // The published checkpoint has 60.8 GiB.
  EXPECT_NEAR(gptOss.bytes() / (1 << 30), 60.8, 0.6);
}

TEST(ModelShape, CachesWhatASequenceKeeps) {
  // Published: 70 KB a token for V3 in bf16 (61 layers of 512 + 64 numbers).
  EXPECT_EQ(shapeOf("DeepSeek-V3").cacheBytes(1), 61 * 576 * 2);
  // 2 · 32 layers · 8 heads · 128.
  EXPECT_EQ(shapeOf("Mixtral-8x7B").cacheBytes(10), 10 * 2 * 32 * 1024 * 2);
  // Every other layer keeps 128 tokens only.
  ModelShape gptOss = shapeOf("gpt-oss-120b");
  EXPECT_EQ(gptOss.cacheBytes(100), 100 * 2 * 36 * 512 * 2);
  EXPECT_EQ(gptOss.cacheBytes(1000), (1000 + 128) * 2 * 18 * 512 * 2);
  // Pairs of layers share keys and values.
  EXPECT_EQ(shapeOf("Hunyuan-Large").cacheBytes(1), 2 * 32 * 8 * 80 * 2);
  // Few layers attend; the others keep a state of a fixed size.
  ModelShape jamba = shapeOf("Jamba-v0.1");
  EXPECT_EQ(jamba.cacheBytes(101) - jamba.cacheBytes(1),
            100 * 2 * 4 * 1024 * 2);
  EXPECT_EQ(jamba.cacheBytes(0), 28 * 8192 * (16 + 4) * 2);
  ModelShape qwen = shapeOf("Qwen3.5-35B-A3B");
  EXPECT_EQ(qwen.cacheBytes(11) - qwen.cacheBytes(1), 10 * 2 * 10 * 512 * 2);
  EXPECT_GT(shapeOf("MiniMax-M1").cacheBytes(0), 0);
}

TEST(ModelShape, SaysWhatItLeavesOut) {
  auto has = [](const ModelShape &shape, llvm::StringRef part) {
    return llvm::any_of(shape.notes, [&](const std::string &note) {
      return llvm::StringRef(note).contains(part);
    });
  };
  EXPECT_TRUE(has(shapeOf("DeepSeek-V3"), "further tokens"));
  EXPECT_TRUE(has(shapeOf("Hunyuan-Large"), "no vocab_size"));
  EXPECT_TRUE(has(shapeOf("OLMoE-1B-7B"), "bf16 is assumed"));
  EXPECT_TRUE(has(shapeOf("Qwen3.5-35B-A3B"), "vision encoder"));
  EXPECT_TRUE(shapeOf("Mixtral-8x7B").notes.empty());
}

TEST(ModelShape, ReadsTheExpertsUnderTransformers5Name) {
  std::string qwen = replaced(modelText("Qwen3-30B-A3B"), "\"num_experts\"",
                              "\"num_local_experts\"");
  llvm::Expected<ModelShape> shape = readModelShape(qwen, "c.json");
  ASSERT_TRUE(bool(shape)) << llvm::toString(shape.takeError());
  EXPECT_EQ(shape->experts, 128);
}

TEST(ModelShape, RefusesWithKeyAndPlace) {
  // The file lacks the sizes of the checkpoint, and says so.
  EXPECT_EQ(errorOf(modelText("NLLB-MoE-54B")),
            "c.json:1:1: error: missing key \"d_model\"");
  std::string mixtral = modelText("Mixtral-8x7B");
  std::string error = errorOf(replaced(mixtral, "\"model_type\": \"mixtral\"",
                                       "\"model_type\": \"other\""));
  EXPECT_NE(error.find("key \"model_type\": unknown family \"other\"; known "
                       "families: dbrx, "),
            std::string::npos)
      << error;
  EXPECT_NE(errorOf(replaced(mixtral, "\"num_experts_per_tok\": 2",
                             "\"num_experts_per_tok\": 9"))
                .find("expected at most the 8 experts, but got 9"),
            std::string::npos);
  EXPECT_NE(errorOf(replaced(mixtral, "\"num_key_value_heads\": 8",
                             "\"num_key_value_heads\": 5"))
                .find("expected a divisor of num_attention_heads 32, but got "
                      "5"),
            std::string::npos);
  std::string deepSeek = modelText("DeepSeek-V3");
  EXPECT_NE(errorOf(replaced(deepSeek, "\"fp8\"", "\"gptq\""))
                .find("expected \"fp8\" or \"mxfp4\", but got \"gptq\""),
            std::string::npos);
  EXPECT_NE(errorOf(replaced(deepSeek, "\"first_k_dense_replace\": 3",
                             "\"first_k_dense_replace\": 99"))
                .find("expected a layer with experts, but got none"),
            std::string::npos);
}
