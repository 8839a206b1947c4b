// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops around the register tile:
//
//   for each group with rows
//     for each chunk of its row tiles              rows stay in L2
//       for each panel
//         for each weight table
//           for each block of the panel's rows     the block stays in L1
//             for each row tile of the chunk       sums stay in registers
//         epilogue and store

#include "moe/Target/CPU/GroupedMatmul.h"

#include "Epilogue.h"
#include "moe/Target/CPU/PackedLayout.h"
#include "moe/Target/CPU/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::moe;

/// Bytes of rows that are reused from panel to panel: a part of L2 (512 KiB at
/// least on anything with AVX2).
static constexpr int64_t chunkBytes = 256 * 1024;

/// Panel rows of 128 bytes that are reused from row tile to row tile: a quarter
/// of the smallest L1, which also holds the rows' elements and what is fetched
/// ahead.
static constexpr int64_t blockRows = 64;

PackedLayout mlir::moe::groupedMatmulLayout(const GroupedMatmulSpec &spec) {
  return {spec.k, spec.n,
          spec.inputType.isBF16() ? PackedType::bf16 : PackedType::f32};
}

static int64_t bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

namespace {

class GroupedMatmulBuilder {
public:
  GroupedMatmulBuilder(func::FuncOp function, const GroupedMatmulSpec &spec,
                       Block *epilogue, const CPUTarget &target)
      : b(function.getLoc(), function.getContext()), function(function),
        spec(spec), epilogue(epilogue), lanes(target.vectorLanes),
        layout(groupedMatmulLayout(spec)),
        tile(RegisterTile::create(spec.k, spec.inputType, target)),
        tileFunction(
            getOrBuildTileFunction(function->getParentOfType<ModuleOp>(),
                                   spec.k, spec.inputType, *tile)),
        chunkTiles(std::max<int64_t>(
            4, chunkBytes /
                   (spec.k * bytesOf(tile->rowType()) * tile->maxRows()))) {}

  void build();

private:
  /// The rows of one group, cut into tiles of nearly equal height: `extra`
  /// tiles of `height` + 1 rows, then tiles of `height` rows.
  struct RowTiles {
    Value firstRow;
    Value count;
    Value height;
    Value extra;
  };
  /// Tiles [begin, end) of a group, and their rows in `out`.
  struct Chunk {
    Value begin;
    Value end;
    Value firstRow;
    Value rowCount;
  };

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value argument(int64_t i) { return function.getArgument(i); }
  Value rows() { return argument(0); }
  Value table(int64_t i) { return argument(1 + i); }
  Value offsets() { return argument(1 + spec.weights); }
  Value out() { return argument(2 + spec.weights); }
  Value firstPanel() { return argument(3 + spec.weights); }
  Value endPanel() { return argument(4 + spec.weights); }

  void forLoop(Value begin, Value end, int64_t step,
               llvm::function_ref<void(Value)> body);
  Value loadOffset(Value group);
  Value loadMatrix(Value table, Value group);
  Value panelPointer(Value matrix, Value panel);
  RowTiles cutRows(Value firstRow, Value rowCount);
  Value firstRowOf(const RowTiles &tiles, Value tileIndex);
  void emitGroup(Value group);
  void emitChunk(const RowTiles &tiles, const Chunk &chunk,
                 ArrayRef<Value> matrices);
  void emitSums(const RowTiles &tiles, const Chunk &chunk, Value panelAddress,
                Value sums);
  void emitEpilogue(const Chunk &chunk, Value panel);
  void widenRows(const Chunk &chunk);
  void clearSums(const Chunk &chunk, Value sums);
  void store(Value vector, Value row, Value column);
  bool widens() const { return tile->rowType() != spec.inputType; }

  ImplicitLocOpBuilder b;
  func::FuncOp function;
  const GroupedMatmulSpec &spec;
  Block *epilogue;
  int64_t lanes;
  PackedLayout layout;
  std::unique_ptr<RegisterTile> tile;
  func::FuncOp tileFunction;
  /// Tiles of one chunk.
  int64_t chunkTiles;
  /// The chunk's rows where the tile wants them widened, and for each weight
  /// table the chunk's sums.
  Value widenedRows;
  SmallVector<Value> sums;
};

} // namespace

void GroupedMatmulBuilder::forLoop(Value begin, Value end, int64_t step,
                                   llvm::function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, begin, end, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

Value GroupedMatmulBuilder::loadOffset(Value group) {
  Value offset = memref::LoadOp::create(b, offsets(), group);
  return arith::IndexCastOp::create(b, b.getIndexType(), offset);
}

/// The address of `group`'s packed matrix.
Value GroupedMatmulBuilder::loadMatrix(Value table, Value group) {
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value slot = arith::IndexCastOp::create(b, b.getI64Type(), group);
  Value entry = LLVM::GEPOp::create(b, pointer, pointer, table,
                                    ArrayRef<LLVM::GEPArg>{slot});
  return LLVM::LoadOp::create(b, pointer, entry);
}

Value GroupedMatmulBuilder::panelPointer(Value matrix, Value panel) {
  Value offset = arith::IndexCastOp::create(
      b, b.getI64Type(),
      arith::MulIOp::create(b, panel, index(layout.panelBytes())));
  return LLVM::GEPOp::create(b, matrix.getType(), b.getI8Type(), matrix,
                             ArrayRef<LLVM::GEPArg>{offset});
}

GroupedMatmulBuilder::RowTiles GroupedMatmulBuilder::cutRows(Value firstRow,
                                                             Value rowCount) {
  Value count = arith::CeilDivUIOp::create(b, rowCount, index(tile->maxRows()));
  return {firstRow, count, arith::DivUIOp::create(b, rowCount, count),
          arith::RemUIOp::create(b, rowCount, count)};
}

/// The first row of a tile; for the count of tiles, the end of the group.
Value GroupedMatmulBuilder::firstRowOf(const RowTiles &tiles, Value tileIndex) {
  Value taller = arith::MinUIOp::create(b, tileIndex, tiles.extra);
  Value start = arith::AddIOp::create(
      b, arith::MulIOp::create(b, tileIndex, tiles.height), taller);
  return arith::AddIOp::create(b, tiles.firstRow, start);
}

/// out[row, column …] = vector, as far as there are columns.
void GroupedMatmulBuilder::store(Value vector, Value row, Value column) {
  if (spec.n % PackedLayout::panelColumns == 0) {
    vector::StoreOp::create(b, vector, out(), ValueRange{row, column});
    return;
  }
  Value end = arith::AddIOp::create(b, column, index(lanes));
  Value fits =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ule, end, index(spec.n));
  auto branch = scf::IfOp::create(b, fits, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  vector::StoreOp::create(b, vector, out(), ValueRange{row, column});
  b.setInsertionPointToStart(branch.elseBlock());
  // The cut end of a row, in the last panel only: one element at a time.
  forLoop(column, index(spec.n), 1, [&](Value at) {
    Value lane = arith::SubIOp::create(b, at, column);
    Value element =
        vector::ExtractOp::create(b, vector, ArrayRef<OpFoldResult>{lane});
    memref::StoreOp::create(b, element, out(), ValueRange{row, at});
  });
}

/// Turns the chunk's sums into output.
void GroupedMatmulBuilder::emitEpilogue(const Chunk &chunk, Value panel) {
  auto vectorType = VectorType::get({lanes}, b.getF32Type());
  Value firstColumn =
      arith::MulIOp::create(b, panel, index(PackedLayout::panelColumns));
  forLoop(index(0), chunk.rowCount, 1, [&](Value row) {
    Value outRow = arith::AddIOp::create(b, chunk.firstRow, row);
    forLoop(
        index(0), index(PackedLayout::panelColumns), lanes, [&](Value column) {
          SmallVector<Value> vectors;
          for (Value table : sums) {
            vectors.push_back(vector::LoadOp::create(b, vectorType, table,
                                                     ValueRange{row, column}));
          }
          Value result = applyEpilogue(b, epilogue, vectors, spec.outputType);
          store(result, outRow, arith::AddIOp::create(b, firstColumn, column));
        });
  });
}

/// Copies the chunk's rows to `widenedRows`, as f32.
void GroupedMatmulBuilder::widenRows(const Chunk &chunk) {
  int64_t whole = spec.k / lanes * lanes;
  auto narrow = VectorType::get({lanes}, spec.inputType);
  auto wide = VectorType::get({lanes}, tile->rowType());
  forLoop(index(0), chunk.rowCount, 1, [&](Value row) {
    Value from = arith::AddIOp::create(b, chunk.firstRow, row);
    forLoop(index(0), index(whole), lanes, [&](Value k) {
      Value part =
          vector::LoadOp::create(b, narrow, rows(), ValueRange{from, k});
      vector::StoreOp::create(b, arith::ExtFOp::create(b, wide, part),
                              widenedRows, ValueRange{row, k});
    });
    forLoop(index(whole), index(spec.k), 1, [&](Value k) {
      Value element = memref::LoadOp::create(b, rows(), ValueRange{from, k});
      memref::StoreOp::create(
          b, arith::ExtFOp::create(b, tile->rowType(), element), widenedRows,
          ValueRange{row, k});
    });
  });
}

void GroupedMatmulBuilder::clearSums(const Chunk &chunk, Value sums) {
  auto vectorType = VectorType::get({lanes}, b.getF32Type());
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(vectorType));
  forLoop(index(0), chunk.rowCount, 1, [&](Value row) {
    for (int64_t column = 0; column < PackedLayout::panelColumns;
         column += lanes) {
      vector::StoreOp::create(b, zero, sums, ValueRange{row, index(column)});
    }
  });
}

/// sums = the chunk's rows · one panel of one weight table.
void GroupedMatmulBuilder::emitSums(const RowTiles &tiles, const Chunk &chunk,
                                    Value panelAddress, Value sums) {
  clearSums(chunk, sums);
  // A single tile reads the panel once, so there is nothing to keep in L1.
  Value panelRows = index(layout.panelRows());
  Value single = arith::CmpIOp::create(
      b, arith::CmpIPredicate::eq,
      arith::SubIOp::create(b, chunk.end, chunk.begin), index(1));
  Value step = arith::SelectOp::create(b, single, panelRows, index(blockRows));
  auto blocks = scf::ForOp::create(b, index(0), panelRows, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(blocks.getBody());
  Value begin = blocks.getInductionVar();
  Value end = arith::MinUIOp::create(b, arith::AddIOp::create(b, begin, step),
                                     panelRows);
  forLoop(chunk.begin, chunk.end, 1, [&](Value tileIndex) {
    Value firstRow = firstRowOf(tiles, tileIndex);
    Value next = arith::AddIOp::create(b, tileIndex, index(1));
    Value height = arith::SubIOp::create(b, firstRowOf(tiles, next), firstRow);
    Value firstSum = arith::SubIOp::create(b, firstRow, chunk.firstRow);
    func::CallOp::create(b, tileFunction,
                         ValueRange{height, widens() ? widenedRows : rows(),
                                    widens() ? firstSum : firstRow,
                                    panelAddress, sums, firstSum, begin, end});
  });
}

void GroupedMatmulBuilder::emitChunk(const RowTiles &tiles, const Chunk &chunk,
                                     ArrayRef<Value> matrices) {
  if (widens()) {
    widenRows(chunk);
  }
  forLoop(firstPanel(), endPanel(), 1, [&](Value panel) {
    // One weight table after the other has all registers: tables side by side
    // would halve the tile of each.
    for (auto [matrix, table] : llvm::zip_equal(matrices, sums)) {
      emitSums(tiles, chunk, panelPointer(matrix, panel), table);
    }
    emitEpilogue(chunk, panel);
  });
}

void GroupedMatmulBuilder::emitGroup(Value group) {
  Value first = loadOffset(group);
  Value end = loadOffset(arith::AddIOp::create(b, group, index(1)));
  Value rowCount = arith::SubIOp::create(b, end, first);
  Value hasRows =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sgt, rowCount, index(0));
  auto guarded = scf::IfOp::create(b, hasRows);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(guarded.thenBlock());

  SmallVector<Value> matrices;
  for (int64_t i = 0; i < spec.weights; ++i) {
    matrices.push_back(loadMatrix(table(i), group));
  }
  RowTiles tiles = cutRows(first, rowCount);
  forLoop(index(0), tiles.count, chunkTiles, [&](Value begin) {
    Chunk chunk;
    chunk.begin = begin;
    chunk.end = arith::MinUIOp::create(
        b, arith::AddIOp::create(b, begin, index(chunkTiles)), tiles.count);
    chunk.firstRow = firstRowOf(tiles, chunk.begin);
    chunk.rowCount =
        arith::SubIOp::create(b, firstRowOf(tiles, chunk.end), chunk.firstRow);
    emitChunk(tiles, chunk, matrices);
  });
}

void GroupedMatmulBuilder::build() {
  b.setInsertionPointToStart(function.addEntryBlock());
  int64_t chunkRows = chunkTiles * tile->maxRows();
  IntegerAttr alignment = b.getI64IntegerAttr(PackedLayout::alignment);
  auto sumsType =
      MemRefType::get({chunkRows, PackedLayout::panelColumns}, b.getF32Type());
  auto callType = MemRefType::get(
      {ShapedType::kDynamic, PackedLayout::panelColumns}, b.getF32Type());
  for (int64_t i = 0; i < spec.weights; ++i) {
    Value buffer = memref::AllocaOp::create(b, sumsType, alignment);
    sums.push_back(memref::CastOp::create(b, callType, buffer));
  }
  if (widens()) {
    auto type =
        MemRefType::get({ShapedType::kDynamic, spec.k}, tile->rowType());
    widenedRows = memref::AllocOp::create(b, type, ValueRange{index(chunkRows)},
                                          alignment);
  }
  Value extent = memref::DimOp::create(b, offsets(), 0);
  Value groups = arith::SubIOp::create(b, extent, index(1));
  forLoop(index(0), groups, 1, [&](Value group) { emitGroup(group); });
  if (widens()) {
    memref::DeallocOp::create(b, widenedRows);
  }
  func::ReturnOp::create(b);
}

static FunctionType functionType(const GroupedMatmulSpec &spec) {
  MLIRContext *context = spec.inputType.getContext();
  constexpr int64_t dynamic = ShapedType::kDynamic;
  auto index = IndexType::get(context);
  SmallVector<Type> inputs = {
      MemRefType::get({dynamic, spec.k}, spec.inputType)};
  inputs.append(spec.weights, LLVM::LLVMPointerType::get(context));
  inputs.push_back(MemRefType::get({dynamic}, IntegerType::get(context, 32)));
  inputs.push_back(MemRefType::get({dynamic, spec.n}, spec.outputType));
  inputs.append(2, index);
  return FunctionType::get(context, inputs, {});
}

func::FuncOp mlir::moe::buildGroupedMatmul(ModuleOp module, StringRef name,
                                           const GroupedMatmulSpec &spec,
                                           Block *epilogue,
                                           const CPUTarget &target) {
  assert((epilogue || spec.weights == 1) && "several sums need an epilogue");
  if (epilogue && failed(verifyEpilogue(*epilogue, spec))) {
    return nullptr;
  }
  Location loc = epilogue ? epilogue->getParentOp()->getLoc() : module.getLoc();
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto function = func::FuncOp::create(builder, loc, name, functionType(spec));
  function.setPrivate();
  // Seen by nothing but its callers, it may be inlined and specialised.
  function->setAttr(
      "llvm.linkage",
      LLVM::LinkageAttr::get(module.getContext(), LLVM::Linkage::Internal));
  GroupedMatmulBuilder(function, spec, epilogue, target).build();
  return function;
}
