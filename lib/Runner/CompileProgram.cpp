// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompileProgram.h"
#include "LowerForDevices.h"
#include "ReadLayout.h"

#include "moe/Pipelines/CPUPipeline.h"
#include "moe/Runner/CaptureDiagnostics.h"
#include "moe/Target/CPU/JitEngine.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"

using namespace moe::runner;

static llvm::Error lower(mlir::ModuleOp module, ProgramKind kind,
                         const CompileOptions &compile) {
  CaptureDiagnostics diagnostics(module.getContext());
  mlir::moe::CPUPipelineOptions pipeline;
  pipeline.cpu = compile.cpu;
  pipeline.overlap = compile.overlaps;
  mlir::PassManager manager(module.getContext());
  if (kind == ProgramKind::Partitioned) {
    mlir::moe::buildCPUPipeline(manager, pipeline);
  } else {
    mlir::moe::buildCPUReferencePipeline(manager, pipeline);
  }
  return mlir::succeeded(manager.run(module))
             ? llvm::Error::success()
             : diagnostics.takeError("lowering failed without saying why");
}

llvm::Expected<LoweredProgram>
moe::runner::lowerProgram(mlir::ModuleOp module, llvm::StringRef function,
                          ProgramKind kind, const CompileOptions &compile,
                          ProgramLayout layout) {
  mlir::OwningOpRef<mlir::ModuleOp> lowered = module.clone();
  std::optional<DeviceCode> device;
  if (compile.device != PlatformOptions::Device::CPU) {
    assert(kind == ProgramKind::Partitioned && "devices have no other program");
    llvm::Expected<DeviceCode> code = lowerForDevices(*lowered, compile);
    if (!code) {
      return code.takeError();
    }
    device = std::move(*code);
  } else if (llvm::Error error = lower(*lowered, kind, compile)) {
    return std::move(error);
  }
  if (llvm::Error error = readHandles(*lowered, layout)) {
    return std::move(error);
  }
  return LoweredProgram{std::move(lowered), (cInterfacePrefix + function).str(),
                        std::move(layout), std::move(device)};
}

static SourceDiagnostic placeOf(mlir::Location location) {
  SourceDiagnostic place;
  if (auto known = location->findInstanceOf<mlir::FileLineColLoc>()) {
    place.file = known.getFilename().str();
    place.line = known.getLine();
    place.column = known.getColumn();
  }
  return place;
}

std::map<std::string, SourceDiagnostic>
LoweredProgram::findHostFunctions() const {
  std::map<std::string, SourceDiagnostic> found;
  mlir::ModuleOp op = *module;
  for (auto function : op.getOps<mlir::LLVM::LLVMFuncOp>()) {
    llvm::StringRef name = function.getSymName();
    if (function.isExternal() && name.consume_front(cInterfacePrefix)) {
      found.emplace(name.str(), placeOf(function.getLoc()));
    }
  }
  return found;
}

llvm::Expected<CompiledProgram>
moe::runner::compileProgram(LoweredProgram program,
                            const CompileOptions &compile) {
  for (const auto &[name, place] : program.findHostFunctions()) {
    if (llvm::Error error = checkFunction(compile.functions, name, place)) {
      return std::move(error);
    }
  }
  mlir::moe::JitOptions options;
  options.target = compile.target;
  options.optLevel = compile.optLevel;
  options.symbols = symbolsFor(compile.functions);
  llvm::Expected<std::unique_ptr<mlir::moe::JitEngine>> engine =
      mlir::moe::JitEngine::create(*program.module, options);
  if (!engine) {
    return engine.takeError();
  }
  llvm::Expected<void *> entry = (*engine)->lookup(program.entry);
  if (!entry) {
    return entry.takeError();
  }
  std::shared_ptr<const DeviceCode> device;
  if (program.device) {
    device = std::make_shared<DeviceCode>(std::move(*program.device));
  }
  return CompiledProgram{std::move(*engine), *entry, std::move(program.layout),
                         std::move(device)};
}
