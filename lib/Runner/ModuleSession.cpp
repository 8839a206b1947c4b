// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/ModuleSession.h"

#include "CompileProgram.h"
#include "PrepareModule.h"
#include "ProgramCall.h"
#include "ReadLayout.h"

#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Registration.h"
#include "moe/Runner/CaptureDiagnostics.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::runner;
using llvm::formatv;
namespace planning = moe::planning;

struct ModuleSession::State {
  SessionOptions options;
  CompileOptions compile;
  std::unique_ptr<mlir::MLIRContext> context;
  PreparedModule prepared;
  /// Without handles and groups, which only lowering decides.
  std::optional<ProgramLayout> layout;
  int64_t maxTokens = 0;
  std::unique_ptr<WeightStore> weights;
  std::optional<LoadedProgram> partitioned;
  std::optional<LoadedProgram> reference;

  llvm::Error readPlan();
  llvm::Error load(ProgramKind kind, std::optional<LoadedProgram> &loaded);
  llvm::Error check(int64_t tokens, llvm::ArrayRef<TokenArray> arguments) const;
  llvm::Expected<std::vector<TokenArray>>
  run(const LoadedProgram &loaded, const RankSetup &setup, int64_t tokens,
      llvm::ArrayRef<TokenArray> arguments) const;
};

ModuleSession::ModuleSession(std::unique_ptr<State> state)
    : state(std::move(state)) {}
ModuleSession::~ModuleSession() = default;

llvm::Error ModuleSession::State::readPlan() {
  mlir::ModuleOp module = *prepared.module;
  CaptureDiagnostics diagnostics(context.get());
  mlir::FailureOr<mlir::moe::PlanFacts> plan =
      mlir::moe::PlanFacts::gather(module);
  if (mlir::failed(plan)) {
    return diagnostics.takeError("the plan cannot be read");
  }
  maxTokens = plan->tokens;
  llvm::Expected<ProgramLayout> read = readLayout(prepared, plan->mesh);
  if (!read) {
    return read.takeError();
  }
  layout = std::move(*read);
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<ModuleSession>>
ModuleSession::create(const SessionOptions &options) {
  llvm::Expected<mlir::moe::CPUTarget> target =
      mlir::moe::CPUTarget::parseToRunHere(options.cpu);
  if (!target) {
    return target.takeError();
  }
  auto state = std::make_unique<State>();
  state->options = options;
  state->compile = {options.cpu, std::move(*target), options.overlaps,
                    options.functions};
  mlir::DialectRegistry registry;
  mlir::moe::registerAllDialects(registry);
  state->context = std::make_unique<mlir::MLIRContext>(registry);
  // Errors are one line.
  state->context->printOpOnDiagnostic(false);
  llvm::Expected<PreparedModule> prepared = prepareModule(
      *state->context, options, RunLimits::query(), ModuleScope::Function);
  if (!prepared) {
    return prepared.takeError();
  }
  state->prepared = std::move(*prepared);
  if (llvm::Error error = state->readPlan()) {
    return std::move(error);
  }
  llvm::Expected<std::unique_ptr<WeightStore>> weights =
      declareWeights(*state->layout, options);
  if (!weights) {
    return weights.takeError();
  }
  state->weights = std::move(*weights);
  return std::unique_ptr<ModuleSession>(new ModuleSession(std::move(state)));
}

int64_t ModuleSession::ranks() const {
  return state->layout->ranks.deviceCount();
}

llvm::ArrayRef<Port> ModuleSession::arguments() const {
  return state->layout->arguments;
}

llvm::ArrayRef<Port> ModuleSession::results() const {
  return state->layout->results;
}

llvm::Error ModuleSession::State::load(ProgramKind kind,
                                       std::optional<LoadedProgram> &loaded) {
  if (loaded) {
    return llvm::Error::success();
  }
  mlir::func::FuncOp function = prepared.function;
  llvm::Expected<LoweredProgram> lowered = lowerProgram(
      *prepared.module, function.getSymName(), kind, compile, *layout);
  if (!lowered) {
    return lowered.takeError();
  }
  llvm::Expected<CompiledProgram> program =
      compileProgram(std::move(*lowered), compile);
  if (!program) {
    return program.takeError();
  }
  if (kind == ProgramKind::Reference) {
    program->layout = onOneRank(std::move(program->layout));
  }
  llvm::Expected<LoadedProgram> made =
      loadProgram(std::move(*program), *weights);
  if (!made) {
    return made.takeError();
  }
  loaded.emplace(std::move(*made));
  return llvm::Error::success();
}

/// Whether the arrays are what the function takes.
llvm::Error
ModuleSession::State::check(int64_t tokens,
                            llvm::ArrayRef<TokenArray> arguments) const {
  if (tokens < 0 || tokens > maxTokens) {
    return llvm::createStringError(
        formatv("expected at most {0} tokens, for which the module is planned, "
                "but got {1}",
                maxTokens, tokens));
  }
  if (arguments.size() != layout->arguments.size()) {
    return llvm::createStringError(
        formatv("expected {0} arguments, but got {1}", layout->arguments.size(),
                arguments.size()));
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Port &port = layout->arguments[i];
    const TokenArray &array = arguments[i];
    int64_t rows = port.rows.value_or(tokens);
    if (array.type != port.type || array.rows != rows ||
        array.columns != port.columns) {
      return llvm::createStringError(formatv(
          "expected argument {0} to be {1} [{2}, {3}], but got {4} [{5}, {6}]",
          i, name(port.type), rows, port.columns, name(array.type), array.rows,
          array.columns));
    }
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<TokenArray>>
ModuleSession::State::run(const LoadedProgram &loaded, const RankSetup &setup,
                          int64_t tokens,
                          llvm::ArrayRef<TokenArray> arguments) const {
  std::vector<const TokenArray *> pointers;
  for (const TokenArray &array : arguments) {
    pointers.push_back(&array);
  }
  ProgramCall call(loaded, tokens, pointers);
  llvm::Expected<RunMeasurement> measured = runRanks(setup, call.calls());
  if (!measured) {
    return measured.takeError();
  }
  std::vector<TokenArray> results;
  for (size_t i = 0; i < layout->results.size(); ++i) {
    llvm::Expected<TokenArray> result = call.assembleResult(i);
    if (!result) {
      return result.takeError();
    }
    results.push_back(std::move(*result));
  }
  return results;
}

llvm::Expected<std::vector<TokenArray>>
ModuleSession::run(int64_t tokens, llvm::ArrayRef<TokenArray> arguments) {
  if (llvm::Error error = state->check(tokens, arguments)) {
    return std::move(error);
  }
  if (llvm::Error error =
          state->load(ProgramKind::Partitioned, state->partitioned)) {
    return std::move(error);
  }
  RankSetup setup;
  setup.ranks = ranks();
  setup.cores = state->options.cores;
  setup.deadlineSeconds = state->options.deadlineSeconds;
  setup.exitsWhenStuck = state->options.exitsWhenStuck;
  setup.movement = state->options.movement;
  setup.tracePath = state->options.tracePath;
  addGroups(state->partitioned->program.layout, setup);
  return state->run(*state->partitioned, setup, tokens, arguments);
}

llvm::Expected<std::vector<TokenArray>>
ModuleSession::runReference(int64_t tokens,
                            llvm::ArrayRef<TokenArray> arguments) {
  if (llvm::Error error = state->check(tokens, arguments)) {
    return std::move(error);
  }
  if (llvm::Error error =
          state->load(ProgramKind::Reference, state->reference)) {
    return std::move(error);
  }
  RankSetup alone;
  alone.cores = state->options.cores;
  return state->run(*state->reference, alone, tokens, arguments);
}
