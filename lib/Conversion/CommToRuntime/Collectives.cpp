// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collectives, also split into start and wait.

#include "Lowerings.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
/// Source, source offsets, destination, destination offsets and bytes of a
/// collective without a reduction, as the runtime's flat calls name them.
struct Move {
  StringRef name;
  Value source;
  Value sourceOffsets;
  Value destination;
  Value destinationOffsets;
  Value bytes;
};
} // namespace

static LogicalResult checkContiguous(comm::CollectiveOpInterface op) {
  SmallVector<Value> buffers = op.getCollectiveReads();
  buffers.push_back(op.getCollectiveDestination());
  for (Value buffer : buffers) {
    auto type = cast<MemRefType>(buffer.getType());
    if (!RuntimeCalls::isContiguous(type)) {
      return op->emitOpError("expected contiguous buffers, but got ") << type;
    }
  }
  return success();
}

static Move describe(ImplicitLocOpBuilder &b, RuntimeCalls &calls,
                     comm::CollectiveOpInterface op) {
  SmallVector<Value> reads = op.getCollectiveReads();
  Value destination = op.getCollectiveDestination();
  Move move;
  move.source = calls.address(b, reads[0]);
  move.destination = calls.address(b, destination);
  switch (op.getCollectiveKind()) {
  case comm::CollectiveKind::AllToAllV:
    move.name = "all_to_all_v";
    move.sourceOffsets = calls.address(b, reads[1]);
    move.destinationOffsets = calls.address(b, reads[2]);
    move.bytes = calls.rowBytes(b, destination);
    break;
  case comm::CollectiveKind::AllGatherV:
    move.name = "all_gather_v";
    move.destinationOffsets = calls.address(b, reads[1]);
    move.bytes = calls.rowBytes(b, destination);
    break;
  case comm::CollectiveKind::AllToAll: {
    move.name = "all_to_all";
    Value parts = arith::ConstantIntOp::create(
        b, comm::getGroupSize(op, op.getMeshAttr(), op.getAxesAttr()), 64);
    move.bytes = arith::DivUIOp::create(b, calls.allBytes(b, reads[0]), parts);
    break;
  }
  default:
    move.name = "all_gather";
    move.bytes = calls.allBytes(b, reads[0]);
    break;
  }
  return move;
}

LogicalResult mlir::moe::lowerToRuntime(comm::CollectiveOpInterface op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  if (failed(checkContiguous(op))) {
    return failure();
  }
  Move move = describe(b, calls, op);
  SmallVector<Value> operands{calls.group(b, op.getAxesAttr()), calls.nextId(b),
                              move.source};
  if (move.sourceOffsets) {
    operands.push_back(move.sourceOffsets);
  }
  operands.push_back(move.destination);
  if (move.destinationOffsets) {
    operands.push_back(move.destinationOffsets);
  }
  operands.push_back(move.bytes);
  calls.call(b, move.name, operands);
  return success();
}

/// The runtime's moert_dtype.
static std::optional<int64_t> runtimeType(Type type) {
  return llvm::TypeSwitch<Type, std::optional<int64_t>>(type)
      .Case<Float32Type>([](auto) { return 0; })
      .Case<BFloat16Type>([](auto) { return 1; })
      .Case<Float16Type>([](auto) { return 2; })
      .Case<IntegerType>([](IntegerType type) -> std::optional<int64_t> {
        switch (type.getWidth()) {
        case 8:
          return 5;
        case 16:
          return 6;
        case 32:
          return 7;
        case 64:
          return 8;
        default:
          return std::nullopt;
        }
      })
      .Default(std::optional<int64_t>());
}

template <typename OpT>
static LogicalResult lowerReduction(OpT op, ImplicitLocOpBuilder &b,
                                    RuntimeCalls &calls) {
  auto collective = cast<comm::CollectiveOpInterface>(op.getOperation());
  if (failed(checkContiguous(collective))) {
    return failure();
  }
  Type element =
      cast<MemRefType>(op.getDestination().getType()).getElementType();
  std::optional<int64_t> dtype = runtimeType(element);
  if (!dtype) {
    return op.emitOpError("cannot reduce ") << element;
  }
  StringRef name = isa<comm::AllReduceOp>(op) ? "all_reduce" : "reduce_scatter";
  calls.call(b, name,
             {calls.group(b, op.getAxes()), calls.nextId(b),
              calls.address(b, op.getSource()),
              calls.address(b, op.getDestination()),
              calls.elementCount(b, op.getDestination()), calls.i32(b, *dtype),
              calls.i32(b, static_cast<int64_t>(op.getReduction()))});
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(comm::AllReduceOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  return lowerReduction(op, b, calls);
}

LogicalResult mlir::moe::lowerToRuntime(comm::ReduceScatterOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  return lowerReduction(op, b, calls);
}

LogicalResult mlir::moe::lowerToRuntime(comm::BarrierOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  calls.call(b, "barrier", {calls.group(b, op.getAxes()), calls.nextId(b)});
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(comm::StartOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  auto collective = cast<comm::CollectiveOpInterface>(op.getOperation());
  if (failed(checkContiguous(collective))) {
    return failure();
  }
  if (op.getReduction() || op.getKind() == comm::CollectiveKind::AllReduce ||
      op.getKind() == comm::CollectiveKind::ReduceScatter) {
    return op.emitOpError("cannot lower a reduction that is started");
  }
  Move move = describe(b, calls, collective);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value null = LLVM::ZeroOp::create(b, pointer);
  auto orNull = [&](Value value) { return value ? value : null; };
  Value ticket =
      calls.call(b, "start",
                 {calls.group(b, op.getAxes()), calls.nextId(b), move.source,
                  orNull(move.sourceOffsets), move.destination,
                  orNull(move.destinationOffsets), move.bytes,
                  calls.i32(b, static_cast<int64_t>(op.getKind()))},
                 b.getI64Type());
  op.getPending().replaceAllUsesWith(
      UnrealizedConversionCastOp::create(
          b, TypeRange{op.getPending().getType()}, ValueRange{ticket})
          .getResult(0));
  return success();
}

LogicalResult mlir::moe::lowerToRuntime(comm::WaitOp op,
                                        ImplicitLocOpBuilder &b,
                                        RuntimeCalls &calls) {
  Value ticket = UnrealizedConversionCastOp::create(
                     b, TypeRange{b.getI64Type()}, ValueRange{op.getPending()})
                     .getResult(0);
  calls.call(b, "wait", {ticket});
  return success();
}
