// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_COMPILEPROGRAM_H
#define MOE_LIB_RUNNER_COMPILEPROGRAM_H

#include "moe/Runner/HostFunctions.h"
#include "moe/Runner/PlannedProgram.h"
#include "moe/Target/CPU/CPUTarget.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace moe::runner {

struct CompileOptions {
  /// As the user named it, and what it means.
  std::string cpu;
  mlir::moe::CPUTarget target;
  /// Whether exchanges are started early and waited for late.
  bool overlaps = true;
  HostFunctions functions;
  /// LLVM's -O level of code for this process.
  unsigned optLevel = 3;
  PlatformOptions::Device device = PlatformOptions::Device::CPU;
};

/// A program in the LLVM dialect.
struct LoweredProgram {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// The C function to call.
  std::string entry;
  /// With handles and groups.
  ProgramLayout layout;
  /// Where kernels are not the CPU's.
  std::optional<DeviceCode> device = std::nullopt;

  /// The functions that the host brings, by name, and where the module declares
  /// each.
  std::map<std::string, SourceDiagnostic> findHostFunctions() const;
};

/// Lowers a copy of `module`. `layout` is the module's; handles and groups are
/// filled in.
llvm::Expected<LoweredProgram>
lowerProgram(mlir::ModuleOp module, llvm::StringRef function, ProgramKind kind,
             const CompileOptions &compile, ProgramLayout layout);

/// Compiles into this process.
llvm::Expected<CompiledProgram> compileProgram(LoweredProgram program,
                                               const CompileOptions &compile);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_COMPILEPROGRAM_H
