// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Transforms/Bufferize/BufferizationModels.h"

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace {
/// A declared function fills its destinations, its last arguments, one for each
/// result; bufferization cannot see that, as it has no body. This drops the
/// results, as DropEquivalentBufferResults does where there is a body.
struct DropDeclaredResults
    : public PassWrapper<DropDeclaredResults, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DropDeclaredResults)

  StringRef getArgument() const override { return "moe-drop-declared-results"; }
  StringRef getDescription() const override {
    return "declared functions return nothing but fill their destinations";
  }

  void runOnOperation() override {
    for (func::FuncOp function : getOperation().getOps<func::FuncOp>()) {
      if (function.isDeclaration() && function.getNumResults() > 0 &&
          function.getNumResults() <= function.getNumArguments()) {
        drop(function);
      }
    }
  }

private:
  void drop(func::FuncOp function) {
    unsigned results = function.getNumResults();
    unsigned first = function.getNumArguments() - results;
    for (Operation &op : *getOperation().getBody()) {
      op.walk([&](func::CallOp call) {
        if (call.getCallee() != function.getSymName()) {
          return;
        }
        OpBuilder builder(call);
        auto local =
            func::CallOp::create(builder, call.getLoc(), call.getCallee(),
                                 TypeRange(), call.getOperands());
        local->setDiscardableAttrs(call->getDiscardableAttrDictionary());
        call->replaceAllUsesWith(call->getOperands().drop_front(first));
        call->erase();
      });
    }
    // What results vary over, destinations do.
    for (unsigned index = 0; index < results; ++index) {
      if (Attribute axes =
              function.getResultAttr(index, comm::kVariesOverAttrName)) {
        function.setArgAttr(first + index, comm::kVariesOverAttrName, axes);
      }
    }
    function.setType(
        FunctionType::get(&getContext(), function.getArgumentTypes(), {}));
    function.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  }
};
} // namespace

void mlir::moe::addBufferizationPasses(OpPassManager &pm) {
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion =
      bufferization::LayoutMapOption::IdentityLayoutMap;
  options.allowReturnAllocsFromLoops = true;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  pm.addPass(std::make_unique<DropDeclaredResults>());
  pm.addPass(bufferization::createDropEquivalentBufferResultsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addNestedPass<func::FuncOp>(
      bufferization::createOptimizeAllocationLivenessPass());
}
