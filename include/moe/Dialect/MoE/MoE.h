// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `moe` dialect: what a mixture-of-experts model is and where it lives.

#ifndef MOE_DIALECT_MOE_MOE_H
#define MOE_DIALECT_MOE_MOE_H

#include "mlir/IR/BuiltinTypeInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "moe/Dialect/Comm/Comm.h"

#include "moe/Dialect/MoE/MoEDialect.h.inc"
#include "moe/Dialect/MoE/MoEEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "moe/Dialect/MoE/MoEAttributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "moe/Dialect/MoE/MoETypes.h.inc"

namespace mlir::moe {
/// Checks that an operation with a buffer form is on tensors or on buffers.
LogicalResult verifyBufferForm(Operation *op);
} // namespace mlir::moe

#include "moe/Dialect/MoE/MoEInterfaces.h.inc"

#define GET_OP_CLASSES
#include "moe/Dialect/MoE/MoEOps.h.inc"

namespace mlir::moe {

/// Discardable attributes of the module and its functions.
/// On the module: the bound of the token dimension (i64).
inline constexpr StringLiteral kMaxTokensAttrName = "moe.max_tokens";
/// On calls: the model's layer number (i64 or a string such as "encoder.1").
inline constexpr StringLiteral kLayerAttrName = "moe.layer";
/// On local functions that nobody calls: what the program is to do for the
/// layers of the model, in their order (array of `#moe.planned_layer`).
inline constexpr StringLiteral kLayersAttrName = "moe.layers";
/// On calls: the `moe.exchange` that the layers below are to use (symbol). On
/// `moe.assign_slots`: the one that its rows travel by.
inline constexpr StringLiteral kExchangeAttrName = "moe.exchange";
/// On the module: the shares of the experts' loads by the number of the layer's
/// `moe.use_placement`, `{"3" = array<f64: …>}`, or one array for each source
/// rank, `{"3" = [array<f64: …>, …]}`; layers without any are uniform.
inline constexpr StringLiteral kLoadsAttrName = "moe.loads";
/// On the module: what was planned, for people (dictionary of strings).
inline constexpr StringLiteral kPlanAttrName = "moe.plan";
/// On functions: what the function is (string): "model", "decoder_layer",
/// "moe_block", "dense_block", "attention".
inline constexpr StringLiteral kRoleAttrName = "moe.role";
/// On the module after partitioning: the symbols behind the frame's handles,
/// in order.
inline constexpr StringLiteral kHandlesAttrName = "moe.handles";

/// On local functions: an entry of the program (unit). Entries are private
/// until they are lowered, since bufferization drops the results of private
/// functions only.
inline constexpr StringLiteral kEntryAttrName = "moe.entry";
/// On functions that the compiler made for one CPU target: they take no frame
/// (unit).
inline constexpr StringLiteral kKernelAttrName = "moe.kernel";

/// The largest number of slots of a rank in any placement of the module over
/// as many experts; 0 without one. All code that shares a block uses it.
int64_t getLocalSlots(Operation *from, int64_t experts);

} // namespace mlir::moe

#endif // MOE_DIALECT_MOE_MOE_H
