// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes an object file with the grouped matrix products that are measured:
// `matmul_f32` and `matmul_bf16`, behind MLIR's C interface.

#include "moe/Target/CPU/GroupedMatmul.h"
#include "moe/Target/CPU/JitEngine.h"
#include "moe/Target/CPU/LowerToLLVM.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;
using namespace mlir::moe;

static llvm::cl::opt<std::string>
    cpuOption("cpu", llvm::cl::init("native"),
              llvm::cl::desc("CPU to compile for, with features: native, "
                             "x86-64-v3, x86-64-v4,+avx512bf16 …"));
static llvm::cl::opt<int64_t> kOption("k", llvm::cl::init(2048),
                                      llvm::cl::desc("Rows of the weights"));
static llvm::cl::opt<int64_t> nOption("n", llvm::cl::init(1408),
                                      llvm::cl::desc("Columns of the weights"));
static llvm::cl::opt<std::string> outputOption("o", llvm::cl::Required,
                                               llvm::cl::desc("Object file"));
static llvm::cl::opt<bool>
    printOption("print", llvm::cl::desc("Print the IR before it is lowered"));

static void addProduct(ModuleOp module, Type type, StringRef name,
                       const CPUTarget &target) {
  GroupedMatmulSpec spec;
  spec.k = kOption;
  spec.n = nOption;
  spec.inputType = type;
  spec.outputType = type;
  func::FuncOp function =
      buildGroupedMatmul(module, name, spec, /*epilogue=*/nullptr, target);
  function->setAttr("llvm.emit_c_interface",
                    UnitAttr::get(module.getContext()));
}

static llvm::Error run() {
  llvm::Expected<CPUTarget> target = CPUTarget::parse(cpuOption);
  if (!target) {
    return target.takeError();
  }
  DialectRegistry registry;
  registerCPUTargetDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  addProduct(*module, Float32Type::get(&context), "matmul_f32", *target);
  addProduct(*module, BFloat16Type::get(&context), "matmul_bf16", *target);
  if (printOption) {
    module->print(llvm::outs());
  }
  PassManager pm(&context);
  addLowerToLLVMPasses(pm, *target);
  if (failed(pm.run(*module))) {
    return llvm::createStringError("lowering failed");
  }
  if (llvm::Error error = emitObject(*module, *target, outputOption)) {
    return error;
  }
  llvm::outs() << target->name() << "\n";
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::cl::ParseCommandLineOptions(argc, argv,
                                    "Compiles the measured products\n");
  if (llvm::Error error = run()) {
    llvm::errs() << "matmul-kernel-compiler: "
                 << llvm::toString(std::move(error)) << "\n";
    return 1;
  }
  return 0;
}
