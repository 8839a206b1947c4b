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
  std::optional<PlannedProgram> planned;
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
  std::string cpu = options.cpu.empty() ? "native" : options.cpu;
  llvm::Expected<mlir::moe::CPUTarget> target =
      mlir::moe::CPUTarget::parse(cpu);
  if (!target) {
    return target.takeError();
  }
  state->compile = {cpu,
                    std::move(*target),
                    options.overlaps,
                    options.functions,
                    options.optLevel,
                    options.platform.device};
  mlir::DialectRegistry registry;
  mlir::moe::registerAllDialects(registry);
  state->context = std::make_unique<mlir::MLIRContext>(registry);
  // Errors are one line.
  state->context->printOpOnDiagnostic(false);
  llvm::Expected<PreparedModule> prepared =
      prepareModule(*state->context, options, limits);
  if (!prepared) {
    return prepared.takeError();
  }
  state->prepared = std::move(*prepared);
  llvm::Expected<PlannedProgram> planned = readPlan(state->prepared);
  if (!planned) {
    return formats::inFile(options.modulePath, planned.takeError());
  }
  state->planned.emplace(std::move(*planned));
  state->planned->facts.cpu = state->compile.target.name();
  return std::unique_ptr<ModuleSource>(new ModuleSource(std::move(state)));
}

const PlannedProgram &ModuleSource::planned() const { return *state->planned; }

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

struct LoweredObject::State {
  LoweredProgram program;
  mlir::moe::CPUTarget target;
};

LoweredObject::LoweredObject(std::unique_ptr<State> state)
    : state(std::move(state)) {}
LoweredObject::LoweredObject(LoweredObject &&other) noexcept = default;
LoweredObject::~LoweredObject() = default;

const std::string &LoweredObject::entry() const { return state->program.entry; }

const ProgramLayout &LoweredObject::layout() const {
  return state->program.layout;
}

std::vector<std::string> LoweredObject::functions() const {
  std::vector<std::string> names;
  for (const auto &[name, place] : state->program.findHostFunctions()) {
    names.push_back(name);
  }
  return names;
}

llvm::Expected<std::string> LoweredObject::emit(llvm::StringRef stamp) const {
  mlir::ModuleOp module = *state->program.module;
  mlir::moe::stampModule(module, stamp);
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  if (llvm::Error error =
          mlir::moe::emitObject(module, state->target, stream)) {
    return std::move(error);
  }
  return std::string(object.begin(), object.end());
}

llvm::Expected<LoweredObject> ModuleSource::lower(ProgramKind kind) const {
  llvm::Expected<LoweredProgram> lowered = state->lower(kind);
  if (!lowered) {
    return lowered.takeError();
  }
  return LoweredObject(std::make_unique<LoweredObject::State>(
      LoweredObject::State{std::move(*lowered), target()}));
}

std::string ModuleSource::printTopology() const {
  mlir::MLIRContext *context = state->context.get();
  mlir::OpBuilder builder(context);
  mlir::OwningOpRef<mlir::comm::TopologyOp> topology(mlir::moe::createTopology(
      builder, builder.getUnknownLoc(), "cluster", state->planned->topology));
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*topology)->print(stream);
  return text;
}
