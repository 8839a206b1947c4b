// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompiledLoops.h"

#include "moe/Conversion/MoEToLoops/Passes.h"
#include "moe/Dialect/MoE/MoE.h"
#include "moe/Target/CPU/LowerToLLVM.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

static std::string substitute(std::string text, const Numbers &numbers) {
  for (const auto &[name, number] : numbers) {
    std::string key = "$" + name;
    for (size_t at = text.find(key); at != std::string::npos;
         at = text.find(key, at)) {
      text.replace(at, key.size(), number);
    }
  }
  return text;
}

/// A placement is the table that the function was given for it.
static void resolvePlacements(ModuleOp module) {
  module.walk([](PlacementTableOp op) {
    auto cast = op.getPlacement().getDefiningOp<UnrealizedConversionCastOp>();
    op.replaceAllUsesWith(cast.getOperand(0));
    op.erase();
    if (cast->use_empty()) {
      cast.erase();
    }
  });
}

CompiledLoops &CompiledLoops::get(std::string text, const Numbers &numbers,
                                  StringRef cpu) {
  static std::map<std::string, std::unique_ptr<CompiledLoops>> compiled;
  text = substitute(std::move(text), numbers);
  std::unique_ptr<CompiledLoops> &code = compiled[cpu.str() + text];
  if (!code) {
    code.reset(new CompiledLoops(text, cpu));
  }
  return *code;
}

CompiledLoops::CompiledLoops(const std::string &text, StringRef cpu) {
  DialectRegistry registry;
  registry.insert<comm::CommDialect, MoEDialect>();
  registerCPUTargetDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(module);
  module->walk([](func::FuncOp function) {
    function->setAttr("llvm.emit_c_interface",
                      UnitAttr::get(function.getContext()));
  });
  PassManager toLoops(&context);
  toLoops.addPass(createConvertMoEToLoopsPass());
  EXPECT_TRUE(succeeded(toLoops.run(*module)));
  resolvePlacements(*module);
  JitOptions options;
  options.target = llvm::cantFail(CPUTarget::parse(cpu));
  PassManager toLLVM(&context);
  addLowerToLLVMPasses(toLLVM, options.target);
  EXPECT_TRUE(succeeded(toLLVM.run(*module)));
  engine = llvm::cantFail(JitEngine::create(*module, options));
}

void *CompiledLoops::lookup(StringRef name) {
  return llvm::cantFail(engine->lookup(("_mlir_ciface_" + name).str()));
}
