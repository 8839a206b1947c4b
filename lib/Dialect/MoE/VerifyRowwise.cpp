// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an expert computes of a row must not depend on the rows that travel with
// it: those are other ones for every mesh. So the region of `moe.experts` works
// row by row, as the sharding rules of its operations say.

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/CallInterfaces.h"

using namespace mlir;
using namespace mlir::moe;
using comm::ShardingRule;

namespace {
/// Follows the rows of a region from its argument to its yield.
class RowwiseVerifier {
public:
  explicit RowwiseVerifier(Block &block) : block(block) {
    rows.insert(block.getArgument(0));
  }

  LogicalResult run() {
    for (Operation &op : block.without_terminator()) {
      if (failed(verify(&op))) {
        return failure();
      }
    }
    Operation *yield = block.getTerminator();
    if (hasRows(yield->getOperand(0))) {
      return success();
    }
    return yield->emitOpError("expected rows that the region computes of its "
                              "own rows");
  }

private:
  bool hasRows(Value value) const {
    return rows.contains(value) || unknown.contains(value);
  }

  LogicalResult verify(Operation *op) {
    if (failed(verifyNested(op))) {
      return failure();
    }
    if (auto product = dyn_cast<GroupedMatmulOp>(op)) {
      // C6
      if (product.getOffsets() != block.getArgument(1)) {
        return op->emitOpError("expected the offsets of the region's rows");
      }
    }
    if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
      addIf(empty.getResult(), isForRows(empty));
      return success();
    }
    if (auto reshard = dyn_cast<comm::ReshardOp>(op)) {
      addIf(reshard.getResult(), rows.contains(reshard.getSource()));
      markUnknown(op);
      return success();
    }
    if (auto rule = dyn_cast<comm::ShardingRuleOpInterface>(op)) {
      return verifyRule(op, rule.getShardingRule());
    }
    if (isa<CallOpInterface>(op) && usesRows(op)) {
      return op->emitOpError("expected no call on the rows of an expert");
    }
    markUnknown(op);
    return success();
  }

  bool usesRows(Operation *op) const {
    return llvm::any_of(op->getOperands(),
                        [&](Value operand) { return hasRows(operand); });
  }

  /// Partitioning refuses an operation without a rule; here it may be one whose
  /// rule is not registered.
  void markUnknown(Operation *op) {
    if (usesRows(op)) {
      unknown.insert_range(op->getResults());
    }
  }

  void addIf(Value value, bool condition) {
    if (condition) {
      rows.insert(value);
    }
  }

  /// Whether a tensor has as many rows as the region.
  bool isForRows(tensor::EmptyOp empty) const {
    if (empty.getType().getRank() == 0 || !empty.getType().isDynamicDim(0)) {
      return false;
    }
    auto extent = empty.getDynamicSizes()[0].getDefiningOp<tensor::DimOp>();
    return extent && extent.getConstantIndex() == 0 &&
           hasRows(extent.getSource());
  }

  /// Bodies work on scalars; one that captures rows picks among them.
  LogicalResult verifyNested(Operation *op) {
    WalkResult walk = op->walk([&](Operation *inner) {
      if (inner != op && usesRows(inner)) {
        inner->emitOpError("expected no access to single rows of an expert");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(walk.wasInterrupted());
  }

  LogicalResult verifyRule(Operation *op, const ShardingRule &rule) {
    // The factor that the rows are.
    std::optional<int64_t> row;
    for (const ShardingRule::Participant &one : rule.participants) {
      if (!one.use || !rows.contains(one.value)) {
        continue;
      }
      int64_t factor = one.factors[0];
      if (factor == ShardingRule::whole || row.value_or(factor) != factor) {
        return op->emitOpError("expected each row of an expert by itself, but "
                               "operand ")
               << one.use->getOperandNumber() << " brings all rows together";
      }
      row = factor;
    }
    if (!row) {
      markUnknown(op);
      return success();
    }
    for (const ShardingRule::Participant &one : rule.participants) {
      if (failed(verifyParticipant(op, one, *row))) {
        return failure();
      }
    }
    return success();
  }

  LogicalResult verifyParticipant(Operation *op,
                                  const ShardingRule::Participant &one,
                                  int64_t row) {
    for (auto [dim, factor] : llvm::enumerate(one.factors)) {
      if (factor != row) {
        continue;
      }
      if (dim != 0) {
        return op->emitOpError("expected the rows of an expert in dimension 0, "
                               "but got them in dimension ")
               << dim << " of " << one.value.getType();
      }
      if (one.use && !hasRows(one.value)) {
        return op->emitOpError("expected the rows of an expert only, but "
                               "operand ")
               << one.use->getOperandNumber() << " has rows of its own";
      }
      addIf(one.value, !one.use);
    }
    return success();
  }

  Block &block;
  /// Values whose dimension 0 are the region's rows.
  DenseSet<Value> rows;
  /// Values of which nothing is known.
  DenseSet<Value> unknown;
};
} // namespace

// C5
LogicalResult ExpertsOp::verifyRegions() {
  return RowwiseVerifier(getBody().front()).run();
}
