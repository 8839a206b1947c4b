//===- MemoryTest.cpp - Does a model fit on a device ----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/Memory.h"
#include "TestSupport.h"
#include "llvm/Support/MemoryBuffer.h"
#include <functional>

using namespace moe::planning;
using namespace moe::planning::test;
using moe::model::ModelShape;

static ModelShape shapeOf(llvm::StringRef name) {
  auto file = llvm::MemoryBuffer::getFile(
      MOE_SOURCE_DIR "/test/Inputs/models/full/" + name + ".json");
  EXPECT_TRUE(bool(file));
  return llvm::cantFail(moe::model::readModelShape((*file)->getBuffer(), name));
}

static CostConstants constantsOf(llvm::StringRef product) {
  return llvm::cantFail(CostConstants::forAccelerator(product));
}

static double gibibytes(Bytes bytes) { return bytes.value() / (1 << 30); }

TEST(Memory, OneMoreSlotOfDeepSeekV3) {
  ModelShape shape = shapeOf("DeepSeek-V3");
  MemoryRequest request;
  request.expertRanks = 32;
  MemoryEstimate plain = estimateMemory(shape, request, CostConstants());
  request.replicas = 32;
  MemoryEstimate replicated = estimateMemory(shape, request, CostConstants());
  EXPECT_EQ(plain.replicas, Bytes());
  EXPECT_EQ(plain.experts, replicated.experts);
  EXPECT_NEAR(gibibytes(plain.experts), 8 * 2.379, 0.002);
  EXPECT_NEAR(gibibytes(replicated.replicas), 2.379, 0.0005);
  // DeepSeek's prefill unit: 9 slots a device.
  EXPECT_NEAR((replicated.experts + replicated.replicas) / plain.experts,
              9.0 / 8, 1e-12);
  EXPECT_NEAR(replicated.scales / plain.scales, 9.0 / 8, 1e-12);
}

TEST(Memory, MixtralNeedsTwoH100) {
  // 46.7 billion parameters in bf16 are 87 GiB; 0.9 of 80 GiB are usable.
  ModelShape shape = shapeOf("Mixtral-8x7B");
  CostConstants h100 = constantsOf("H100");
  MemoryRequest request;
  MemoryEstimate one = estimateMemory(shape, request, h100);
  EXPECT_FALSE(one.fits());
  EXPECT_NEAR(gibibytes(one.total()), 46.7e9 * 2 / (1 << 30), 0.1);
  EXPECT_NEAR(gibibytes(one.missing()), gibibytes(one.total()) - 72, 1e-9);
  EXPECT_EQ(fewestExpertRanks(shape, request, h100), 2);
  request.expertRanks = 2;
  MemoryEstimate two = estimateMemory(shape, request, h100);
  EXPECT_TRUE(two.fits());
  EXPECT_EQ(two.missing(), Bytes());
  EXPECT_EQ(two.experts, one.experts / 2);
  EXPECT_EQ(two.dense, one.dense);
}

TEST(Memory, CacheAndBuffersFollowTheTokens) {
  ModelShape shape = shapeOf("Mixtral-8x7B");
  MemoryRequest request;
  request.expertRanks = 4;
  request.sequences = 10;
  request.context = 1000;
  request.tokens = 4096;
  MemoryEstimate exact = estimateMemory(shape, request, CostConstants());
  // Three of ten sequences on the fullest device.
  EXPECT_EQ(exact.cache, Bytes(3 * shape.cacheBytes(1000)));
  // 1024 tokens with two rows of 8 KiB, sent and received, both ways.
  EXPECT_EQ(exact.buffers, Bytes(2.0 * 2 * 1024 * 2 * 8192));
  request.maxOverMean = 3;
  EXPECT_EQ(estimateMemory(shape, request, CostConstants()).buffers,
            exact.buffers * 2);
  // Two experts a device: each of the 4096 tokens may send both rows there.
  request.form = ExchangeForm::FlatBounded;
  EXPECT_EQ(estimateMemory(shape, request, CostConstants()).buffers,
            Bytes(2.0 * (1024 * 2 + 4096 * 2) * 8192));
}

TEST(Memory, TensorAxesShareDenseWeightsAndHeads) {
  ModelShape mixtral = shapeOf("Mixtral-8x7B");
  ModelShape deepSeek = shapeOf("DeepSeek-V3");
  MemoryRequest request;
  request.expertRanks = 16;
  request.sequences = 16;
  request.context = 100;
  MemoryRequest split = request;
  split.denseRanks = 4;
  MemoryEstimate whole = estimateMemory(mixtral, request, CostConstants());
  MemoryEstimate shared = estimateMemory(mixtral, split, CostConstants());
  EXPECT_NEAR(shared.dense / whole.dense, 0.25, 0.001);
  // Four times the sequences, a quarter of the heads.
  EXPECT_EQ(shared.cache, whole.cache);
  // A compressed cache has no heads to share: every rank keeps it all.
  EXPECT_EQ(estimateMemory(deepSeek, split, CostConstants()).cache,
            estimateMemory(deepSeek, request, CostConstants()).cache * 4);
}

TEST(Memory, FullestDeviceOfAPlacement) {
  ModelShape shape = shapeOf("Mixtral-8x7B");
  MemoryRequest request;
  request.expertRanks = 4;
  request.slotsOnFullest = 2 * 32 + 5;
  MemoryEstimate estimate = estimateMemory(shape, request, CostConstants());
  EXPECT_EQ(estimate.replicas / estimate.experts, 5.0 / 64);
}

TEST(Memory, SaysWhenNoNumberOfDevicesHelps) {
  ModelShape shape = shapeOf("DeepSeek-V3");
  MemoryRequest request;
  // A small GPU does not hold the cache of one long sequence and what is not
  // shared out.
  request.sequences = 1;
  request.context = 163840;
  EXPECT_EQ(fewestExpertRanks(shape, request, constantsOf("RTX3090")),
            std::nullopt);
  std::optional<int64_t> ranks =
      fewestExpertRanks(shape, request, constantsOf("H100"));
  ASSERT_TRUE(ranks.has_value());
  request.expertRanks = *ranks;
  EXPECT_TRUE(estimateMemory(shape, request, constantsOf("H100")).fits());
  request.expertRanks = *ranks - 1;
  EXPECT_FALSE(estimateMemory(shape, request, constantsOf("H100")).fits());
}

TEST(Memory, PartsOfADevice) {
  LayerDemand layer;
  layer.expert = Bytes(100);
  layer.scales = Bytes(1);
  layer.slots = 5;
  layer.evenSlots = 3;
  layer.rowsSent = 20;
  layer.rowsReceived = 10;
  layer.rowBytes = Bytes(4);
  LayerDemand fewer = layer;
  fewer.slots = 2;
  fewer.rowsReceived = 40;
  MemoryEstimate estimate = estimateMemory(
      {{layer, fewer}, /*dense=*/Bytes(7), /*cache=*/Bytes(9)}, Bytes(1000));
  EXPECT_EQ(estimate.experts, Bytes(500));
  EXPECT_EQ(estimate.replicas, Bytes(200));
  EXPECT_EQ(estimate.scales, Bytes(7));
  // Layers take turns in the buffers.
  EXPECT_EQ(estimate.buffers, Bytes(240));
  EXPECT_EQ(estimate.total(), Bytes(963));
  EXPECT_TRUE(estimate.fits());
}

TEST(Memory, FewestRanksAreMultiples) {
  auto halves = [](int64_t ranks) {
    MemoryEstimate estimate;
    estimate.dense = Bytes(100.0 / ranks);
    estimate.usable = Bytes(20);
    return estimate;
  };
  EXPECT_EQ(fewestRanks(1, 64, halves), 5);
  EXPECT_EQ(fewestRanks(2, 64, halves), 6);
  EXPECT_EQ(fewestRanks(1, 4, halves), std::nullopt);
}
