// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/JitEngine.h"

#include "CompileModule.h"
#include "DefineSymbols.h"

#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/SubtargetFeature.h"

using namespace mlir;
using namespace mlir::moe;

/// The same machine for the optimiser and for the JIT's code generator.
static llvm::orc::JITTargetMachineBuilder
makeMachineBuilder(const JitOptions &options) {
  llvm::orc::JITTargetMachineBuilder builder(
      llvm::Triple(options.target.triple));
  builder.setCPU(options.target.cpu);
  llvm::SubtargetFeatures features(options.target.features);
  builder.addFeatures(features.getFeatures());
  builder.setRelocationModel(llvm::Reloc::PIC_);
  builder.setCodeGenOptLevel(
      static_cast<llvm::CodeGenOptLevel>(options.optLevel));
  return builder;
}

JitEngine::JitEngine(std::unique_ptr<llvm::orc::LLJIT> jit)
    : jit(std::move(jit)) {}

JitEngine::~JitEngine() = default;

llvm::Expected<std::unique_ptr<JitEngine>>
JitEngine::create(ModuleOp module, const JitOptions &options) {
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      options.target.createTargetMachine();
  if (!machine) {
    return machine.takeError();
  }
  auto context = std::make_unique<llvm::LLVMContext>();
  llvm::Expected<std::unique_ptr<llvm::Module>> code =
      compileModule(module, *context, **machine, options.optLevel);
  if (!code) {
    return code.takeError();
  }
  llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> jit =
      llvm::orc::LLJITBuilder()
          .setJITTargetMachineBuilder(makeMachineBuilder(options))
          .create();
  if (!jit) {
    return jit.takeError();
  }
  if (llvm::Error error = defineSymbols(**jit, options.symbols)) {
    return std::move(error);
  }
  if (llvm::Error error = (*jit)->addIRModule(
          llvm::orc::ThreadSafeModule(std::move(*code), std::move(context)))) {
    return std::move(error);
  }
  return std::unique_ptr<JitEngine>(new JitEngine(std::move(*jit)));
}

llvm::Expected<void *> JitEngine::lookup(StringRef name) const {
  llvm::Expected<llvm::orc::ExecutorAddr> address = jit->lookup(name);
  if (!address) {
    return address.takeError();
  }
  return address->toPtr<void *>();
}
