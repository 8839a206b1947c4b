// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plan agrees with the request that it was made by, and does not when one
// option of that is another: for every option that planning has.

#include "moe/Runner/PlanRequest.h"

#include "../TemporaryFolder.h"
#include "moe/Pipelines/PlanPipeline.h"
#include "moe/Registration.h"
#include "moe/Runner/ModuleSource.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"

#include "gmock/gmock.h"

using namespace moe::runner;
using moe::test::messageOf;
using moe::test::TemporaryFolder;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {
/// An option, a plan that is made with it, and another value of it.
struct OptionUnderTest {
  const char *name;
  const char *plan;
  const char *other;
  /// How the error goes on after "the module is planned ".
  const char *difference;
};
} // namespace

static constexpr OptionUnderTest optionsUnderTest[] = {
    {"mesh", "mesh=dp=2,ep=2", "ep=4", "with --mesh=dp=2,ep=2"},
    {"token-axes", "mesh=a=2,b=2 token-axes=a,b expert-axes=b", "b",
     "with --token-axes=a,b"},
    {"expert-axes", "mesh=a=2,b=2 token-axes=a,b expert-axes=b", "a",
     "with --expert-axes=b"},
    {"expert-tensor-axes", "mesh=ep=2,c=2 token-axes=ep expert-tensor-axes=c",
     "none", "with --expert-tensor-axes=c"},
    {"tensor-axes", "mesh=ep=2,c=2 token-axes=ep tensor-axes=c", "none",
     "with --tensor-axes=c"},
    {"stage-axes", "mesh=ep=2,c=2 token-axes=ep stage-axes=c", "none",
     "with --stage-axes=c"},
    {"step", "mesh=ep=2 step=training", "inference", "with --step=training"},
    {"topology", "mesh=ep=8 topology=$flat", "$tiers",
     "for another topology, node: 8 x"},
    {"gpu", "mesh=ep=8 topology=$matrix gpu=H100", "H200",
     "for another topology"},
    {"nodes",
     "mesh=dp=2,ep=8 topology=$matrix gpu=H100 nodes=2 inter-node-gbps=400",
     "4", "for another topology"},
    {"nic-gbps", "mesh=dp=2,ep=8 topology=$nics gpu=A100 nodes=2 nic-gbps=200",
     "100", "for another topology"},
    {"inter-node-gbps",
     "mesh=dp=2,ep=8 topology=$matrix gpu=H100 nodes=2 inter-node-gbps=400",
     "200", "for another topology"},
    {"loads", "mesh=ep=2 loads=$loads", "$csv", "with loads of another file"},
    {"loads-model", "mesh=ep=2 loads=$csv loads-model=m loads-domain=d", "n",
     "with --loads-model=m"},
    {"loads-domain", "mesh=ep=2 loads=$csv loads-model=m loads-domain=d", "e",
     "with --loads-domain=d"},
    {"loads-content", "mesh=ep=2 loads=$trace loads-content=trace", "loads",
     "with --loads-content=trace"},
    {"trace-ranks", "mesh=ep=2 loads=$trace loads-content=trace trace-ranks=2",
     "3", "with --trace-ranks=2"},
    {"placement", "mesh=ep=2 placement=round_robin", "contiguous",
     "with --placement=round_robin"},
    {"objective", "mesh=ep=2 placement=joint objective=load", "time",
     "with --objective=load"},
    {"replicas", "mesh=ep=2 placement=joint replicas=2", "4",
     "with --replicas=2"},
    {"expert-groups", "mesh=ep=2 placement=eplb expert-groups=2", "3",
     "with --expert-groups=2"},
    {"memory-gib", "mesh=ep=2 memory-gib=0.5", "0.25", "with --memory-gib="},
    {"exchange", "mesh=ep=2 exchange=flat_bounded", "flat_exact",
     "with --exchange=flat_bounded"},
    {"bound", "mesh=ep=2 exchange=flat_bounded bound=64", "0",
     "with --bound=64"},
};

namespace {
class PlanRequestTest : public ::testing::Test {
protected:
  PlanRequestTest() {
    mlir::DialectRegistry registry;
    mlir::moe::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    std::string inputs = MOE_TEST_INPUTS;
    files = {
        {"$flat", folder.write("flat.mlir", "comm.topology @t tiers [node: 8 x "
                                            "50.0 GB/s 5.0 us]")},
        {"$tiers",
         folder.write("tiers.mlir", "comm.topology @t tiers [node: 2 x 50.0 "
                                    "GB/s 5.0 us, gpu: 4 x 300.0 GB/s 1.0 "
                                    "us]")},
        {"$matrix", inputs + "/topo/matrix/h100_8x_ml-engineering.txt"},
        {"$nics", inputs + "/topo/matrix/a100_8x_2nic.txt"},
        {"$loads", folder.write("loads.json", "[[1, 2, 3, 4, 5, 6],"
                                              " [6, 5, 4, 3, 2, 1]]")},
        {"$csv", folder.write("loads.csv", "model,domain,layer,expert,count\n"
                                           "m,d,0,5,3\nm,d,1,5,4\n"
                                           "n,e,0,5,3\nn,e,1,5,4\n")},
        {"$trace",
         folder.write("trace.json", "[[[0, 1], [2, 3]], [[2, 3], [0, 5]],"
                                    " [[4, 5], [1, 2]]]")},
    };
  }

  /// What a text of options asks for: `mesh=ep=2 loads=$loads`.
  PlanRequest parse(llvm::StringRef text) const {
    PlanRequest request;
    for (llvm::StringRef option : llvm::split(text, ' ')) {
      auto [name, value] = option.split('=');
      request.options[name.str()] = expand(value);
    }
    return request;
  }
  std::string expand(llvm::StringRef value) const {
    auto file = files.find(value.str());
    return file == files.end() ? value.str() : file->second;
  }

  /// The module, planned with the options of a request.
  std::string plan(const PlanRequest &request) {
    auto module = mlir::parseSourceFile<mlir::ModuleOp>(
        MOE_TEST_INPUTS "/mixtral-2-layers.mlir", &context);
    mlir::moe::PlanPipelineOptions options;
    for (const auto &[name, value] : request.options) {
      EXPECT_TRUE(options.set(name, value)) << name;
    }
    mlir::PassManager manager(&context);
    mlir::moe::buildPlanPipeline(manager, options);
    EXPECT_TRUE(mlir::succeeded(manager.run(*module)));
    std::string text;
    llvm::raw_string_ostream stream(text);
    module->print(stream);
    return text;
  }

  /// The error of asking this of a planned module; "" where there is none.
  static std::string ask(const std::string &module,
                         const PlanRequest &request) {
    SessionOptions options;
    options.modulePath = "module.mlir";
    options.moduleText = module;
    options.plan = request;
    return messageOf(ModuleSource::create(options));
  }

  TemporaryFolder folder;
  mlir::MLIRContext context;
  std::map<std::string, std::string> files;
};
} // namespace

TEST_F(PlanRequestTest, ComparesEveryOptionOfPlanning) {
  std::set<std::string> tested;
  for (const OptionUnderTest &option : optionsUnderTest) {
    tested.insert(option.name);
  }
  for (const std::string &name : mlir::moe::PlanPipelineOptions().names()) {
    EXPECT_TRUE(PlanRequest::isCompared(name)) << name;
    EXPECT_TRUE(tested.count(name)) << name;
  }
}

TEST_F(PlanRequestTest, NamesBothValues) {
  for (const OptionUnderTest &option : optionsUnderTest) {
    SCOPED_TRACE(option.name);
    PlanRequest request = parse(option.plan);
    std::string module = plan(request);
    EXPECT_EQ(ask(module, request), "");
    std::string &value = request.options[option.name];
    value = expand(option.other);
    std::string error = ask(module, request);
    std::string asked = "--" + std::string(option.name) + "=" + value;
    EXPECT_THAT(error, StartsWith("module.mlir: expected --"));
    EXPECT_THAT(error, HasSubstr(asked));
    EXPECT_THAT(error, HasSubstr(std::string(", but the module is planned ") +
                                 option.difference));
    EXPECT_THAT(error, EndsWith("; --replan plans it again"));
  }
}

TEST_F(PlanRequestTest, LeavesToThePlanWhatIsNotAsked) {
  std::string module = plan(parse(
      "mesh=dp=2,ep=2 placement=round_robin exchange=flat_bounded bound=64"));
  EXPECT_EQ(ask(module, PlanRequest()), "");
  EXPECT_EQ(ask(module, parse("exchange=auto objective=auto")), "");
  EXPECT_EQ(ask(module, parse("mesh=dp=02,ep=2 bound=064")), "");
  PlanRequest ranks;
  ranks.ranks = 8;
  EXPECT_EQ(ask(module, ranks),
            "module.mlir: expected --ranks=8, but the module is planned with "
            "--mesh=dp=2,ep=2, which has 4; --replan plans it again");
}

TEST_F(PlanRequestTest, IsMadeWhereThereIsNoPlan) {
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(
      MOE_TEST_INPUTS "/mixtral-2-layers.mlir", &context);
  std::string text;
  llvm::raw_string_ostream(text) << *module;
  for (const OptionUnderTest &option : optionsUnderTest) {
    SCOPED_TRACE(option.name);
    EXPECT_EQ(ask(text, parse(option.plan)), "");
  }
}

TEST_F(PlanRequestTest, IsVerified) {
  auto errorOf = [&](llvm::StringRef options) {
    return messageOf(parse(options).verify());
  };
  EXPECT_EQ(errorOf("replicas=some"),
            "expected --replicas to be a whole number, but got 'some'");
  EXPECT_EQ(errorOf("memory-gib=all"),
            "expected --memory-gib to be a number, but got 'all'");
  EXPECT_EQ(errorOf("nodes=2"), "expected --topology with --nodes");
  EXPECT_EQ(errorOf("trace-ranks=2"), "expected --loads with --trace-ranks");
  EXPECT_EQ(errorOf("speed=2"),
            "expected an option of planning, but got 'speed'");
  PlanRequest request = parse("mesh=ep=3");
  request.ranks = 4;
  EXPECT_EQ(messageOf(request.verify()),
            "expected 4 ranks as asked for, but the mesh ep=3 has 3");
}
