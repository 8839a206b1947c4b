// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/TensorSource.h"
#include "../TemporaryFolder.h"
#include "moe/Runner/RandomTensor.h"

#include <numeric>

using namespace moe::runner;
using namespace moe::test;

/// A source with an F32 matrix "m" [4, 5] = 0, 1, 2 …, an F16 and an FP8 one.
static SafetensorsSource makeSource(const TemporaryFolder &folder) {
  std::vector<float> matrix(20);
  std::iota(matrix.begin(), matrix.end(), 0.0f);
  std::vector<uint16_t> half = {toF16(0.5f), toF16(-2.0f)};
  SafetensorsWriter writer;
  writer.add("m", ElementType::F32, {4, 5}, bytesOf(matrix));
  writer.add("half", ElementType::F16, {2}, bytesOf(half));
  writer.add("a.mlp.gate.weight", ElementType::F16, {2}, bytesOf(half));
  writer.add("scaled", ElementType::F8_E4M3, {3}, "abc");
  std::string path = folder.file("w.safetensors");
  EXPECT_EQ(messageOf(writer.write(path)), "");
  return SafetensorsSource(llvm::cantFail(Safetensors::open(path)));
}

TEST(TensorSource, ReadsWindows) {
  TemporaryFolder folder;
  SafetensorsSource source = makeSource(folder);
  std::vector<float> part(6, -1.0f);
  // Rows 1 and 2, columns 2 to 4.
  EXPECT_EQ(messageOf(source.read({"m", {4, 5}}, {7, 2, 3, 5}, ElementType::F32,
                                  part.data())),
            "");
  EXPECT_EQ(part, std::vector<float>({7, 8, 9, 12, 13, 14}));
  std::vector<uint16_t> whole(20);
  EXPECT_EQ(messageOf(source.read({"m", {4, 5}}, TensorWindow::whole({4, 5}),
                                  ElementType::BF16, whole.data())),
            "");
  EXPECT_EQ(fromBF16(whole[19]), 19.0f);
}

TEST(TensorSource, ViewsWhatNeedsNoConversion) {
  TemporaryFolder folder;
  SafetensorsSource source = makeSource(folder);
  const void *matrix = source.view({"m", {4, 5}}, ElementType::F32);
  ASSERT_NE(matrix, nullptr);
  EXPECT_EQ(static_cast<const float *>(matrix)[6], 6.0f);
  EXPECT_EQ(source.view({"m", {4, 5}}, ElementType::BF16), nullptr);
  EXPECT_EQ(source.view({"absent", {1}}, ElementType::F32), nullptr);
}

TEST(TensorSource, ChecksTensors) {
  TemporaryFolder folder;
  SafetensorsSource source = makeSource(folder);
  std::string path = folder.file("w.safetensors");
  EXPECT_EQ(llvm::cantFail(source.check({"half", {2}}, ElementType::F32)),
            ElementType::F16);
  EXPECT_EQ(messageOf(source.check({"m", {5, 4}}, ElementType::F32)),
            path + ": tensor 'm': expected shape [5, 4], but got [4, 5]");
  EXPECT_EQ(messageOf(source.check({"scaled", {3}}, ElementType::F32)),
            path + ": tensor 'scaled': expected dtype F32, BF16 or F16, but "
                   "got F8_E4M3");
  EXPECT_EQ(messageOf(source.check({"absent", {3}}, ElementType::F32)),
            path + ": expected a tensor 'absent', but there is none");
  float value = 0;
  EXPECT_EQ(messageOf(source.read({"scaled", {3}}, TensorWindow::whole({1}),
                                  ElementType::F32, &value)),
            path + ": tensor 'scaled': expected dtype F32, BF16 or F16, but "
                   "got F8_E4M3");
}

TEST(TensorSource, KnowsBothNamesOfMixtralsBlock) {
  TemporaryFolder folder;
  SafetensorsSource source = makeSource(folder);
  EXPECT_TRUE(source.contains("a.block_sparse_moe.gate.weight"));
  std::vector<float> values(2);
  EXPECT_EQ(messageOf(source.read({"a.block_sparse_moe.gate.weight", {2}},
                                  TensorWindow::whole({2}), ElementType::F32,
                                  values.data())),
            "");
  EXPECT_EQ(values, std::vector<float>({0.5f, -2.0f}));
}

TEST(TensorSource, RandomSourceGivesTheGeneratorsValues) {
  RandomSource source(9);
  RandomTensor tensor("w", 9, {6, 7});
  EXPECT_EQ(llvm::cantFail(source.check({"w", {6, 7}}, ElementType::BF16)),
            ElementType::BF16);
  std::vector<float> part(4);
  EXPECT_EQ(messageOf(source.read({"w", {6, 7}}, {15, 2, 2, 7},
                                  ElementType::F32, part.data())),
            "");
  EXPECT_EQ(part, std::vector<float>({tensor.value(15), tensor.value(16),
                                      tensor.value(22), tensor.value(23)}));
}
