// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of the sharding of every value while it is being decided.

#ifndef MOE_LIB_TRANSFORMS_PARTITION_SHARDINGSTATE_H
#define MOE_LIB_TRANSFORMS_PARTITION_SHARDINGSTATE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "moe/Dialect/Comm/Comm.h"

namespace mlir::moe {

/// The rule that a declared function carries, for one call of it; an error on
/// the call where it has none.
FailureOr<comm::ShardingRule> getDeclaredRule(func::CallOp call,
                                              func::FuncOp callee);

/// The rule of any operation that takes part in partitioning; an error that
/// names it where it has none. Calls of defined functions and returns have no
/// rule: their values are linked one to one.
FailureOr<comm::ShardingRule> getRule(Operation *op);

/// Whether an operation needs a rule at all: it, or one inside it, has shaped
/// operands or results.
bool touchesShapedValues(Operation *op);

/// Reads and writes the attributes that carry shardings between the passes.
class ShardingAttributes {
public:
  /// The sharding of a value; null where it is whole or unknown.
  static comm::ShardingAttr get(Value value);
  static void set(Value value, comm::ShardingAttr sharding);
};

/// The mesh that the module's shardings name: its first `comm.mesh`. Null, with
/// a diagnostic, without one.
comm::MeshOp findModuleMesh(ModuleOp module);

/// Checks that a sharding, written at `at`, is over the program's mesh.
LogicalResult verifyMesh(comm::MeshOp mesh, comm::ShardingAttr sharding,
                         Operation *at);

/// The sharding of each dimension of a value: of `sharding`, or whole.
SmallVector<comm::AxisListAttr> getDimensions(comm::ShardingAttr sharding,
                                              Type type);

/// Checks that the operands and results of every operation are spread as its
/// rule, its callee or its function says: what `comm-insert-reshard` leaves.
LogicalResult verifyResharded(ModuleOp module, comm::MeshOp mesh);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_PARTITION_SHARDINGSTATE_H
