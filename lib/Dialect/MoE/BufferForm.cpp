// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/BufferForm.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;

SmallVector<OpFoldResult> mlir::moe::getExtents(OpBuilder &builder,
                                                Location loc, Value tensor) {
  return tensor::getMixedSizes(builder, loc, tensor);
}

void mlir::moe::addBufferFormEffects(
    BufferFormOpInterface op,
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  MutableOperandRange outs = op.getOutsMutable();
  SmallVector<OpOperand *> reads;
  SmallVector<OpOperand *> writes;
  for (OpOperand &operand : outs) {
    writes.push_back(&operand);
  }
  for (OpOperand &operand : op->getOpOperands()) {
    if (!llvm::is_contained(writes, &operand)) {
      reads.push_back(&operand);
    }
  }
  comm::addCommunicationEffects(effects, reads, writes, /*network=*/false);
}

#define MOE_BUFFER_FORM_EFFECTS(OpT)                                           \
  void OpT::getEffects(                                                        \
      SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {               \
    addBufferFormEffects(cast<BufferFormOpInterface>(this->getOperation()),    \
                         effects);                                             \
  }

MOE_BUFFER_FORM_EFFECTS(ScoreOp)
MOE_BUFFER_FORM_EFFECTS(SelectOp)
MOE_BUFFER_FORM_EFFECTS(SelectTokensOp)
MOE_BUFFER_FORM_EFFECTS(SelectMaskedPairOp)
MOE_BUFFER_FORM_EFFECTS(SelectBalancedOp)
MOE_BUFFER_FORM_EFFECTS(WeighOp)
MOE_BUFFER_FORM_EFFECTS(LimitCapacityOp)
MOE_BUFFER_FORM_EFFECTS(CountChoicesOp)
MOE_BUFFER_FORM_EFFECTS(GroupedMatmulOp)
MOE_BUFFER_FORM_EFFECTS(GroupedOuterProductOp)
MOE_BUFFER_FORM_EFFECTS(AssignSlotsOp)
MOE_BUFFER_FORM_EFFECTS(CountOffsetsOp)
MOE_BUFFER_FORM_EFFECTS(SlotPositionsOp)
MOE_BUFFER_FORM_EFFECTS(SpreadRowsOp)
MOE_BUFFER_FORM_EFFECTS(PermuteRowsOp)
MOE_BUFFER_FORM_EFFECTS(CombineRowsOp)
#undef MOE_BUFFER_FORM_EFFECTS
