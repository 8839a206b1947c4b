// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompileProgram.h"
#include "ReadLayout.h"

#include "moe/Pipelines/CPUPipeline.h"
#include "moe/Runner/CaptureDiagnostics.h"
#include "moert/compiled.h"

#include "mlir/Pass/PassManager.h"

using namespace moe::runner;

/// The runtime's functions, for code that was not linked.
static mlir::moe::SymbolMap runtimeSymbols() {
  mlir::moe::SymbolMap symbols;
#define MOE_ADD(name) symbols[#name] = reinterpret_cast<void *>(&(name));
  MOERT_FRAME_FUNCTIONS(MOE_ADD)
#undef MOE_ADD
  return symbols;
}

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

llvm::Expected<CompiledProgram>
moe::runner::compileProgram(mlir::ModuleOp module, llvm::StringRef function,
                            ProgramKind kind, const CompileOptions &compile,
                            ProgramLayout layout) {
  mlir::OwningOpRef<mlir::ModuleOp> lowered = module.clone();
  if (llvm::Error error = lower(*lowered, kind, compile)) {
    return error;
  }
  if (llvm::Error error = readHandles(*lowered, layout)) {
    return error;
  }
  mlir::moe::JitOptions options;
  options.target = compile.target;
  options.symbols = runtimeSymbols();
  llvm::Expected<std::unique_ptr<mlir::moe::JitEngine>> engine =
      mlir::moe::JitEngine::create(*lowered, options);
  if (!engine) {
    return engine.takeError();
  }
  llvm::Expected<void *> entry =
      (*engine)->lookup(("_mlir_ciface_" + function).str());
  if (!entry) {
    return entry.takeError();
  }
  return CompiledProgram{std::move(*engine), *entry, std::move(layout)};
}
