// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `comm` dialect: meshes, shardings and how data moves between ranks.

#ifndef MOE_DIALECT_COMM_COMM_H
#define MOE_DIALECT_COMM_COMM_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "moe/Dialect/Comm/CommAttributes.h"
#include "moe/Dialect/Comm/Sharding.h"
#include "moe/Dialect/Comm/UniformityFlows.h"

#include "moe/Dialect/Comm/CommInterfaces.h.inc"

#define GET_TYPEDEF_CLASSES
#include "moe/Dialect/Comm/CommTypes.h.inc"

#define GET_OP_CLASSES
#include "moe/Dialect/Comm/CommOps.h.inc"

namespace mlir::comm {

/// What communication touches besides its buffers. Operations with effects on
/// it keep their order and are never speculated or merged.
struct NetworkResource final : SideEffects::Resource::Base<NetworkResource> {
  StringRef getName() final { return "network"; }
};

/// The mesh that `mesh` names, as seen from `from`; null if there is none.
MeshOp lookupMesh(Operation *from, FlatSymbolRefAttr mesh);

/// Begins a diagnostic.
using EmitErrorFn = function_ref<InFlightDiagnostic()>;

/// Checks that the mesh exists, as seen from `from`, that it has `axes`, and
/// that none of them overlaps with another.
LogicalResult verifyMeshAxes(EmitErrorFn emitError, Operation *from,
                             FlatSymbolRefAttr mesh, AxisListAttr axes);
/// The same, reported on `user`.
LogicalResult verifyMeshAxes(Operation *user, FlatSymbolRefAttr mesh,
                             AxisListAttr axes);

/// Checks that `sharding` can be one of a value of type `type`: as many
/// dimensions, and axes as above, of which none splits two dimensions, or a
/// rank would hold a diagonal block.
LogicalResult verifySharding(EmitErrorFn emitError, Operation *from,
                             ShardingAttr sharding, Type type);

/// Checks that a bound of rows is one that 32-bit offsets can hold.
LogicalResult verifyBound(Operation *op, int64_t bound);

/// The size of the group over `axes`.
int64_t getGroupSize(Operation *from, FlatSymbolRefAttr mesh,
                     AxisListAttr axes);

/// Reads of the operands in `reads`, writes of those in `writes` (memrefs
/// only), and both on the network where `network` is set.
void addCommunicationEffects(
    SmallVectorImpl<MemoryEffects::EffectInstance> &effects,
    ArrayRef<OpOperand *> reads, ArrayRef<OpOperand *> writes, bool network);

} // namespace mlir::comm

#endif // MOE_DIALECT_COMM_COMM_H
