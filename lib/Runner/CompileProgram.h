// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_COMPILEPROGRAM_H
#define MOE_LIB_RUNNER_COMPILEPROGRAM_H

#include "moe/Runner/ProgramLayout.h"
#include "moe/Target/CPU/JitEngine.h"

#include "mlir/IR/BuiltinOps.h"

namespace moe::runner {

/// Code in this process and what it expects of its callers.
struct CompiledProgram {
  std::unique_ptr<mlir::moe::JitEngine> engine;
  void *entry = nullptr;
  ProgramLayout layout;
};

/// Which of the two roads from a planned module to code.
enum class ProgramKind { Partitioned, Reference };

struct CompileOptions {
  /// As the user named it, and what it means.
  std::string cpu;
  mlir::moe::CPUTarget target;
  /// Whether exchanges are started early and waited for late.
  bool overlaps = true;
};

/// Compiles a copy of `module`. `layout` is the module's; handles and groups
/// are filled in.
llvm::Expected<CompiledProgram> compileProgram(mlir::ModuleOp module,
                                               llvm::StringRef function,
                                               ProgramKind kind,
                                               const CompileOptions &compile,
                                               ProgramLayout layout);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_COMPILEPROGRAM_H
