// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a change of sharding is on one rank: whatever is split differently is
// gathered, then cut anew, dimension by dimension. `moe-partition` emits the
// steps, `moe-verify-communication` compares with them what is there.
//
// A tensor<?x12xf32> on a mesh <["dp"=2, "ep"=4]>, from [{"dp"}, {"ep"}] to
// [{"ep"}, {}]:
//
//   step          dimension  axes    on this rank
//                                    tensor<?x3xf32>, its share of the rows
//   gather rows   0          {"dp"}  tensor<?x3xf32>, all rows
//   cut           0          {"ep"}  tensor<?x3xf32>, its new share
//   gather inner  1          {"ep"}  tensor<4x?x3xf32>, then tensor<?x12xf32>

#ifndef MOE_DIALECT_COMM_RESHARDPLAN_H
#define MOE_DIALECT_COMM_RESHARDPLAN_H

#include "moe/Dialect/Comm/Comm.h"

namespace mlir::comm {

struct ReshardStep {
  enum class Kind {
    /// A `comm.all_gather_v` by the `comm.shard_offsets` of all rows, since
    /// rows may be ragged.
    GatherRows,
    /// A `comm.all_gather` of equal parts along a new leading dimension, which
    /// then moves in front of `dim` and is joined with it.
    GatherInner,
    /// The part from `comm.local_offset` on; nothing is sent.
    Cut
  };

  Kind kind;
  int64_t dim;
  AxisListAttr axes;
  /// Ranks in a group over `axes`.
  int64_t parts;
  /// This rank's part behind the step, as its type says.
  RankedTensorType type;
};

/// All steps from one sharding to another, in order; none where they are equal.
/// A null `from` means that the value is whole. Fails where an inner dimension
/// does not divide into equal parts.
FailureOr<SmallVector<ReshardStep>>
planReshard(EmitErrorFn emitError, MeshOp mesh, RankedTensorType global,
            ShardingAttr from, ShardingAttr to);

/// How a gather of an inner dimension is stacked and unstacked again, for a
/// value of `rank` dimensions: the leading 1 that is put before it, how the
/// stack is transposed, and which dimensions are joined then.
struct InnerStacking {
  InnerStacking(int64_t rank, int64_t dim);

  SmallVector<ReassociationIndices> expand;
  SmallVector<int64_t> permutation;
  SmallVector<ReassociationIndices> collapse;
};

} // namespace mlir::comm

#endif // MOE_DIALECT_COMM_RESHARDPLAN_H
