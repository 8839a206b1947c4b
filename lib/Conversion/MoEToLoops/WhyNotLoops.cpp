// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Conversion/MoEToLoops/Lowerings.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;

using Reason = std::optional<std::string>;

static std::string print(Type type) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << type;
  return text;
}

/// Rows are read and written in vectors, and parts of them kept on the stack.
static Reason whyNotBuffers(Operation *op) {
  for (Type type : op->getOperandTypes()) {
    auto buffer = dyn_cast<MemRefType>(type);
    if (!buffer || buffer.getRank() < 2) {
      continue;
    }
    if (buffer.isDynamicDim(buffer.getRank() - 1)) {
      return "expected a static number of columns, but got " + print(buffer);
    }
    if (!buffer.isLastDimUnitStride()) {
      return "expected rows without gaps, but got " + print(buffer);
    }
  }
  return std::nullopt;
}

static Reason whyNotCounts(Value counts) {
  auto buffer = cast<MemRefType>(counts.getType());
  if (buffer.hasStaticShape() && buffer.getLayout().isIdentity()) {
    return std::nullopt;
  }
  return "expected counts of static shape without gaps, but got " +
         print(buffer);
}

static Reason whyNot(SelectOp op) {
  if (op.getSecond() == SecondExpertPolicy::Sampling && op.getLimit()) {
    return "sampling the second choice is not defined together with a limit "
           "on groups";
  }
  return std::nullopt;
}

static Reason whyNot(LimitCapacityOp op) {
  if (op.getOrder() == DropOrder::BestScore ||
      op.getOrder() == DropOrder::Random) {
    return ("order " + stringifyDropOrder(op.getOrder()) +
            " needs a sort of the tokens")
        .str();
  }
  return std::nullopt;
}

Reason mlir::moe::whyNotLoops(BufferFormOpInterface op) {
  Reason own =
      llvm::TypeSwitch<Operation *, Reason>(op)
          .Case<SelectTokensOp, SelectMaskedPairOp, SelectBalancedOp>(
              [](Operation *) { return "this selection has no loops yet"; })
          .Case([](SelectOp op) { return whyNot(op); })
          .Case([](LimitCapacityOp op) { return whyNot(op); })
          .Case([](AssignSlotsOp op) { return whyNotCounts(op.getOuts()[1]); })
          .Case([](CountOffsetsOp op) { return whyNotCounts(op.getCounts()); })
          .Case([](SlotPositionsOp op) { return whyNotCounts(op.getCounts()); })
          .Default([](Operation *) { return std::nullopt; });
  return own ? own : whyNotBuffers(op);
}
