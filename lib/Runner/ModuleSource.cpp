// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/ModuleSource.h"
#include "CompileProgram.h"
#include "PrepareModule.h"
#include "ReadLayout.h"

#include "moe/Analysis/PlanAttributes.h"
#include "moe/Formats/FileError.h"
#include "moe/Registration.h"
#include "moe/Target/CPU/JitEngine.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

using namespace moe::runner;
namespace formats = moe::formats;

struct ModuleSource::State {
  std::unique_ptr<mlir::MLIRContext> context;
  PreparedModule prepared;
  std::optional<PlannedLayer> planned;
  CompileOptions compile;

  llvm::Expected<LoweredProgram> lower(ProgramKind kind) const {
    mlir::func::FuncOp function = prepared.function;
    return lowerProgram(*prepared.module, function.getSymName(), kind, compile,
                        planned->layout);
  }
};

ModuleSource::ModuleSource(std::unique_ptr<State> state)
    : state(std::move(state)) {}
ModuleSource::~ModuleSource() = default;

llvm::Expected<std::unique_ptr<ModuleSource>>
ModuleSource::create(const SessionOptions &options, const RunLimits &limits) {
  auto state = std::make_unique<State>();
  llvm::Expected<mlir::moe::CPUTarget> target =
      mlir::moe::CPUTarget::parse(options.cpu);
  if (!target) {
    return target.takeError();
  }
  state->compile = {options.cpu, std::move(*target), options.overlaps,
                    options.functions, options.optLevel};
  mlir::DialectRegistry registry;
  mlir::moe::registerAllDialects(registry);
  state->context = std::make_unique<mlir::MLIRContext>(registry);
  // Errors are one line.
  state->context->printOpOnDiagnostic(false);
  llvm::Expected<PreparedModule> prepared =
      prepareModule(*state->context, options, limits, ModuleScope::Layer);
  if (!prepared) {
    return prepared.takeError();
  }
  state->prepared = std::move(*prepared);
  llvm::Expected<PlannedLayer> planned = readPlannedLayer(state->prepared);
  if (!planned) {
    return formats::inFile(options.modulePath, planned.takeError());
  }
  state->planned.emplace(std::move(*planned));
  state->planned->facts.cpu = state->compile.target.name();
  return std::unique_ptr<ModuleSource>(new ModuleSource(std::move(state)));
}

const PlannedLayer &ModuleSource::planned() const { return *state->planned; }

const mlir::moe::CPUTarget &ModuleSource::target() const {
  return state->compile.target;
}

llvm::Expected<CompiledProgram> ModuleSource::load(ProgramKind kind) {
  if (llvm::Error error = target().checkRunsHere()) {
    return std::move(error);
  }
  llvm::Expected<LoweredProgram> lowered = state->lower(kind);
  if (!lowered) {
    return lowered.takeError();
  }
  return compileProgram(std::move(*lowered), state->compile);
}

llvm::Expected<ObjectProgram> ModuleSource::emit(ProgramKind kind) const {
  llvm::Expected<LoweredProgram> lowered = state->lower(kind);
  if (!lowered) {
    return lowered.takeError();
  }
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  if (llvm::Error error =
          mlir::moe::emitObject(*lowered->module, target(), stream)) {
    return std::move(error);
  }
  ObjectProgram program{std::string(object.begin(), object.end()),
                        std::move(lowered->entry),
                        std::move(lowered->layout),
                        {}};
  for (const auto &[name, place] : lowered->findHostFunctions()) {
    program.functions.push_back(name);
  }
  return program;
}

std::string ModuleSource::printTopology() const {
  mlir::MLIRContext *context = state->context.get();
  mlir::OpBuilder builder(context);
  mlir::OwningOpRef<mlir::comm::TopologyOp> topology(
      mlir::moe::createTopology(builder, builder.getUnknownLoc(), "cluster",
                                state->planned->traffic.topology));
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*topology)->print(stream);
  return text;
}
