// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Transforms/Bufferize/BufferizationModels.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Bufferize.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::bufferization;

// The operands with every tensor replaced by its buffer.
static FailureOr<SmallVector<Value>>
getBuffers(Operation *op, RewriterBase &rewriter,
           const BufferizationOptions &options, BufferizationState &state) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    if (!isa<TensorType>(operand.getType())) {
      operands.push_back(operand);
      continue;
    }
    FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
    if (failed(buffer)) {
      return failure();
    }
    operands.push_back(*buffer);
  }
  return operands;
}

// The same operation on buffers: without tensor results, its regions moved.
static Operation *createOnBuffers(Operation *op, RewriterBase &rewriter,
                                  ArrayRef<Value> operands) {
  SmallVector<Type> types;
  for (Type type : op->getResultTypes()) {
    if (!isa<TensorType>(type)) {
      types.push_back(type);
    }
  }
  Operation *clone = Operation::create(
      op->getLoc(), op->getName(), types, operands,
      NamedAttrList(op->getDiscardableAttrDictionary()),
      op->getPropertiesStorage(), BlockRange(), op->getNumRegions());
  for (auto [from, to] :
       llvm::zip_equal(op->getRegions(), clone->getRegions())) {
    to.takeBody(from);
  }
  rewriter.insert(clone);
  return clone;
}

namespace {
/// Writes none of its operands, and no result is one of them.
template <typename ModelT, typename OpT, bool reads = true>
struct ReadingModel
    : public BufferizableOpInterface::ExternalModel<ModelT, OpT> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &,
                              const AnalysisState &) const {
    return reads;
  }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &,
                               const AnalysisState &) const {
    return false;
  }
  AliasingValueList getAliasingValues(Operation *, OpOperand &,
                                      const AnalysisState &) const {
    return {};
  }
};

/// Results live in new allocations that the operation on buffers writes.
template <typename OpT>
struct BufferFormModel : public ReadingModel<BufferFormModel<OpT>, OpT> {
  bool bufferizesToAllocation(Operation *, Value) const { return true; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto form = cast<moe::BufferFormOpInterface>(op);
    SmallVector<SmallVector<OpFoldResult>> extents =
        form.getResultExtents(rewriter);
    SmallVector<Value> outs;
    for (auto [result, sizes] : llvm::zip_equal(op->getResults(), extents)) {
      auto tensor = cast<RankedTensorType>(result.getType());
      auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
      SmallVector<Value> dynamic;
      for (auto [extent, size] : llvm::zip_equal(type.getShape(), sizes)) {
        if (ShapedType::isDynamic(extent)) {
          dynamic.push_back(
              getValueOrCreateConstantIndexOp(rewriter, op->getLoc(), size));
        }
      }
      FailureOr<Value> out =
          options.createAlloc(rewriter, op->getLoc(), type, dynamic);
      if (failed(out)) {
        return failure();
      }
      outs.push_back(*out);
    }
    FailureOr<SmallVector<Value>> operands =
        getBuffers(op, rewriter, options, state);
    if (failed(operands)) {
      return failure();
    }
    Operation *clone = createOnBuffers(op, rewriter, *operands);
    cast<moe::BufferFormOpInterface>(clone).getOutsMutable().assign(outs);
    replaceOpWithBufferizedValues(rewriter, op, outs);
    return success();
  }
};

/// A collective, or a wait: writes its destination, reads the rest.
template <typename OpT>
struct CollectiveModel
    : public DstBufferizableOpInterfaceExternalModel<CollectiveModel<OpT>,
                                                     OpT> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    // A collective fills its whole destination, except for a wait's, which its
    // start has begun to fill, and counts that are checked in place.
    bool isDestination =
        cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
    return !isDestination || isa<comm::WaitOp, comm::CheckBoundOp>(op);
  }

  bool mustBufferizeInPlace(Operation *op, OpOperand &operand,
                            const AnalysisState &) const {
    return isa<comm::WaitOp>(op) &&
           cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    FailureOr<SmallVector<Value>> operands =
        getBuffers(op, rewriter, options, state);
    if (failed(operands)) {
      return failure();
    }
    unsigned destination = cast<DestinationStyleOpInterface>(op)
                               .getDpsInitOperand(0)
                               ->getOperandNumber();
    createOnBuffers(op, rewriter, *operands);
    replaceOpWithBufferizedValues(rewriter, op, (*operands)[destination]);
    return success();
  }
};

/// Ties its destination to its first result; the second is the ticket.
struct StartModel
    : public BufferizableOpInterface::ExternalModel<StartModel, comm::StartOp> {
  static bool isDestination(Operation *op, OpOperand &operand) {
    return &operand == &cast<comm::StartOp>(op).getDestinationMutable();
  }
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !isDestination(op, operand);
  }
  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand,
                               const AnalysisState &) const {
    return isDestination(op, operand);
  }
  AliasingValueList getAliasingValues(Operation *op, OpOperand &operand,
                                      const AnalysisState &) const {
    if (isDestination(op, operand)) {
      return {{op->getResult(0), BufferRelation::Equivalent}};
    }
    return {};
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    FailureOr<SmallVector<Value>> operands =
        getBuffers(op, rewriter, options, state);
    if (failed(operands)) {
      return failure();
    }
    unsigned destination =
        cast<comm::StartOp>(op).getDestinationMutable().getOperandNumber();
    Operation *clone = createOnBuffers(op, rewriter, *operands);
    replaceOpWithBufferizedValues(
        rewriter, op, {(*operands)[destination], clone->getResult(0)});
    return success();
  }
};

/// Reads offsets, returns an extent.
struct HostExtentModel
    : public ReadingModel<HostExtentModel, comm::HostExtentOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    FailureOr<SmallVector<Value>> operands =
        getBuffers(op, rewriter, options, state);
    if (failed(operands)) {
      return failure();
    }
    Operation *clone = createOnBuffers(op, rewriter, *operands);
    rewriter.replaceOp(op, clone->getResults());
    return success();
  }
};

/// A record goes with the tensors that it speaks of.
struct ReshardedModel : public ReadingModel<ReshardedModel, comm::ReshardedOp,
                                            /*reads=*/false> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &,
                          BufferizationState &) const {
    rewriter.eraseOp(op);
    return success();
  }
};

struct ShardOffsetsModel
    : public BufferizableOpInterface::ExternalModel<ShardOffsetsModel,
                                                    comm::ShardOffsetsOp> {
  bool bufferizesToAllocation(Operation *, Value) const { return true; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &) const {
    auto tensor = cast<RankedTensorType>(op->getResult(0).getType());
    auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
    FailureOr<Value> out =
        options.createAlloc(rewriter, op->getLoc(), type, {});
    if (failed(out)) {
      return failure();
    }
    Operation *clone =
        createOnBuffers(op, rewriter, llvm::to_vector(op->getOperands()));
    cast<comm::ShardOffsetsOp>(clone).getOutsMutable().assign(*out);
    replaceOpWithBufferizedValues(rewriter, op, *out);
    return success();
  }
};

struct UseWeightModel
    : public BufferizableOpInterface::ExternalModel<UseWeightModel,
                                                    moe::UseWeightOp> {
  bool isWritable(Operation *, Value, const AnalysisState &) const {
    return false;
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &,
                          BufferizationState &) const {
    auto tensor = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!tensor) {
      return success();
    }
    auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
    auto use = cast<moe::UseWeightOp>(op);
    Value buffer = moe::UseWeightOp::create(
        rewriter, op->getLoc(), type, use.getWeightAttr(),
        use.getPlacementAttr(), use.getShardingAttr());
    replaceOpWithBufferizedValues(rewriter, op, buffer);
    return success();
  }
};

template <typename... OpTs> void attachBufferForms(MLIRContext *context) {
  (OpTs::template attachInterface<BufferFormModel<OpTs>>(*context), ...);
}
template <typename... OpTs> void attachCollectives(MLIRContext *context) {
  (OpTs::template attachInterface<CollectiveModel<OpTs>>(*context), ...);
}
} // namespace

void mlir::moe::registerBufferizationExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, comm::CommDialect *) {
    attachCollectives<comm::AllToAllVOp, comm::AllToAllOp, comm::AllGatherOp,
                      comm::AllGatherVOp, comm::ReduceScatterOp,
                      comm::AllReduceOp, comm::WaitOp, comm::CheckBoundOp>(
        context);
    comm::StartOp::attachInterface<StartModel>(*context);
    comm::HostExtentOp::attachInterface<HostExtentModel>(*context);
    comm::ReshardedOp::attachInterface<ReshardedModel>(*context);
    comm::ShardOffsetsOp::attachInterface<ShardOffsetsModel>(*context);
  });
  registry.addExtension(+[](MLIRContext *context, MoEDialect *) {
    attachBufferForms<ScoreOp, SelectOp, SelectTokensOp, SelectMaskedPairOp,
                      SelectBalancedOp, WeighOp, LimitCapacityOp,
                      CountChoicesOp, GroupedMatmulOp, GroupedOuterProductOp,
                      AssignSlotsOp, CountOffsetsOp, SlotPositionsOp,
                      SpreadRowsOp, PermuteRowsOp, CombineRowsOp>(context);
    UseWeightOp::attachInterface<UseWeightModel>(*context);
  });
}
