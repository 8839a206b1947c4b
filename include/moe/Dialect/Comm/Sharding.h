// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the dimensions of an operation's values hang together, and what an
// operation needs to know to become the program of one rank.

#ifndef MOE_DIALECT_COMM_SHARDING_H
#define MOE_DIALECT_COMM_SHARDING_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "moe/Dialect/Comm/CommAttributes.h"

namespace mlir::comm {

class MeshOp;

/// Which dimensions of an operation's values are the same *factor*.
///
/// A matrix product C[m, n] = sum_k A[m, k] B[k, n] has the factors m and n: A
/// is [m, whole], B is [whole, n], C is [m, n]. A dimension that must not be
/// split (k here: its sum has one order) is `whole`.
struct ShardingRule {
  static constexpr int64_t whole = -1;

  /// A value that takes part, and the factor of each of its dimensions.
  struct Participant {
    Value value;
    /// The use, where the value can be resharded for this operation alone;
    /// null for results and block arguments.
    OpOperand *use;
    SmallVector<int64_t> factors;
  };

  /// What a factor demands.
  struct Factor {
    /// Axes over which the factor must be split; null if none.
    AxisListAttr required;
    /// Each rank's part must be a multiple of this; see `canSplit`.
    int64_t granule = 1;
  };

  SmallVector<Participant> participants;
  SmallVector<Factor> factors;

  int64_t addFactor() {
    factors.push_back({});
    return static_cast<int64_t>(factors.size()) - 1;
  }
  void addUse(OpOperand &use, ArrayRef<int64_t> dims) {
    participants.push_back({use.get(), &use, SmallVector<int64_t>(dims)});
  }
  void addValue(Value value, ArrayRef<int64_t> dims) {
    participants.push_back({value, nullptr, SmallVector<int64_t>(dims)});
  }
};

/// Whether a factor may be split into `parts` equal parts of whole granules. A
/// dynamic extent may not, but into one part, unless the granule is 1.
bool canSplit(const ShardingRule &rule, int64_t factor, int64_t parts);

/// The rule of an operation that works token by token: dimension 0 of every
/// shaped operand of rank 2 or more and of every result is one factor, all
/// other dimensions are whole.
ShardingRule getTokenwiseRule(Operation *op);

/// The type of a rank's part of a value (null sharding: whole on every rank);
/// an extent that the mesh does not divide is dynamic.
Type getLocalType(Type type, ShardingAttr sharding, MeshOp mesh);

/// The context in which an operation becomes local: maps the values of the
/// global program to those of this rank.
class Partitioner {
public:
  virtual ~Partitioner() = default;

  /// Positioned where the local form belongs.
  OpBuilder &getBuilder() { return builder; }

  /// The local value of a global one.
  Value getLocal(Value global) const { return mapping.lookup(global); }
  void mapLocal(Value global, Value local) { mapping.map(global, local); }
  IRMapping &getMapping() { return mapping; }

  /// How a global value is spread; null: whole on every rank.
  virtual ShardingAttr getSharding(Value global) const = 0;
  /// The type of a value's part; dynamic where the mesh does not divide.
  Type getLocalType(Value global) const;
  virtual Type getLocalType(Type type, ShardingAttr sharding) const;
  /// This rank's share of `extent` rows that are split over `axes`.
  OpFoldResult getLocalExtent(OpFoldResult extent, AxisListAttr axes);
  /// The number of tokens of the whole program.
  virtual Value getTokens() const = 0;
  /// The mesh of the program.
  virtual MeshOp getMesh() const = 0;
  /// Makes the operations of a block local, one by one, where the builder is;
  /// the block's arguments must be mapped.
  virtual LogicalResult partitionBody(Block &block) = 0;

  /// Clones `op` with local operands and result types.
  Operation *cloneLocal(Operation *op);

protected:
  explicit Partitioner(MLIRContext *context) : builder(context) {}
  OpBuilder builder;
  IRMapping mapping;
};

} // namespace mlir::comm

#endif // MOE_DIALECT_COMM_SHARDING_H
