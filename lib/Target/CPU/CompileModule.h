// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Translation of a module to optimised LLVM IR, for the JIT and for objects.

#ifndef MOE_LIB_TARGET_CPU_COMPILEMODULE_H
#define MOE_LIB_TARGET_CPU_COMPILEMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace mlir::moe {

/// Translates `module` (LLVM dialect) and optimises it for `machine`.
llvm::Expected<std::unique_ptr<llvm::Module>>
compileModule(ModuleOp module, llvm::LLVMContext &context,
              llvm::TargetMachine &machine, unsigned optLevel);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_CPU_COMPILEMODULE_H
