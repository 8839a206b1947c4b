// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompileModule.h"

#include "moe/Target/CPU/JitEngine.h"

#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::moe;

llvm::Expected<std::unique_ptr<llvm::Module>>
mlir::moe::compileModule(ModuleOp module, llvm::LLVMContext &context,
                         llvm::TargetMachine &machine, unsigned optLevel) {
  std::unique_ptr<llvm::Module> result =
      translateModuleToLLVMIR(module, context);
  if (!result) {
    return llvm::createStringError("could not translate the module to LLVM IR");
  }
  result->setDataLayout(machine.createDataLayout());
  result->setTargetTriple(machine.getTargetTriple());
  machine.setOptLevel(static_cast<llvm::CodeGenOptLevel>(optLevel));
  if (llvm::Error error = makeOptimizingTransformer(optLevel, /*sizeLevel=*/0,
                                                    &machine)(result.get())) {
    return std::move(error);
  }
  return result;
}

llvm::Error mlir::moe::emitObject(ModuleOp module, const CPUTarget &target,
                                  llvm::raw_pwrite_stream &stream,
                                  unsigned optLevel) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      target.createTargetMachine();
  if (!machine) {
    return machine.takeError();
  }
  llvm::LLVMContext context;
  llvm::Expected<std::unique_ptr<llvm::Module>> code =
      compileModule(module, context, **machine, optLevel);
  if (!code) {
    return code.takeError();
  }
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr,
                                      llvm::CodeGenFileType::ObjectFile)) {
    return llvm::createStringError("no object writer for " + target.triple);
  }
  passes.run(**code);
  return llvm::Error::success();
}

llvm::Error mlir::moe::emitObject(ModuleOp module, const CPUTarget &target,
                                  StringRef path, unsigned optLevel) {
  std::error_code failure;
  llvm::ToolOutputFile file(path, failure, llvm::sys::fs::OF_None);
  if (failure) {
    return llvm::createStringError(failure, "cannot write '" + path + "'");
  }
  if (llvm::Error error = emitObject(module, target, file.os(), optLevel)) {
    return error;
  }
  file.keep();
  return llvm::Error::success();
}
