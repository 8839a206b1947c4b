// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/ExpertTensors.h"
#include "../TemporaryFolder.h"

#include <numeric>

using namespace moe::runner;
using namespace moe::test;

// Three experts, width I = 2, hidden H = 4.
static constexpr int64_t experts = 3, width = 2, hidden = 4;
static const TensorShape gateShape = {width, hidden};
static const TensorShape downShape = {hidden, width};

/// 0, 1, 2 … of the given count, as a tensor of \p writer.
static void addCounting(SafetensorsWriter &writer, llvm::StringRef name,
                        llvm::ArrayRef<int64_t> shape, float first = 0) {
  int64_t count = 1;
  for (int64_t extent : shape) {
    count *= extent;
  }
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  writer.add(name, ElementType::F32, shape, bytesOf(values));
}

static SafetensorsSource openSource(const TemporaryFolder &folder,
                                    const SafetensorsWriter &writer) {
  std::string path = folder.file("w.safetensors");
  EXPECT_EQ(messageOf(writer.write(path)), "");
  return SafetensorsSource(llvm::cantFail(Safetensors::open(path)));
}

static std::vector<float> readAll(const ExpertTensors &tensors,
                                  int64_t expert) {
  std::vector<float> values(width * hidden);
  EXPECT_EQ(messageOf(tensors.read(expert, ElementType::F32, values.data())),
            "");
  return values;
}

static std::vector<float> counting(float first) {
  std::vector<float> values(width * hidden);
  std::iota(values.begin(), values.end(), first);
  return values;
}

TEST(ExpertTensors, FindsOneTensorAnExpert) {
  TemporaryFolder folder;
  SafetensorsWriter writer;
  for (int64_t expert = 0; expert < experts; ++expert) {
    addCounting(writer, "l.experts." + std::to_string(expert) + ".w1.weight",
                gateShape, 100.0f * expert);
  }
  SafetensorsSource source = openSource(folder, writer);
  ExpertTensors tensors = llvm::cantFail(ExpertTensors::resolve(
      source, "l.experts.{e}.w1.weight", experts, gateShape));
  EXPECT_FALSE(tensors.isFused());
  EXPECT_EQ(tensors.tensorName(2), "l.experts.2.w1.weight");
  EXPECT_EQ(readAll(tensors, 2), counting(200));
  EXPECT_EQ(*static_cast<const float *>(tensors.view(1, ElementType::F32)),
            100.0f);
}

TEST(ExpertTensors, FindsFusedTensors) {
  TemporaryFolder folder;
  SafetensorsWriter writer;
  addCounting(writer, "l.experts.gate_up_proj", {experts, 2 * width, hidden});
  addCounting(writer, "l.experts.down_proj", {experts, hidden, width});
  SafetensorsSource source = openSource(folder, writer);
  auto resolve = [&](llvm::StringRef projection, const TensorShape &shape) {
    std::string pattern = ("l.experts.{e}." + projection + ".weight").str();
    return llvm::cantFail(
        ExpertTensors::resolve(source, pattern, experts, shape));
  };
  // [E, 2I, H]: an expert's gate, then its up.
  ExpertTensors gate = resolve("gate_proj", gateShape);
  ExpertTensors up = resolve("up_proj", gateShape);
  ExpertTensors down = resolve("down_proj", downShape);
  EXPECT_TRUE(up.isFused());
  EXPECT_EQ(up.tensorName(1), "l.experts.gate_up_proj");
  EXPECT_EQ(readAll(gate, 0), counting(0));
  EXPECT_EQ(readAll(up, 0), counting(8));
  EXPECT_EQ(readAll(gate, 2), counting(32));
  EXPECT_EQ(readAll(up, 2), counting(40));
  EXPECT_EQ(readAll(down, 2), counting(16));
  EXPECT_EQ(*static_cast<const float *>(up.view(2, ElementType::F32)), 40.0f);

  std::vector<float> corner(2);
  EXPECT_EQ(
      messageOf(up.read(1, {1, 1, 2, 2}, ElementType::F32, corner.data())), "");
  EXPECT_EQ(corner, std::vector<float>({30, 31}));
}

TEST(ExpertTensors, FindsFusedMixtral) {
  TemporaryFolder folder;
  SafetensorsWriter writer;
  addCounting(writer, "l.mlp.experts.gate_up_proj",
              {experts, 2 * width, hidden});
  SafetensorsSource source = openSource(folder, writer);
  ExpertTensors up = llvm::cantFail(ExpertTensors::resolve(
      source, "l.block_sparse_moe.experts.{e}.w3.weight", experts, gateShape));
  EXPECT_EQ(readAll(up, 1), counting(24));
}

TEST(ExpertTensors, NamesWhatIsMissing) {
  TemporaryFolder folder;
  SafetensorsWriter writer;
  addCounting(writer, "l.experts.0.up_proj.weight", gateShape);
  addCounting(writer, "f.experts.gate_up_proj", {experts, hidden, 2 * width});
  SafetensorsSource source = openSource(folder, writer);
  std::string path = folder.file("w.safetensors");
  auto errorOf = [&](llvm::StringRef pattern, const TensorShape &shape) {
    return messageOf(ExpertTensors::resolve(source, pattern, experts, shape));
  };
  EXPECT_EQ(errorOf("l.experts.{e}.up_proj.weight", gateShape),
            path + ": expected a tensor 'l.experts.1.up_proj.weight', but "
                   "there is none");
  EXPECT_EQ(errorOf("l.experts.{e}.down_proj.weight", downShape),
            path + ": expected a tensor 'l.experts.0.down_proj.weight', but "
                   "there is none, nor 'l.experts.down_proj'");
  EXPECT_EQ(errorOf("l.experts.expert_{e}.wi.weight", gateShape),
            path + ": expected a tensor 'l.experts.expert_0.wi.weight', but "
                   "there is none");
  EXPECT_EQ(errorOf("l.experts.{e}.up_proj.weight", {3, 4}),
            path + ": tensor 'l.experts.0.up_proj.weight': expected shape [3, "
                   "4], but got [2, 4]");
  EXPECT_EQ(errorOf("f.experts.{e}.up_proj.weight", {3, 4}),
            path + ": tensor 'f.experts.gate_up_proj': expected shape [3, 6, "
                   "4], but got [3, 4, 4]");
}
