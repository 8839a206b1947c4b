//===- PlannerReportTest.cpp - Planners' questions, answered --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/PlannerReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace moe::report;
using namespace moe::planning;

static std::string text(const Table &table) {
  std::string result;
  llvm::raw_string_ostream os(result);
  renderText(table, os);
  return result;
}

/// The layer of the published comparison.
static LayerSize publishedLayer() {
  LayerSize layer;
  layer.hidden = 4096;
  layer.width = 16384;
  layer.matrices = 2;
  layer.experts = 64;
  layer.choices = 2;
  return layer;
}

static Topology nodesOfEight(int64_t nodes) {
  return llvm::cantFail(Topology::create(
      {{"ib", nodes, GigabytesPerSecond(50), Microseconds(5)},
       {"nvlink", 8, GigabytesPerSecond(370.8), Microseconds(3.4)}}));
}

static CostConstants h100() {
  return llvm::cantFail(CostConstants::forAccelerator("H100"));
}

static PlannerQuestion deepSeek() {
  auto file = llvm::MemoryBuffer::getFile(
      MOE_SOURCE_DIR "/test/Inputs/models/full/DeepSeek-V3.json");
  EXPECT_TRUE(bool(file));
  return PlannerQuestion::ofModel(
      "DeepSeek-V3", llvm::cantFail(moe::model::readModelShape(
                         (*file)->getBuffer(), "DeepSeek-V3.json")));
}

TEST(PlannerReport, ComparesDenseAndExpertsToTheDigit) {
  std::string table = text(comparisonTable(publishedLayer(), 8192));
  // Columns apart, the table of the published comparison.
  std::string words;
  for (char letter : table) {
    if (letter != ' ' || (!words.empty() && words.back() != ' ')) {
      words += letter;
    }
  }
  EXPECT_NE(words.find("2 dense layers 0.27 0.54 0 0.50\n"), std::string::npos)
      << table;
  EXPECT_NE(words.find("64 experts, 2 a token 8.59 0.54 256 16.00\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("32 times the parameters"), std::string::npos);
}

TEST(PlannerStudy, TakesALayerFromItsModel) {
  PlannerQuestion question = deepSeek();
  EXPECT_EQ(question.layer.matrices, 3);
  EXPECT_EQ(question.layer.expertParameters(), 44040192);
  EXPECT_NEAR(question.layer.expertBytes(), question.shape.expertBytes(), 1);
  PlannerQuestion plain = PlannerQuestion::ofLayer(publishedLayer(), 4);
  EXPECT_EQ(plain.shape.expertBytes(), publishedLayer().expertBytes());
  EXPECT_EQ(plain.shape.expertLayers, 4);
}

TEST(PlannerStudy, ChangesTheNumberOfExpertsOnly) {
  moe::model::ModelShape shape = deepSeek().shape;
  moe::model::ModelShape doubled = withExperts(shape, 512);
  EXPECT_EQ(doubled.expertBytes(), shape.expertBytes());
  using moe::model::WeightKind;
  for (WeightKind kind : {WeightKind::Expert, WeightKind::Router}) {
    EXPECT_EQ(doubled.parametersOf(kind), 2 * shape.parametersOf(kind));
  }
  EXPECT_EQ(doubled.parametersOf(WeightKind::Attention),
            shape.parametersOf(WeightKind::Attention));
}

TEST(PlannerStudy, StepsGrowWithTokensAndSkew) {
  Topology topology = nodesOfEight(2);
  PlannerQuestion question = deepSeek();
  question.tokens = 8192;
  PlannerStudy study(question, topology, h100());
  LayerStep before = study.step(256, 8);
  EXPECT_NEAR(before.maxOverMean, 1, 1e-9);
  for (int64_t tokens = 16; tokens < 100000; tokens *= 2) {
    LayerStep step = study.step(256, tokens);
    EXPECT_GE(step.exchange, before.exchange);
    EXPECT_GE(step.compute, before.compute);
    // Every device's rows leave it but for its own part of 16.
    EXPECT_NEAR(step.moved.value(), 2.0 * tokens * 8 * 14336 * 15 / 16, 1);
    before = step;
  }
  LayerStep balanced = study.step(256, 8192);
  LayerStep collapsed = study.step(256, 8192, {1});
  EXPECT_NEAR(collapsed.maxOverMean, 16, 1e-9);
  EXPECT_GT(collapsed.exchange, balanced.exchange * 10);
  EXPECT_NEAR(collapsed.compute / balanced.compute, 16, 0.1);
  EXPECT_EQ(topology.tier(*balanced.slowestTier).name, "ib");
}

TEST(PlannerStudy, CrossoversAreWhereTheLinesCross) {
  Topology topology = nodesOfEight(4);
  PlannerQuestion question = deepSeek();
  question.tokens = 16384;
  PlannerStudy study(question, topology, h100());
  std::vector<Crossover> crossovers = study.crossovers();
  ASSERT_FALSE(crossovers.empty());
  for (const Crossover &crossover : crossovers) {
    LayerStep after = study.step(256, crossover.tokens);
    LayerStep before = study.step(256, crossover.tokens - 1);
    EXPECT_EQ(after.exchange > after.compute, crossover.exchangeTakesOver);
    EXPECT_EQ(before.exchange > before.compute, !crossover.exchangeTakesOver);
  }
}

TEST(PlannerStudy, MoreExpertsChangeBytesOfMemoryNotOfTheWire) {
  Topology topology = nodesOfEight(2);
  PlannerQuestion question = deepSeek();
  question.tokens = 4096;
  PlannerStudy study(question, topology, h100());
  std::vector<ExpertsChoice> choices = study.sweepExperts();
  ASSERT_EQ(choices.front().experts, 8);
  ASSERT_EQ(choices.back().experts, 1024);
  for (size_t index = 1; index < choices.size(); ++index) {
    EXPECT_GE(choices[index].memory.total(), choices[index - 1].memory.total());
    EXPECT_EQ(choices[index].figures.flopsPerToken,
              choices.front().figures.flopsPerToken);
    EXPECT_LE(choices[index].nodesReached, choices[index - 1].nodesReached);
  }
}

TEST(PlannerReport, AnswersWithLabelsAndAdvice) {
  Topology topology = nodesOfEight(1);
  PlannerQuestion question = deepSeek();
  question.tokens = 4096;
  PlannerStudy study(question, topology, h100());
  Report report = plannerReport(study);
  std::string result;
  llvm::raw_string_ostream os(result);
  renderText(report, os);
  for (llvm::StringRef part :
       {"does not fit: ", "the fewest devices on which it fits: ",
        "resident against active", "calibrated on NCCL's all-to-alls of H100",
        "Collapse costs", "not measured", "further tokens are not counted"}) {
    EXPECT_NE(result.find(part.str()), std::string::npos) << part.str();
  }
  EXPECT_EQ(report.figures.size(), 2u);
}
