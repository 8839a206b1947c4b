// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How `moe.placement` writes its slots and replica tables.

#ifndef MOE_LIB_DIALECT_MOE_PLACEMENTSYNTAX_H
#define MOE_LIB_DIALECT_MOE_PLACEMENTSYNTAX_H

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/IR/OpImplementation.h"

namespace mlir::moe {

/// `[[0, 1], [2, -1]]`: one list of experts a rank.
ParseResult parseSlotLists(OpAsmParser &parser, ArrayAttr &slots);
void printSlotLists(OpAsmPrinter &printer, Operation *op, ArrayAttr slots);

/// `[4: [on 0 from 0, on 2 from 1 class 32], …]`, printed one expert a line.
ParseResult parseReplicaTables(OpAsmParser &parser, ArrayAttr &tables);
void printReplicaTables(OpAsmPrinter &printer, Operation *op, ArrayAttr tables);

} // namespace mlir::moe

#endif // MOE_LIB_DIALECT_MOE_PLACEMENTSYNTAX_H
