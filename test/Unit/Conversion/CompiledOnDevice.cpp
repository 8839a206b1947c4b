// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels on an emulated device, launched as the host's functions say: what
// they work out is interpreted.

#include "CompiledLoops.h"
#include "TestDevice.h"

#include "moe/Conversion/MoEToGPU/Passes.h"
#include "moe/Dialect/MoE/MoE.h"
#include "moe/Target/GPU/KernelImage.h"
#include "moe/Target/GPU/LowerToNVVM.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;
using namespace mlir::moe::test;

namespace {

/// A call of a function of the host: its buffers, on the device, and numbers.
class HostCall {
public:
  explicit HostCall(llvm::ArrayRef<CallArgument> arguments)
      : arguments(arguments) {
    for (const CallArgument &argument : arguments) {
      buffers.push_back(argument.data ? TestDevice::get().upload(argument.data,
                                                                 argument.bytes)
                                      : 0);
    }
  }

  void run(func::FuncOp function, const LoadedKernels &kernels) {
    for (auto launch : function.getOps<gpu::LaunchFuncOp>()) {
      std::vector<uint64_t> words;
      for (Value operand : launch.getKernelOperands()) {
        words.push_back(evaluate(operand));
      }
      Value shared = launch.getDynamicSharedMemorySize();
      TestDevice::get().launch(kernels, launch.getKernelName().str(),
                               evaluate(launch.getGridSizeX()),
                               evaluate(launch.getBlockSizeX()),
                               shared ? evaluate(shared) : 0, words);
    }
  }

  /// Brings the buffers back.
  void finish() {
    for (auto [argument, buffer] : llvm::zip_equal(arguments, buffers)) {
      if (argument.data) {
        TestDevice::get().download(argument.data, buffer, argument.bytes);
      }
    }
  }

private:
  const CallArgument &argumentOf(Value buffer) {
    return arguments[cast<BlockArgument>(sourceOf(buffer)).getArgNumber()];
  }

  /// What the buffer is a view of.
  static Value sourceOf(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      value = op->getOperand(0);
    }
    return value;
  }

  int64_t evaluate(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      return arguments[argument.getArgNumber()].number;
    }
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      return constant.getSExtValue();
    }
    auto of = [&](unsigned i) {
      return evaluate(value.getDefiningOp()->getOperand(i));
    };
    return llvm::TypeSwitch<Operation *, int64_t>(value.getDefiningOp())
        .Case<arith::IndexCastOp, arith::ExtSIOp, LLVM::IntToPtrOp,
              LLVM::AddrSpaceCastOp>([&](auto) { return of(0); })
        .Case([&](memref::ExtractAlignedPointerAsIndexOp op) {
          return bufferOf(op.getSource());
        })
        .Case([&](UnrealizedConversionCastOp op) {
          return bufferOf(op.getOperand(0));
        })
        .Case([&](memref::DimOp op) {
          return argumentOf(op.getSource()).sizes[*op.getConstantIndex()];
        })
        .Case([&](arith::MulIOp) { return of(0) * of(1); })
        .Case([&](arith::MinUIOp) { return std::min(of(0), of(1)); })
        .Case([&](arith::CeilDivUIOp) { return (of(0) + of(1) - 1) / of(1); })
        .Case([&](comm::FaultWordsOp) { return faultNumber; });
  }

  int64_t bufferOf(Value buffer) {
    if (buffer.getDefiningOp<comm::FaultWordsOp>()) {
      return TestDevice::get().faultWords();
    }
    return buffers[cast<BlockArgument>(sourceOf(buffer)).getArgNumber()];
  }

  static constexpr int64_t faultNumber = 41;
  llvm::ArrayRef<CallArgument> arguments;
  std::vector<uint64_t> buffers;
};

class KernelsOnDevice : public CompiledCode {
public:
  KernelsOnDevice(OwningOpRef<ModuleOp> module, const std::string &image)
      : module(std::move(module)), kernels(TestDevice::get().load(image)) {}

  void call(StringRef name, llvm::ArrayRef<CallArgument> arguments) override {
    HostCall call(arguments);
    call.run(module->lookupSymbol<func::FuncOp>(name), kernels);
    call.finish();
  }

private:
  OwningOpRef<ModuleOp> module;
  LoadedKernels kernels;
};

} // namespace

bool CompiledCode::isOnDevice() { return true; }

void CompiledCode::registerDialects(DialectRegistry &registry) {
  registry.insert<affine::AffineDialect, comm::CommDialect,
                  linalg::LinalgDialect, MoEDialect>();
  registerGPUTargetDialects(registry);
}

std::unique_ptr<CompiledCode> CompiledCode::create(OwningOpRef<ModuleOp> module,
                                                   StringRef) {
  PassManager manager(module->getContext());
  manager.addPass(createConvertMoEToGPUPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  EXPECT_TRUE(succeeded(manager.run(*module)));
  auto kernels = *module->getOps<gpu::GPUModuleOp>().begin();
  FailureOr<LoweredKernels> lowered = lowerKernels(kernels);
  EXPECT_TRUE(succeeded(lowered));
  FailureOr<std::string> image = emitKernelImage(*lowered);
  EXPECT_TRUE(succeeded(image));
  return std::make_unique<KernelsOnDevice>(std::move(module), *image);
}
