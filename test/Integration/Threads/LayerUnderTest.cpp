// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerUnderTest.h"

#include "moe/Import/HuggingFace.h"
#include "moe/Pipelines/PlanPipeline.h"
#include "moe/Registration.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::integration;
using namespace moe::runner;

/// Imports and plans a model and writes the module to `path`.
static void writeModule(const LayerSpec &spec, llvm::StringRef path) {
  mlir::DialectRegistry registry;
  mlir::moe::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  std::string config = MOE_TEST_FOLDER "/Inputs/models/" + spec.model + ".json";
  auto text = llvm::MemoryBuffer::getFile(config);
  ASSERT_TRUE(text) << config;
  mlir::moe::HuggingFaceImportOptions options;
  options.tokens = spec.staticTokens;
  options.sequenceLength = spec.sequenceLength;
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::moe::importHuggingFaceConfig(
      (*text)->getBuffer(), config, options, &context);
  ASSERT_TRUE(module) << config;

  mlir::moe::PlanPipelineOptions plan;
  ASSERT_TRUE(mlir::succeeded(plan.parseFromString(spec.plan))) << spec.plan;
  mlir::PassManager manager(&context);
  mlir::moe::buildPlanPipeline(manager, plan);
  ASSERT_TRUE(mlir::succeeded(manager.run(*module))) << spec.plan;

  std::error_code code;
  llvm::raw_fd_ostream file(path, code);
  ASSERT_FALSE(code) << code.message();
  module->print(file);
}

static std::unique_ptr<Session> openSession(const LayerSpec &spec) {
  llvm::SmallString<128> path;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("layer", "mlir", path));
  llvm::FileRemover remover(path);
  writeModule(spec, path);
  SessionOptions options = spec.session;
  options.modulePath = path.str().str();
  auto session = Session::create(options);
  if (!session) {
    // Nothing can be tested without it.
    llvm::report_fatal_error(session.takeError());
  }
  return std::move(*session);
}

/// The layer on one rank, kept: many tests compare with the same one.
static Session *openAlone(const LayerSpec &spec) {
  static std::map<std::string, std::unique_ptr<Session>> sessions;
  const SessionOptions &options = spec.session;
  std::string key = spec.model + " " + options.layer + " " + options.cpu + " " +
                    std::to_string(options.seed) + " " +
                    std::to_string(spec.sequenceLength.value_or(0)) +
                    (options.takesRouting ? " routed" : "");
  std::unique_ptr<Session> &session = sessions[key];
  if (!session) {
    LayerSpec alone{spec.model};
    alone.sequenceLength = spec.sequenceLength;
    alone.session = spec.session;
    alone.session.movement = MOERT_MOVE_ANYTIME;
    session = openSession(alone);
  }
  return session.get();
}

LayerUnderTest::LayerUnderTest(const LayerSpec &spec)
    : session(openSession(spec)), alone(openAlone(spec)) {}

static std::string differenceOf(const Session &session,
                                const LayerResult &expected,
                                const LayerResult &result) {
  std::optional<Difference> difference = compareResults(expected, result);
  return difference ? toString(*difference, session.slotOf(difference->expert,
                                                           difference->token,
                                                           result.output.rows))
                    : "";
}

void LayerUnderTest::expectPlannedTraffic(const LayerRun &run) const {
  const LayerTraffic &traffic = session->traffic();
  planning::ExchangeTraffic planned =
      llvm::cantFail(traffic.plan(run.result.routing));
  planning::ExchangeTraffic counted =
      sumTraffic(run.measurement, traffic.topology.tierCount()).exchange;
  EXPECT_EQ(compareTraffic(traffic.topology, planned, counted), "");

  // Every choice of an expert is one row, on each of the ranks that hold the
  // same tokens.
  double rows = 0;
  for (double ofRank : llvm::cantFail(traffic.rowsByRank(run.result.routing))) {
    rows += ofRank;
  }
  int64_t choices = llvm::count_if(run.result.routing.experts,
                                   [](int32_t expert) { return expert >= 0; });
  EXPECT_EQ(rows, choices * (traffic.mesh.deviceCount() /
                             traffic.mesh.groupSize(traffic.tokenAxes)));
}

LayerResult LayerUnderTest::expectEqual(const LayerInput &input) {
  LayerRun run = llvm::cantFail(session->run(input));
  expectPlannedTraffic(run);
  LayerRun onOne = llvm::cantFail(alone->run(input));
  EXPECT_EQ(differenceOf(*session, onOne.result, run.result), "")
      << "against one rank";
  LayerResult unpartitioned = llvm::cantFail(alone->runReference(input));
  EXPECT_EQ(differenceOf(*session, unpartitioned, run.result), "")
      << "against the program that was not partitioned";
  return std::move(run.result);
}

std::string moe::integration::nameOf(llvm::StringRef plan) {
  std::string name;
  for (char c : plan) {
    name += llvm::isAlnum(c) ? c : '_';
  }
  return name;
}
