// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `moe.limit_capacity` is on one rank: groups of tokens may span ranks, so
// the ranks tell each other how many assignments each expert got.

#include "moe/Dialect/MoE/BufferForm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;

comm::ShardingRule LimitCapacityOp::getShardingRule() {
  return comm::getTokenwiseRule(*this);
}

// There is a row for each group of all tokens, whichever of them a rank holds.
void CountChoicesOp::addUniformityFlows(comm::UniformityFlows &flows) {
  flows.addContents(*this);
  for (Value result : getResults()) {
    flows.add(result, comm::Aspect::Extents, getTokens(),
              comm::Aspect::Contents);
  }
}

// All ranks' counts of choices, [ranks, groups, K, E].
static Value gatherCounts(LimitCapacityOp op, OpBuilder &builder, Value expert,
                          Value first, Value tokens, comm::AxisListAttr axes,
                          FlatSymbolRefAttr mesh) {
  Location loc = op.getLoc();
  int64_t groups =
      op.getGroup().getScope() == CapacityScope::All ? 1 : ShapedType::kDynamic;
  int64_t k = cast<ShapedType>(expert.getType()).getDimSize(1);
  int64_t experts = op.getExperts();
  Type i32 = builder.getI32Type();
  auto countType = RankedTensorType::get({groups, k, experts}, i32);
  Value counts =
      CountChoicesOp::create(builder, loc, TypeRange{countType}, expert, first,
                             tokens, ValueRange{}, op.getGroup(), experts)
          ->getResult(0);
  int64_t ranks = comm::getGroupSize(op, mesh, axes);
  SmallVector<OpFoldResult> extents = getExtents(builder, loc, counts);
  extents.insert(extents.begin(), builder.getIndexAttr(1));
  auto partType = RankedTensorType::get({1, groups, k, experts}, i32);
  SmallVector<ReassociationIndices> reassociation{{0, 1}, {2}, {3}};
  Value part = tensor::ExpandShapeOp::create(builder, loc, partType, counts,
                                             reassociation, extents);
  extents[0] = builder.getIndexAttr(ranks);
  Value space = tensor::EmptyOp::create(builder, loc, extents, i32);
  return comm::AllGatherOp::create(builder, loc, TypeRange{space.getType()},
                                   part, space, axes, mesh)
      ->getResult(0);
}

LogicalResult LimitCapacityOp::partition(comm::Partitioner &partitioner) {
  comm::ShardingAttr sharding = partitioner.getSharding(getExpert());
  auto local = cast<LimitCapacityOp>(partitioner.cloneLocal(*this));
  if (!sharding || sharding.getDims()[0].empty()) {
    return success();
  }
  if (getOrder() == DropOrder::BestScore || getOrder() == DropOrder::Random) {
    return emitOpError("cannot partition order ")
           << stringifyDropOrder(getOrder())
           << ": it needs the priorities of all ranks' tokens";
  }
  OpBuilder &builder = partitioner.getBuilder();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(local);
  Location loc = getLoc();
  comm::AxisListAttr axes = sharding.getDims()[0];
  FlatSymbolRefAttr mesh = sharding.getMesh();
  Type index = builder.getIndexType();
  Value tokens = partitioner.getTokens();
  Value first =
      comm::LocalOffsetOp::create(builder, loc, index, tokens, axes, mesh);
  Value rank = comm::RankOp::create(builder, loc, index, axes, mesh);
  Value taken = gatherCounts(*this, builder, local.getExpert(), first, tokens,
                             axes, mesh);
  local.getTakenMutable().assign(taken);
  local.getFirstTokenMutable().assign(first);
  local.getTokensMutable().assign(tokens);
  local.getRankMutable().assign(rank);
  return success();
}
