// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each operation is as a call of the runtime.

#include "RuntimeCalls.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;

namespace {
/// Rewrites one operation after the other.
class RuntimeConversion {
public:
  RuntimeConversion(ModuleOp module, RuntimeCalls &calls)
      : module(module), calls(calls) {}

  LogicalResult run() {
    SmallVector<Operation *> ops;
    module.walk([&](Operation *op) {
      bool isOurs = isa<comm::CommDialect, MoEDialect>(op->getDialect());
      bool isSymbol = isa<SymbolOpInterface>(op);
      if (isOurs && !isSymbol) {
        ops.push_back(op);
      }
    });
    for (Operation *op : ops) {
      ImplicitLocOpBuilder b(op->getLoc(), op);
      if (failed(convert(b, op))) {
        return failure();
      }
      op->erase();
    }
    return success();
  }

private:
  LogicalResult convert(ImplicitLocOpBuilder &b, Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<comm::RankOp>([&](auto rank) {
          rank.replaceAllUsesWith(this->rank(b, rank.getAxes()));
          return success();
        })
        .Case<comm::LocalExtentOp, comm::LocalOffsetOp, comm::ShardOffsetsOp>(
            [&](auto share) { return convertShare(b, share); })
        .Case<comm::HostExtentOp, comm::CheckBoundOp>(
            [&](auto extent) { return convertBound(b, extent); })
        .Case<comm::StartOp, comm::WaitOp>(
            [&](auto split) { return convertSplit(b, split); })
        .Case<comm::BarrierOp>([&](auto barrier) {
          calls.call(b, "barrier",
                     {calls.group(b, barrier.getAxes()), calls.nextId(b)});
          return success();
        })
        .Case<comm::AllReduceOp, comm::ReduceScatterOp>(
            [&](auto reduction) { return convertReduction(b, reduction); })
        .Case<comm::CollectiveOpInterface>(
            [&](auto collective) { return convertMove(b, collective); })
        .Case<UseWeightOp, UsePlacementOp, PlacementTableOp>(
            [&](auto handle) { return convertHandle(b, handle); })
        .Case<PhaseOp>([&](auto phase) {
          calls.call(b, "phase",
                     {calls.i32(b, static_cast<int64_t>(phase.getKind()))});
          return success();
        })
        .Case<EnterLayerOp>([&](auto enter) {
          calls.call(b, "layer", {calls.i32(b, enter.getLayer())});
          return success();
        })
        .Default([](Operation *op) {
          return op->emitError("cannot lower '")
                 << op->getName() << "' to the runtime";
        });
  }

  //===--- Shares of an extent --------------------------------------------===//

  Value rank(ImplicitLocOpBuilder &b, comm::AxisListAttr axes) {
    Value rank = calls.call(b, "rank", {calls.group(b, axes)}, b.getI32Type());
    return arith::IndexCastOp::create(b, b.getIndexType(), rank);
  }

  Value size(ImplicitLocOpBuilder &b, Operation *op, comm::AxisListAttr axes,
             FlatSymbolRefAttr mesh) {
    return arith::ConstantIndexOp::create(b,
                                          comm::getGroupSize(op, mesh, axes));
  }

  // Rank p begins at p * (extent / s) + min(p, extent mod s).
  static Value begin(ImplicitLocOpBuilder &b, Value extent, Value parts,
                     Value p) {
    Value share = arith::DivUIOp::create(b, extent, parts);
    Value rest = arith::RemUIOp::create(b, extent, parts);
    Value extra = arith::MinUIOp::create(b, p, rest);
    return arith::AddIOp::create(b, arith::MulIOp::create(b, p, share), extra);
  }

  LogicalResult convertShare(ImplicitLocOpBuilder &b, comm::LocalOffsetOp op) {
    Value parts = size(b, op, op.getAxes(), op.getMeshAttr());
    op.replaceAllUsesWith(
        begin(b, op.getExtent(), parts, rank(b, op.getAxes())));
    return success();
  }

  LogicalResult convertShare(ImplicitLocOpBuilder &b, comm::LocalExtentOp op) {
    Value parts = size(b, op, op.getAxes(), op.getMeshAttr());
    Value p = rank(b, op.getAxes());
    Value next =
        arith::AddIOp::create(b, p, arith::ConstantIndexOp::create(b, 1));
    Value first = begin(b, op.getExtent(), parts, p);
    Value last = begin(b, op.getExtent(), parts, next);
    op.replaceAllUsesWith(arith::SubIOp::create(b, last, first).getResult());
    return success();
  }

  LogicalResult convertShare(ImplicitLocOpBuilder &b, comm::ShardOffsetsOp op) {
    Value parts = size(b, op, op.getAxes(), op.getMeshAttr());
    Value zero = arith::ConstantIndexOp::create(b, 0);
    Value one = arith::ConstantIndexOp::create(b, 1);
    Value end = arith::AddIOp::create(b, parts, one);
    auto loop = scf::ForOp::create(b, zero, end, one);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value p = loop.getInductionVar();
    Value at = begin(b, op.getExtent(), parts, p);
    memref::StoreOp::create(b,
                            arith::IndexCastOp::create(b, b.getI32Type(), at),
                            op.getOuts()[0], ValueRange{p});
    return success();
  }

  //===--- Bounds
  //-----------------------------------------------------------===//

  LogicalResult convertBound(ImplicitLocOpBuilder &b, comm::HostExtentOp op) {
    Value zero = arith::ConstantIndexOp::create(b, 0);
    Value one = arith::ConstantIndexOp::create(b, 1);
    Value extent = memref::DimOp::create(b, op.getOffsets(), zero);
    Value last = arith::SubIOp::create(b, extent, one);
    Value total = memref::LoadOp::create(b, op.getOffsets(), ValueRange{last});
    op.replaceAllUsesWith(
        arith::IndexCastOp::create(b, b.getIndexType(),
                                   checkedTotal(b, total, op.getBound()))
            .getResult());
    return success();
  }

  Value checkedTotal(ImplicitLocOpBuilder &b, Value total, int64_t bound) {
    Value value = arith::ExtUIOp::create(b, b.getI64Type(), total);
    Value limit = arith::ConstantIntOp::create(b, bound, 64);
    return calls.call(b, "host_extent", {calls.nextId(b), value, limit},
                      b.getI64Type());
  }

  LogicalResult convertBound(ImplicitLocOpBuilder &b, comm::CheckBoundOp op) {
    Value none = arith::ConstantIntOp::create(b, 0, 32);
    Value total = none;
    forEach(b, op.getCounts(), total, [&](ValueRange at, Value sum) -> Value {
      Value count = memref::LoadOp::create(b, op.getCounts(), at);
      return arith::AddIOp::create(b, sum, count);
    });
    Value checked = checkedTotal(b, total, op.getBound());
    Value wide = arith::ExtUIOp::create(b, b.getI64Type(), total);
    Value failed =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ne, checked, wide);
    auto branch = scf::IfOp::create(b, failed, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Value unused = none;
    forEach(b, op.getCounts(), unused, [&](ValueRange at, Value sum) -> Value {
      memref::StoreOp::create(b, none, op.getCounts(), at);
      return sum;
    });
    return success();
  }

  /// Loops over a matrix, carrying `carried`.
  static void forEach(ImplicitLocOpBuilder &b, Value matrix, Value &carried,
                      function_ref<Value(ValueRange at, Value carried)> body) {
    Value zero = arith::ConstantIndexOp::create(b, 0);
    Value one = arith::ConstantIndexOp::create(b, 1);
    Value rows = memref::DimOp::create(b, matrix, zero);
    Value columns = memref::DimOp::create(b, matrix, one);
    auto outer = scf::ForOp::create(b, zero, rows, one, carried);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(outer.getBody());
      auto inner =
          scf::ForOp::create(b, zero, columns, one, outer.getRegionIterArg(0));
      scf::YieldOp::create(b, inner.getResult(0));
      b.setInsertionPointToStart(inner.getBody());
      Value at[] = {outer.getInductionVar(), inner.getInductionVar()};
      Value next = body(at, inner.getRegionIterArg(0));
      scf::YieldOp::create(b, next);
    }
    carried = outer.getResult(0);
  }

  //===--- Collectives
  //------------------------------------------------------===//

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

  Move describe(ImplicitLocOpBuilder &b, comm::CollectiveOpInterface op) {
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
      move.bytes =
          arith::DivUIOp::create(b, calls.allBytes(b, reads[0]), parts);
      break;
    }
    default:
      move.name = "all_gather";
      move.bytes = calls.allBytes(b, reads[0]);
      break;
    }
    return move;
  }

  LogicalResult checkContiguous(comm::CollectiveOpInterface op) {
    SmallVector<Value> buffers = op.getCollectiveReads();
    buffers.push_back(op.getCollectiveDestination());
    for (Value buffer : buffers) {
      auto type = cast<MemRefType>(buffer.getType());
      if (!isContiguous(type)) {
        return op->emitOpError("expected contiguous buffers, but got ") << type;
      }
    }
    return success();
  }

  // Whether elements follow one another without gaps; the offset is free.
  static bool isContiguous(MemRefType type) {
    if (type.getLayout().isIdentity()) {
      return true;
    }
    SmallVector<int64_t> strides;
    int64_t offset = 0;
    if (failed(type.getStridesAndOffset(strides, offset))) {
      return false;
    }
    int64_t expected = 1;
    for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
      int64_t extent = type.getDimSize(dim);
      if (extent == 1) {
        continue;
      }
      if (strides[dim] != expected ||
          (dim > 0 && ShapedType::isDynamic(extent))) {
        return false;
      }
      expected *= extent;
    }
    return true;
  }

  LogicalResult convertMove(ImplicitLocOpBuilder &b,
                            comm::CollectiveOpInterface op) {
    if (failed(checkContiguous(op))) {
      return failure();
    }
    Move move = describe(b, op);
    SmallVector<Value> operands{calls.group(b, op.getAxesAttr()),
                                calls.nextId(b), move.source};
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

  template <typename OpT>
  LogicalResult convertReduction(ImplicitLocOpBuilder &b, OpT op) {
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
    StringRef name =
        isa<comm::AllReduceOp>(op) ? "all_reduce" : "reduce_scatter";
    calls.call(b, name,
               {calls.group(b, op.getAxes()), calls.nextId(b),
                calls.address(b, op.getSource()),
                calls.address(b, op.getDestination()),
                calls.elementCount(b, op.getDestination()),
                calls.i32(b, *dtype),
                calls.i32(b, static_cast<int64_t>(op.getReduction()))});
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

  LogicalResult convertSplit(ImplicitLocOpBuilder &b, comm::StartOp op) {
    auto collective = cast<comm::CollectiveOpInterface>(op.getOperation());
    if (failed(checkContiguous(collective))) {
      return failure();
    }
    if (op.getReduction() || op.getKind() == comm::CollectiveKind::AllReduce ||
        op.getKind() == comm::CollectiveKind::ReduceScatter) {
      return op.emitOpError("cannot lower a reduction that is started");
    }
    Move move = describe(b, collective);
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

  LogicalResult convertSplit(ImplicitLocOpBuilder &b, comm::WaitOp op) {
    Value ticket =
        UnrealizedConversionCastOp::create(b, TypeRange{b.getI64Type()},
                                           ValueRange{op.getPending()})
            .getResult(0);
    calls.call(b, "wait", {ticket});
    return success();
  }

  //===--- Handles
  //----------------------------------------------------------===//

  /// `pointer` as a value of `type`: a buffer of static shape, or a handle.
  static Value viewAs(ImplicitLocOpBuilder &b, Value pointer, Type type) {
    Value value = pointer;
    if (auto buffer = dyn_cast<MemRefType>(type)) {
      LLVMTypeConverter converter(b.getContext());
      value = MemRefDescriptor::fromStaticShape(b, b.getLoc(), converter,
                                                buffer, pointer);
    }
    return UnrealizedConversionCastOp::create(b, TypeRange{type},
                                              ValueRange{value})
        .getResult(0);
  }

  LogicalResult convertHandle(ImplicitLocOpBuilder &b, UseWeightOp op) {
    NamedAttrList entries;
    auto symbol =
        SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, op.getWeightAttr());
    Type used = op.getResult().getType();
    bool isExperts = isa<WeightsType>(symbol.getType());
    entries.set("kind", b.getStringAttr(isExperts ? "experts" : "tensor"));
    entries.set("weight", op.getWeightAttr());
    if (isExperts && op.getPlacementAttr()) {
      entries.set("placement", op.getPlacementAttr());
    }
    if (op.getShardingAttr()) {
      entries.set("sharding", op.getShardingAttr());
    }
    if (!isExperts && isa<WeightsType>(used)) {
      entries.set("packed", b.getUnitAttr());
    }
    entries.set("type", TypeAttr::get(used));
    Value pointer = calls.handle(b, entries.getDictionary(b.getContext()));
    op.replaceAllUsesWith(viewAs(b, pointer, used));
    return success();
  }

  LogicalResult convertHandle(ImplicitLocOpBuilder &b, UsePlacementOp op) {
    NamedAttrList entries;
    entries.set("kind", b.getStringAttr("placement"));
    if (op.getPlacementAttr()) {
      entries.set("placement", op.getPlacementAttr());
    }
    entries.set("type", TypeAttr::get(op.getResult().getType()));
    Value pointer = calls.handle(b, entries.getDictionary(b.getContext()));
    op.replaceAllUsesWith(viewAs(b, pointer, op.getResult().getType()));
    return success();
  }

  LogicalResult convertHandle(ImplicitLocOpBuilder &b, PlacementTableOp op) {
    auto pointerType = LLVM::LLVMPointerType::get(b.getContext());
    Value pointer =
        UnrealizedConversionCastOp::create(b, TypeRange{pointerType},
                                           ValueRange{op.getPlacement()})
            .getResult(0);
    op.replaceAllUsesWith(viewAs(b, pointer, op.getTable().getType()));
    return success();
  }

  ModuleOp module;
  RuntimeCalls &calls;
};
} // namespace

LogicalResult mlir::moe::convertToRuntimeCalls(ModuleOp module,
                                               RuntimeCalls &calls) {
  return RuntimeConversion(module, calls).run();
}
