// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef COMM_INTERFACES
#define COMM_INTERFACES

include "mlir/IR/OpBase.td"

def Comm_ShardingRuleOpInterface : OpInterface<"ShardingRuleOpInterface"> {
  let cppNamespace = "::mlir::comm";
  let description = [{
    How the dimensions of an operation's operands and results hang together:
    which of them are the same *factor*. Read by `comm-propagate-sharding` and
    `comm-insert-reshard`.
  }];
  let methods = [
    InterfaceMethod<"The rule; see ShardingRule.",
      "::mlir::comm::ShardingRule", "getShardingRule">
  ];
}

def Comm_PartitionOpInterface : OpInterface<"PartitionOpInterface"> {
  let cppNamespace = "::mlir::comm";
  let description = [{
    What the operation is on one rank. Called by `moe-partition` once all
    operands are local.
  }];
  let methods = [
    InterfaceMethod<[{
      Emits the local form and maps each result to its local value. Reports why
      it cannot on the operation itself.
      }], "::llvm::LogicalResult", "partition",
      (ins "::mlir::comm::Partitioner &":$partitioner)>
  ];
}

def Comm_CollectiveOpInterface : OpInterface<"CollectiveOpInterface"> {
  let cppNamespace = "::mlir::comm";
  let description = [{
    An operation in which all ranks of a group take part. Read by verifiers,
    the cost model, counters and overlap.
  }];
  let methods = [
    InterfaceMethod<"The mesh.", "::mlir::FlatSymbolRefAttr", "getMeshAttr">,
    InterfaceMethod<"The axes whose ranks take part.",
      "::mlir::comm::AxisListAttr", "getAxesAttr">,
    InterfaceMethod<"Which collective.",
      "::mlir::comm::CollectiveKind", "getCollectiveKind">,
    InterfaceMethod<"Operands that must not change until it is complete.",
      "::llvm::SmallVector<::mlir::Value>", "getCollectiveReads">,
    InterfaceMethod<"The destination.", "::mlir::Value", "getCollectiveDestination">
  ];
}

def Comm_RankDependentOpInterface : OpInterface<"RankDependentOpInterface"> {
  let cppNamespace = "::mlir::comm";
  let description = [{
    An operation whose results depend on the rank that asks, besides its
    operands. Read by the analysis of uniformity; every other operation without
    effects gives equal results on ranks with equal operands.
  }];
  let methods = [
    InterfaceMethod<[{
      The axes on whose coordinates the results depend; null: on all axes of
      the mesh.
      }], "::mlir::comm::AxisListAttr", "getRankAxes">
  ];
}

def Comm_UniformityOpInterface : OpInterface<"UniformityOpInterface"> {
  let cppNamespace = "::mlir::comm";
  let description = [{
    What goes into the results of an operation, for the analysis of uniformity.
    Only an operation that knows more than the rule for all others has it: that
    the contents of each result are made of the contents and the extents of all
    operands, and its extents of those of its destination, or, without one, of
    the operands' extents and of scalars.
  }];
  let methods = [
    InterfaceMethod<"Adds all that goes into the results; see UniformityFlows.",
      "void", "addUniformityFlows", (ins "::mlir::comm::UniformityFlows &":$flows)>
  ];
}

#endif // COMM_INTERFACES
