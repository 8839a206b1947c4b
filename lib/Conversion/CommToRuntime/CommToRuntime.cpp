// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/CommToRuntime/Passes.h"
#include "moe/Conversion/CommToRuntime/RuntimeCalls.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AttrTypeSubElements.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CONVERTCOMMTORUNTIMEPASS
#include "moe/Conversion/CommToRuntime/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

// Kernels do not communicate; everything else may.
static bool takesFrame(func::FuncOp function) {
  return !function->hasAttr(kKernelAttrName);
}

// Gives every function a frame as its first argument, and hands it to calls.
static void addFrames(ModuleOp module) {
  auto pointer = LLVM::LLVMPointerType::get(module.getContext());
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    if (takesFrame(function)) {
      (void)function.insertArgument(0, pointer, {}, function.getLoc());
    }
  }
  module.walk([&](func::CallOp call) {
    auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
    if (takesFrame(callee)) {
      auto caller = call->getParentOfType<func::FuncOp>();
      call->insertOperands(0, caller.getArgument(0));
    }
  });
}

// Functions without a body are the host's, which knows nothing of how MLIR
// passes a buffer: they are called through MLIR's C interface.
static LogicalResult declareHostFunctions(ModuleOp module) {
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    if (!function.isDeclaration() || !takesFrame(function)) {
      continue;
    }
    for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
      if (!isa<MemRefType>(type) && !type.isIntOrIndexOrFloat()) {
        return emitError(function.getLoc(), "expected tensors and numbers for "
                                            "'")
               << function.getSymName() << "', a function of the host, but got "
               << type << " as argument " << index;
      }
    }
    function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                      UnitAttr::get(module.getContext()));
  }
  return success();
}

// Handles and tickets have no meaning of their own any more.
static void eraseOurTypes(ModuleOp module) {
  MLIRContext *context = module.getContext();
  AttrTypeReplacer replacer;
  replacer.addReplacement(
      [=](WeightsType) -> Type { return LLVM::LLVMPointerType::get(context); });
  replacer.addReplacement([=](PlacementRefType) -> Type {
    return LLVM::LLVMPointerType::get(context);
  });
  replacer.addReplacement(
      [=](comm::PendingType) -> Type { return IntegerType::get(context, 64); });
  for (Operation &op : *module.getBody()) {
    replacer.recursivelyReplaceElementsIn(&op, /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
  }
  module.walk([](UnrealizedConversionCastOp cast) {
    if (cast.getInputs().getTypes() == cast.getResultTypes()) {
      cast.replaceAllUsesWith(cast.getInputs());
      cast.erase();
    }
  });
}

namespace {
struct ConvertCommToRuntimePass
    : public mlir::moe::impl::ConvertCommToRuntimePassBase<
          ConvertCommToRuntimePass> {
  using ConvertCommToRuntimePassBase::ConvertCommToRuntimePassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(declareHostFunctions(module))) {
      return signalPassFailure();
    }
    addFrames(module);
    RuntimeCalls calls(module,
                       onDevice ? BufferMemory::Device : BufferMemory::Host);
    if (failed(convertToRuntimeCalls(module, calls))) {
      return signalPassFailure();
    }
    eraseSymbols(module);
    eraseOurTypes(module);
    eraseVaryingAxes(module);
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      // It names placements and exchanges.
      function->removeAttr(kLayersAttrName);
      if (function->removeAttr(kEntryAttrName)) {
        function.setPublic();
        function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                          UnitAttr::get(&getContext()));
      }
    }
    module->setAttr("moe.groups", calls.getGroups());
    module->setAttr(kHandlesAttrName, calls.getHandles());
  }

private:
  // They name axes of the mesh.
  static void eraseVaryingAxes(ModuleOp module) {
    auto name = StringAttr::get(module.getContext(), comm::kVariesOverAttrName);
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      for (unsigned i = 0; i < function.getNumArguments(); ++i) {
        function.removeArgAttr(i, name);
      }
      for (unsigned i = 0; i < function.getNumResults(); ++i) {
        function.removeResultAttr(i, name);
      }
    }
  }

  static void eraseSymbols(ModuleOp module) {
    for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
      if (isa<comm::TopologyOp, comm::MeshOp, WeightOp, PlacementOp,
              ExchangeOp>(op)) {
        op.erase();
      }
    }
  }
};
} // namespace
