// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Correct programs of every family and form, each broken in one place. Every
// mutant is refused by the verifiers of operations, by moe-verify-communication
// or by comm-verify-uniform (on buffers: by comm-verify-in-flight or by
// comm-verify-uniform), or it is one that means the same. What was counted is
// printed; docs/Rationale/Uniformity.md quotes it.

#include "CommunicationMutations.h"

#include "moe/Dialect/MoE/MoE.h"
#include "moe/Import/HuggingFace.h"
#include "moe/Pipelines/PlanPipeline.h"
#include "moe/Pipelines/RankProgram.h"
#include "moe/Registration.h"
#include "moe/Transforms/Bufferize/BufferizationModels.h"
#include "moe/Transforms/Exchange/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

namespace {
/// Who refuses a mutant first.
enum class Verdict { Operations, Communication, Uniform, InFlight, Accepted };

struct Tally {
  unsigned refused[4] = {0, 0, 0, 0};
  unsigned missed = 0;

  unsigned total() const {
    return refused[0] + refused[1] + refused[2] + refused[3] + missed;
  }
};

class CommunicationMutations : public testing::Test {
protected:
  CommunicationMutations() {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.disableMultithreading();
  }

  /// A small model's communicating program; null where the plan does not fit
  /// the model.
  OwningOpRef<ModuleOp> compile(StringRef model, StringRef plan);

  /// The same on buffers.
  LogicalResult bufferize(ModuleOp program);

  Verdict judge(ModuleOp module);
  Verdict judgeBuffers(ModuleOp module);
  bool refuses(std::unique_ptr<Pass> pass, ModuleOp module);

  /// Breaks the program in every place and way, one at a time.
  void mutate(ModuleOp program, StringRef name, ArrayRef<MutationKind> kinds,
              function_ref<Verdict(ModuleOp)> judge,
              std::vector<Tally> &tallies);

  MLIRContext context;
};
} // namespace

OwningOpRef<ModuleOp> CommunicationMutations::compile(StringRef model,
                                                      StringRef plan) {
  std::string file =
      (MOE_TEST_FOLDER "/Inputs/models/" + model + "-tiny.json").str();
  auto text = llvm::MemoryBuffer::getFile(file);
  HuggingFaceImportOptions options;
  OwningOpRef<ModuleOp> module = importHuggingFaceConfig(
      text ? (*text)->getBuffer() : "", file, options, &context);
  PlanPipelineOptions planOptions;
  if (!module || failed(planOptions.parseFromString(plan))) {
    return {};
  }
  PassManager manager(&context);
  buildPlanPipeline(manager, planOptions);
  addPartitionPasses(manager);
  manager.addPass(createInsertAllToAllPass());
  manager.addPass(createOverlapExchangePass());
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  return succeeded(manager.run(*module)) ? std::move(module)
                                         : OwningOpRef<ModuleOp>();
}

LogicalResult CommunicationMutations::bufferize(ModuleOp program) {
  PassManager manager(&context);
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  addBufferizationPasses(manager);
  return manager.run(program);
}

bool CommunicationMutations::refuses(std::unique_ptr<Pass> pass,
                                     ModuleOp module) {
  PassManager manager(&context);
  manager.enableVerifier(false);
  manager.addPass(std::move(pass));
  return failed(manager.run(module));
}

Verdict CommunicationMutations::judge(ModuleOp module) {
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  if (failed(verify(module))) {
    return Verdict::Operations;
  }
  if (refuses(createVerifyCommunicationPass(), module)) {
    return Verdict::Communication;
  }
  return refuses(createVerifyUniformPass(), module) ? Verdict::Uniform
                                                    : Verdict::Accepted;
}

Verdict CommunicationMutations::judgeBuffers(ModuleOp module) {
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  if (failed(verify(module))) {
    return Verdict::Operations;
  }
  if (refuses(createVerifyInFlightPass(), module)) {
    return Verdict::InFlight;
  }
  return refuses(createVerifyUniformPass(), module) ? Verdict::Uniform
                                                    : Verdict::Accepted;
}

static Operation *getNth(ModuleOp module, unsigned place) {
  Operation *found = nullptr;
  unsigned number = 0;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    found = number++ == place ? op : found;
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

/// Where a module can be mutated: numbers of operations.
static SmallVector<unsigned> findPlaces(ModuleOp module) {
  SmallVector<unsigned> places;
  unsigned number = 0;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<comm::CollectiveOpInterface, comm::WaitOp, comm::HostExtentOp,
            comm::CheckBoundOp, comm::ShardOffsetsOp, comm::LocalOffsetOp,
            CountOffsetsOp, PermuteRowsOp, EnterLayerOp, UsePlacementOp,
            func::CallOp>(op)) {
      places.push_back(number);
    }
    ++number;
  });
  return places;
}

void CommunicationMutations::mutate(ModuleOp program, StringRef name,
                                    ArrayRef<MutationKind> kinds,
                                    function_ref<Verdict(ModuleOp)> judge,
                                    std::vector<Tally> &tallies) {
  SmallVector<unsigned> places = findPlaces(program);
  OwningOpRef<ModuleOp> mutant = program.clone();
  for (auto [kind, tally] : llvm::zip_equal(kinds, tallies)) {
    for (unsigned place : places) {
      for (unsigned variant = 0; kind.apply(getNth(*mutant, place), variant);
           ++variant) {
        Verdict verdict = judge(*mutant);
        if (verdict != Verdict::Accepted) {
          ++tally.refused[static_cast<int>(verdict)];
        } else {
          ++tally.missed;
          llvm::outs() << "missed: " << kind.name << ", variant " << variant
                       << ", at operation " << place << ", "
                       << getNth(program, place)->getName() << ", of " << name
                       << '\n';
        }
        mutant = program.clone();
      }
    }
  }
}

static unsigned print(ArrayRef<MutationKind> kinds, ArrayRef<Tally> tallies,
                      unsigned programs) {
  unsigned total = 0;
  const char *row = "{0,-32}{1,11}{2,15}{3,9}{4,11}{5,8}\n";
  llvm::outs() << llvm::formatv(row, "mutation", "operations", "communication",
                                "uniform", "in flight", "missed");
  for (auto [kind, tally] : llvm::zip_equal(kinds, tallies)) {
    llvm::outs() << llvm::formatv(row, kind.name, tally.refused[0],
                                  tally.refused[1], tally.refused[2],
                                  tally.refused[3], tally.missed);
    total += tally.total();
  }
  llvm::outs() << total << " mutants of " << programs << " programs\n";
  return total;
}

static unsigned countMissed(ArrayRef<Tally> tallies) {
  unsigned missed = 0;
  for (const Tally &tally : tallies) {
    missed += tally.missed;
  }
  return missed;
}

static constexpr StringRef models[] = {
    "mixtral",     "qwen2-moe",   "qwen3-moe", "olmoe",    "deepseek-v2-lite",
    "deepseek-v2", "deepseek-v3", "kimi-k2",   "glm4-moe", "switch"};

TEST_F(CommunicationMutations, AreRefused) {
  ArrayRef<MutationKind> kinds = getMutationKinds();
  std::vector<Tally> tallies(kinds.size());
  unsigned programs = 0;
  for (StringRef model : models) {
    for (StringRef plan :
         {"mesh=ep=4", "mesh=ep=3 exchange=flat_bounded", "mesh=dp=2,ep=2",
          "mesh=ep=2,etp=2 exchange=flat_bounded", "mesh=dp=2,ep=2,etp=2",
          "mesh=dp=2,ep=2 token-axes=dp"}) {
      std::string name = (model + " " + plan).str();
      OwningOpRef<ModuleOp> program = compile(model, plan);
      if (!program) {
        // Experts of 39 columns, which have no halves.
        EXPECT_TRUE(model == "glm4-moe" && plan.contains("etp")) << name;
        continue;
      }
      ++programs;
      ASSERT_EQ(judge(*program), Verdict::Accepted) << name;
      mutate(
          *program, name, kinds, [&](ModuleOp mutant) { return judge(mutant); },
          tallies);
    }
  }
  EXPECT_GE(print(kinds, tallies, programs), 200u);
  EXPECT_EQ(countMissed(tallies), 0u);
}

TEST_F(CommunicationMutations, OfLayersAreRefused) {
  ArrayRef<MutationKind> kinds = getLayerMutationKinds();
  std::vector<Tally> tallies(kinds.size());
  unsigned programs = 0;
  for (StringRef model : models) {
    for (StringRef plan :
         {"mesh=dp=2,ep=2", "mesh=ep=3 exchange=flat_bounded"}) {
      std::string name = (model + " " + plan).str();
      OwningOpRef<ModuleOp> program = compile(model, plan);
      ASSERT_TRUE(program) << name;
      ++programs;
      ASSERT_EQ(judge(*program), Verdict::Accepted) << name;
      mutate(
          *program, name, kinds, [&](ModuleOp mutant) { return judge(mutant); },
          tallies);
    }
  }
  EXPECT_GE(print(kinds, tallies, programs), 200u);
  EXPECT_EQ(countMissed(tallies), 0u);
}

/// Models with a shared expert, so that exchanges are in flight beside it.
TEST_F(CommunicationMutations, OfBuffersAreRefused) {
  ArrayRef<MutationKind> kinds = getBufferMutationKinds();
  std::vector<Tally> tallies(kinds.size());
  unsigned programs = 0;
  for (StringRef model : {"qwen2-moe", "deepseek-v2-lite", "deepseek-v2",
                          "deepseek-v3", "kimi-k2", "glm4-moe"}) {
    for (StringRef plan :
         {"mesh=ep=4", "mesh=dp=2,ep=2 exchange=flat_bounded"}) {
      std::string name = (model + " " + plan).str();
      OwningOpRef<ModuleOp> program = compile(model, plan);
      ASSERT_TRUE(program && succeeded(bufferize(*program))) << name;
      ++programs;
      ASSERT_EQ(judgeBuffers(*program), Verdict::Accepted) << name;
      mutate(
          *program, name, kinds,
          [&](ModuleOp mutant) { return judgeBuffers(mutant); }, tallies);
    }
  }
  EXPECT_GE(print(kinds, tallies, programs), 200u);
  EXPECT_EQ(countMissed(tallies), 0u);
}
