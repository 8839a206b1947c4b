// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "LayerUnderTest.h"

#include "moe/Import/HuggingFace.h"
#include "moe/Pipelines/PlanPipeline.h"
#include "moe/Registration.h"
#include "moe/Runner/CaptureDiagnostics.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::integration;
using namespace moe::runner;

void LayerSpec::setForm(const Form &form) {
  plan += std::string(" exchange=") + form.exchange;
  session.overlaps = form.overlaps;
}

/// The configuration of a small model, with the width that the test asks for.
static std::string readConfig(const LayerSpec &spec, llvm::StringRef path) {
  auto text = llvm::MemoryBuffer::getFile(path);
  EXPECT_TRUE(text) << path.str();
  std::string config = text ? (*text)->getBuffer().str() : "{}";
  if (spec.expertWidth) {
    llvm::json::Value value = llvm::cantFail(llvm::json::parse(config));
    (*value.getAsObject())["moe_intermediate_size"] = *spec.expertWidth;
    config = llvm::formatv("{0}", value).str();
  }
  return config;
}

static const mlir::DialectRegistry &dialects() {
  static const mlir::DialectRegistry registry = [] {
    mlir::DialectRegistry all;
    mlir::moe::registerAllDialects(all);
    return all;
  }();
  return registry;
}

namespace {
/// A model that is imported and planned, in a context of its own.
struct PlannedModel {
  mlir::MLIRContext context{dialects()};
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// Why it could not be planned; "" if it was.
  std::string refusal;
};
} // namespace

static void planModel(const LayerSpec &spec, PlannedModel &model) {
  std::string path = MOE_TEST_FOLDER "/Inputs/models/" + spec.model + ".json";
  mlir::moe::HuggingFaceImportOptions options;
  options.tokens = spec.staticTokens;
  options.sequenceLength = spec.sequenceLength;
  model.module = mlir::moe::importHuggingFaceConfig(
      readConfig(spec, path), path, options, &model.context);
  ASSERT_TRUE(model.module) << path;

  mlir::moe::PlanPipelineOptions plan;
  ASSERT_TRUE(mlir::succeeded(plan.parseFromString(spec.plan))) << spec.plan;
  mlir::PassManager manager(&model.context);
  mlir::moe::buildPlanPipeline(manager, plan);
  CaptureDiagnostics diagnostics(&model.context);
  if (mlir::failed(manager.run(*model.module))) {
    model.refusal = llvm::toString(diagnostics.takeError("no reason"));
  }
}

std::string moe::integration::refusalOf(const LayerSpec &spec) {
  PlannedModel model;
  planModel(spec, model);
  return model.refusal;
}

static std::unique_ptr<Session> openSession(const LayerSpec &spec) {
  PlannedModel model;
  planModel(spec, model);
  EXPECT_EQ(model.refusal, "") << spec.plan;
  std::string text;
  llvm::raw_string_ostream stream(text);
  model.module->print(stream);
  SessionOptions options = spec.session;
  options.modulePath = spec.model;
  options.moduleText = std::move(text);
  auto session = Session::create(options);
  if (!session) {
    // Nothing can be tested without it.
    llvm::report_fatal_error(session.takeError());
  }
  return std::move(*session);
}

class moe::integration::OneRank {
public:
  /// The results of the partitioned program and of the one that was not.
  struct Results {
    ProgramResult partitioned;
    ProgramResult unpartitioned;
  };

  /// Kept by what the layer is, whatever mesh it is compared with.
  static OneRank &find(const LayerSpec &spec);

  const Results &run(const ProgramInput &input);

private:
  std::unique_ptr<Session> session;
  std::map<std::string, Results> results;
};

OneRank &OneRank::find(const LayerSpec &spec) {
  static std::map<std::string, OneRank> kept;
  const SessionOptions &options = spec.session;
  std::string key = llvm::formatv(
      "{0} {1} {2} {3} {4} {5} {6} {7}", spec.model, options.layer, options.cpu,
      options.seed, options.optLevel, spec.sequenceLength.value_or(0),
      spec.expertWidth.value_or(0), options.takesRouting);
  OneRank &found = kept[key];
  if (!found.session) {
    LayerSpec alone{spec.model};
    alone.sequenceLength = spec.sequenceLength;
    alone.expertWidth = spec.expertWidth;
    alone.session = spec.session;
    alone.session.overlaps = true;
    alone.session.movement = MOERT_MOVE_ANYTIME;
    found.session = openSession(alone);
  }
  return found;
}

template <typename T>
static void append(std::string &text, const std::vector<T> &values) {
  text.append(reinterpret_cast<const char *>(values.data()),
              values.size() * sizeof(T));
}

const OneRank::Results &OneRank::run(const ProgramInput &input) {
  std::string key = std::to_string(input.tokens) + " ";
  append(key, input.arguments.front().bytes);
  if (input.routing) {
    append(key, input.routing->experts);
    append(key, input.routing->weights);
  }
  auto found = results.find(key);
  if (found == results.end()) {
    ProgramRun run = llvm::cantFail(session->run(input));
    ProgramResult reference = llvm::cantFail(session->runReference(input));
    found =
        results
            .emplace(key, Results{std::move(run.result), std::move(reference)})
            .first;
  }
  return found->second;
}

LayerUnderTest::LayerUnderTest(const LayerSpec &spec)
    : session(openSession(spec)), alone(&OneRank::find(spec)) {}

static std::string differenceOf(const Session &session,
                                const ProgramResult &expected,
                                const ProgramResult &result) {
  std::optional<Difference> difference = compareResults(expected, result);
  return difference
             ? toString(*difference,
                        session.slotOf(*difference, result.outputs[0].rows))
             : "";
}

void LayerUnderTest::expectPlannedTraffic(const ProgramRun &run) const {
  const LayerTraffic &traffic = layer().traffic;
  const RoutingArray &routing = run.result.routings.front();
  EXPECT_EQ(llvm::cantFail(session->checkTraffic(run)), "");

  // Every choice of an expert is one row, on each of the ranks that hold the
  // same tokens.
  double rows = 0;
  for (double ofRank : llvm::cantFail(traffic.rowsByRank(routing))) {
    rows += ofRank;
  }
  int64_t choices = llvm::count_if(routing.experts,
                                   [](int32_t expert) { return expert >= 0; });
  EXPECT_EQ(rows, choices * (traffic.mesh.deviceCount() /
                             traffic.mesh.groupSize(traffic.tokenAxes)));
}

ProgramResult LayerUnderTest::expectEqual(const ProgramInput &input) {
  ProgramRun run = llvm::cantFail(session->run(input));
  expectPlannedTraffic(run);
  const OneRank::Results &expected = alone->run(input);
  EXPECT_EQ(differenceOf(*session, expected.partitioned, run.result), "")
      << "against one rank";
  EXPECT_EQ(differenceOf(*session, expected.unpartitioned, run.result), "")
      << "against the program that was not partitioned";
  return std::move(run.result);
}

std::vector<ProgramInput>
moe::integration::makeInputs(const LayerUnderTest &layer, int64_t tokens) {
  std::vector<ProgramInput> inputs(3, layer.randomInput(tokens));
  std::fill(inputs[1].arguments[0].bytes.begin(),
            inputs[1].arguments[0].bytes.end(), 0);
  TokenArray &same = inputs[2].arguments[0];
  for (int64_t row = 1; row < tokens; ++row) {
    std::copy(same.at(0, 0), same.at(0, 0) + same.bytes.size() / tokens,
              same.at(row, 0));
  }
  return inputs;
}

std::string moe::integration::nameOf(llvm::StringRef plan) {
  std::string name;
  for (char c : plan) {
    name += llvm::isAlnum(c) ? c : '_';
  }
  return name;
}
