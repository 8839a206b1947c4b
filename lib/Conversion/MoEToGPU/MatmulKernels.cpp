// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// moe.grouped_matmul: what is multiplied, and the kernel's arguments.

#include "Lowerings.h"

#include "moe/Target/GPU/GroupedMatmul.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::moe;

/// Most rows of a buffer, as far as that is known; 0 where it is not.
static int64_t mostRows(Value rows) {
  rows = withoutCasts(rows);
  int64_t extent = cast<MemRefType>(rows.getType()).getDimSize(0);
  if (!ShapedType::isDynamic(extent)) {
    return extent;
  }
  auto allocation = rows.getDefiningOp<memref::AllocOp>();
  auto asked =
      allocation
          ? allocation.getDynamicSizes()[0].getDefiningOp<comm::HostExtentOp>()
          : comm::HostExtentOp();
  return asked ? asked.getBound() : 0;
}

static GPUMatmulSpec specOf(GroupedMatmulOp op) {
  auto weights = cast<WeightsType>(op.getWeights()[0].getType());
  GPUMatmulSpec spec;
  spec.k = weights.getInner();
  spec.n = weights.getOuter();
  spec.inputType = weights.getElementType();
  spec.outputType =
      cast<MemRefType>(op.getOuts()[0].getType()).getElementType();
  spec.weights = op.getWeights().size();
  spec.groups = weights.getSlots();
  spec.rowsPerGroup =
      llvm::divideCeil(mostRows(op.getRows()), weights.getSlots());
  return spec;
}

/// Epilogues are cloned for single elements, into the kernel.
static LogicalResult verifyEpilogue(GroupedMatmulOp op) {
  if (op.getEpilogue().empty()) {
    return success();
  }
  Block &block = op.getEpilogue().front();
  for (Operation &inner : block.without_terminator()) {
    bool isConstant =
        inner.getNumResults() == 1 && matchPattern(&inner, m_Constant());
    if (!isConstant && !OpTrait::hasElementwiseMappableTraits(&inner)) {
      return inner.emitError("expected an elementwise operation in an "
                             "epilogue, but got '")
             << inner.getName() << "'";
    }
  }
  WalkResult result = op.getEpilogue().walk([&](Operation *inner) {
    for (Value operand : inner->getOperands()) {
      if (operand.getParentBlock() != &block &&
          !matchPattern(operand, m_Constant())) {
        inner->emitError("expected operands of an epilogue to come from it or "
                         "to be constants, but got one of type ")
            << operand.getType();
        return WalkResult::interrupt();
      }
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult mlir::moe::convertMatmul(GroupedMatmulOp op,
                                       KernelLibrary &library) {
  GPUMatmulSpec spec = specOf(op);
  if (std::optional<std::string> reason = whyNoGPUMatmul(spec)) {
    return op.emitOpError("cannot become a kernel: ") << *reason;
  }
  if (failed(verifyEpilogue(op))) {
    return failure();
  }
  GPUMatmulLaunch needs = gpuMatmulLaunch(spec);
  KernelBuilder kernel(library, op, needs.threads);
  GPUMatmulOperands operands;
  operands.rows = kernel.addAddress(op.getRows());
  for (Value weights : op.getWeights()) {
    operands.tables.push_back(kernel.addTable(weights));
  }
  operands.offsets = kernel.addBuffer(op.getOffsets());
  operands.out = kernel.addAddress(op.getOuts()[0]);
  if (!operands.rows || !operands.offsets || !operands.out) {
    return failure();
  }
  ImplicitLocOpBuilder b(op.getLoc(), kernel.body());
  operands.shared = LLVM::AddressOfOp::create(b, library.getSharedMemory());
  Block *epilogue =
      op.getEpilogue().empty() ? nullptr : &op.getEpilogue().front();
  emitGPUMatmul(b, spec, operands, epilogue);
  std::string name = llvm::formatv("moe_grouped_matmul_{0}x{1}_{2}_{3}", spec.k,
                                   spec.n, spec.inputType, spec.outputType);
  if (spec.weights > 1) {
    name += llvm::formatv("_by{0}", spec.weights);
  }
  kernel.launch(name, Grid::resident(), needs.sharedBytes);
  op.erase();
  return success();
}
