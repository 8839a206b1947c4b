// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the functions of a module local, one operation after the other.

#ifndef MOE_LIB_TRANSFORMS_PARTITION_FUNCTIONPARTITIONER_H
#define MOE_LIB_TRANSFORMS_PARTITION_FUNCTIONPARTITIONER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "moe/Dialect/MoE/MoE.h"

namespace mlir::moe {

/// Makes one function local. Its operations say themselves what they are on
/// one rank; derived classes may say it for them.
class FunctionPartitioner : public comm::Partitioner {
public:
  /// `mesh` may be null where no value has a sharding.
  FunctionPartitioner(func::FuncOp global, comm::MeshOp mesh)
      : Partitioner(global.getContext()), global(global), mesh(mesh) {}

  LogicalResult run();

  comm::ShardingAttr getSharding(Value value) const override;
  using Partitioner::getLocalType;
  /// Expert weights keep the slots of one rank, which placements decide.
  Type getLocalType(Type type, comm::ShardingAttr sharding) const override;
  Value getTokens() const override;
  comm::MeshOp getMesh() const override { return mesh; }
  LogicalResult partitionBody(Block &block) override;

  func::FuncOp getGlobalFunction() const { return global; }
  func::FuncOp getLocalFunction() const { return local; }

protected:
  /// The local form of one operation.
  virtual LogicalResult partition(Operation *op);

private:
  func::FuncOp global;
  func::FuncOp local;
  comm::MeshOp mesh;
};

/// Replaces every function of the module by its local form.
LogicalResult partitionFunctions(
    ModuleOp module,
    function_ref<std::unique_ptr<FunctionPartitioner>(func::FuncOp)> create);

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_PARTITION_FUNCTIONPARTITIONER_H
