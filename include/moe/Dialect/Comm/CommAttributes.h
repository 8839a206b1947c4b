// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_DIALECT_COMM_COMMATTRIBUTES_H
#define MOE_DIALECT_COMM_COMMATTRIBUTES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OpImplementation.h"

#include <limits>

#include "moe/Dialect/Comm/CommDialect.h.inc"
#include "moe/Dialect/Comm/CommEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "moe/Dialect/Comm/CommAttributes.h.inc"

namespace mlir::comm {

/// Ranks, rows and offsets are 32-bit.
inline constexpr int64_t kMaxCount = std::numeric_limits<int32_t>::max();

/// Discardable attributes that carry decisions between passes.
/// On function arguments and results: the `#comm.sharding` of the value.
inline constexpr StringLiteral kShardingAttrName = "comm.sharding";
/// On operations: one `#comm.sharding` (or unit: none) a result.
inline constexpr StringLiteral kResultShardingsAttrName =
    "comm.result_shardings";
/// On operations with a region: one a block argument.
inline constexpr StringLiteral kArgumentShardingsAttrName =
    "comm.argument_shardings";
/// On declared functions: `[[operand dims …] …, [result dims …] …]`, each
/// dimension a factor number, -1 where it must be whole.
inline constexpr StringLiteral kShardingRuleAttrName = "comm.sharding_rule";
/// Beside the rule: `array<i64: …>`, for each factor what a rank's part must be
/// a multiple of, such as the tokens of a sequence.
inline constexpr StringLiteral kShardingGranulesAttrName =
    "comm.sharding_granules";
/// On arguments and results of local functions: a `#comm.axes`, the axes on
/// whose coordinates the value depends at most. Ranks that differ in others
/// only have the same value.
inline constexpr StringLiteral kVariesOverAttrName = "comm.varies_over";

/// `{"dp", "ep":(2)4}`.
ParseResult parseAxes(AsmParser &parser, AxisListAttr &axes);
void printAxes(AsmPrinter &printer, AxisListAttr axes);
inline ParseResult parseAxes(OpAsmParser &parser, AxisListAttr &axes) {
  return parseAxes(static_cast<AsmParser &>(parser), axes);
}
inline void printAxes(OpAsmPrinter &printer, Operation *, AxisListAttr axes) {
  printAxes(static_cast<AsmPrinter &>(printer), axes);
}

/// The tiers of `comm.topology`: `[ib: 2 x 50.0 GB/s 5.0 us, …]`.
ParseResult parseTiers(OpAsmParser &parser, ArrayAttr &tiers);
void printTiers(OpAsmPrinter &printer, Operation *op, ArrayAttr tiers);
/// The inside of a node, one entry a line: `[gpu0: gpu bus "…", …]` and
/// `[gpu0 to cpu0: pcie 24.0 GB/s, …]`.
ParseResult parseVertices(OpAsmParser &parser, ArrayAttr &vertices);
void printVertices(OpAsmPrinter &printer, Operation *op, ArrayAttr vertices);
ParseResult parseLinks(OpAsmParser &parser, ArrayAttr &links);
void printLinks(OpAsmPrinter &printer, Operation *op, ArrayAttr links);
/// Strings, one a line.
ParseResult parseSentences(OpAsmParser &parser, ArrayAttr &sentences);
void printSentences(OpAsmPrinter &printer, Operation *op, ArrayAttr sentences);
/// The axes of `comm.mesh`: `<["dp"=2, "ep"=4]>`.
ParseResult parseMeshAxes(OpAsmParser &parser, ArrayAttr &axes);
void printMeshAxes(OpAsmPrinter &printer, Operation *op, ArrayAttr axes);

} // namespace mlir::comm

#endif // MOE_DIALECT_COMM_COMMATTRIBUTES_H
