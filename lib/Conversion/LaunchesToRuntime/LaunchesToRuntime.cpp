// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/LaunchesToRuntime/Passes.h"

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CONVERTLAUNCHESTORUNTIMEPASS
#include "moe/Conversion/LaunchesToRuntime/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

static LogicalResult lower(Operation *op, RuntimeCalls &calls,
                           KernelIndices &kernels) {
  ImplicitLocOpBuilder b(op->getLoc(), op);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<memref::AllocOp, memref::DeallocOp, memref::CopyOp>(
          [&](auto memory) { return lowerMemory(memory, b, calls); })
      .Case<gpu::LaunchFuncOp>(
          [&](auto launch) { return lowerLaunch(launch, b, calls, kernels); });
}

/// Whether the host would read or write what is in a buffer, or make one in its
/// own memory.
static bool touchesElements(Operation *op) {
  if (isa<memref::GetGlobalOp>(op)) {
    return !op->use_empty();
  }
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  if (!effects) {
    return false;
  }
  SmallVector<MemoryEffects::EffectInstance> all;
  effects.getEffects(all);
  return llvm::any_of(all, [](const MemoryEffects::EffectInstance &effect) {
    Value value = effect.getValue();
    return value && isa<BaseMemRefType>(value.getType());
  });
}

static LogicalResult checkHostFunctions(ModuleOp module) {
  WalkResult result = module.walk<WalkOrder::PreOrder>([](Operation *op) {
    if (isa<gpu::GPUModuleOp>(op)) {
      return WalkResult::skip();
    }
    if (touchesElements(op)) {
      op->emitError("'") << op->getName()
                         << "' would work on the host, but its buffers are in "
                            "a device's memory";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

namespace {
struct ConvertLaunchesToRuntimePass
    : public mlir::moe::impl::ConvertLaunchesToRuntimePassBase<
          ConvertLaunchesToRuntimePass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<Operation *> ops;
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      function.walk([&](Operation *op) {
        if (isa<gpu::LaunchFuncOp, memref::AllocOp, memref::DeallocOp,
                memref::CopyOp>(op)) {
          ops.push_back(op);
        }
      });
    }
    RuntimeCalls calls(module, BufferMemory::Device);
    KernelIndices kernels;
    for (Operation *op : ops) {
      if (failed(lower(op, calls, kernels))) {
        return signalPassFailure();
      }
      op->erase();
    }
    if (failed(checkHostFunctions(module))) {
      return signalPassFailure();
    }
    SmallVector<Attribute> names;
    for (const auto &[name, index] : kernels) {
      names.push_back(name);
    }
    module->setAttr("moe.kernels", ArrayAttr::get(&getContext(), names));
  }
};
} // namespace
