// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops in this process.

#include "CompiledLoops.h"

#include "moe/Conversion/MoEToLoops/Passes.h"
#include "moe/Dialect/MoE/MoE.h"
#include "moe/Target/CPU/JitEngine.h"
#include "moe/Target/CPU/LowerToLLVM.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

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

namespace {

class LoopsOnCPU : public CompiledCode {
public:
  explicit LoopsOnCPU(std::unique_ptr<JitEngine> engine)
      : engine(std::move(engine)) {}

  /// Every argument is passed as a word: a descriptor or a number.
  void call(StringRef name, llvm::ArrayRef<CallArgument> arguments) override {
    std::array<int64_t, 8> words{};
    ASSERT_LE(arguments.size(), words.size());
    for (size_t i = 0; i < arguments.size(); ++i) {
      words[i] = arguments[i].descriptor
                     ? reinterpret_cast<int64_t>(arguments[i].descriptor)
                     : arguments[i].number;
    }
    void *function =
        llvm::cantFail(engine->lookup(("_mlir_ciface_" + name).str()));
    callWith(function, words, arguments.size(), std::make_index_sequence<9>());
  }

private:
  template <size_t... Counts>
  static void callWith(void *function, const std::array<int64_t, 8> &words,
                       size_t count, std::index_sequence<Counts...>) {
    ((count == Counts
          ? callWords(function, words, std::make_index_sequence<Counts>())
          : void()),
     ...);
  }

  template <size_t... I>
  static void callWords(void *function, const std::array<int64_t, 8> &words,
                        std::index_sequence<I...>) {
    reinterpret_cast<void (*)(std::decay_t<decltype(words[I])>...)>(function)(
        words[I]...);
  }

  std::unique_ptr<JitEngine> engine;
};

} // namespace

bool CompiledCode::isOnDevice() { return false; }

void CompiledCode::registerDialects(DialectRegistry &registry) {
  registry.insert<comm::CommDialect, MoEDialect>();
  registerCPUTargetDialects(registry);
}

std::unique_ptr<CompiledCode> CompiledCode::create(OwningOpRef<ModuleOp> module,
                                                   StringRef cpu) {
  module->walk([](func::FuncOp function) {
    function->setAttr("llvm.emit_c_interface",
                      UnitAttr::get(function.getContext()));
  });
  PassManager toLoops(module->getContext());
  toLoops.addPass(createConvertMoEToLoopsPass());
  EXPECT_TRUE(succeeded(toLoops.run(*module)));
  resolvePlacements(*module);
  JitOptions options;
  options.target = llvm::cantFail(CPUTarget::parse(cpu));
  PassManager toLLVM(module->getContext());
  addLowerToLLVMPasses(toLLVM, options.target);
  EXPECT_TRUE(succeeded(toLLVM.run(*module)));
  return std::make_unique<LoopsOnCPU>(
      llvm::cantFail(JitEngine::create(*module, options)));
}
