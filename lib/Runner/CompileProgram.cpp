// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompileProgram.h"
#include "ReadLayout.h"

#include "moe/Pipelines/CPUPipeline.h"
#include "moe/Runner/CaptureDiagnostics.h"
#include "moe/Runner/RuntimeSymbols.h"
#include "moe/Target/CPU/JitEngine.h"

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
  if (llvm::Error error = lower(*lowered, kind, compile)) {
    return std::move(error);
  }
  if (llvm::Error error = readHandles(*lowered, layout)) {
    return std::move(error);
  }
  return LoweredProgram{std::move(lowered), ("_mlir_ciface_" + function).str(),
                        std::move(layout)};
}

llvm::Expected<CompiledProgram>
moe::runner::compileProgram(LoweredProgram program,
                            const mlir::moe::CPUTarget &target) {
  mlir::moe::JitOptions options;
  options.target = target;
  options.symbols = runtimeSymbols();
  llvm::Expected<std::unique_ptr<mlir::moe::JitEngine>> engine =
      mlir::moe::JitEngine::create(*program.module, options);
  if (!engine) {
    return engine.takeError();
  }
  llvm::Expected<void *> entry = (*engine)->lookup(program.entry);
  if (!entry) {
    return entry.takeError();
  }
  return CompiledProgram{std::move(*engine), *entry, std::move(program.layout)};
}
