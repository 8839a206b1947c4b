// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The register tile on plain vectors: for each step along k, one load of the
// panel's columns, and for each row one element, broadcast, times those
// columns.

#include "moe/Target/CPU/RegisterTile.h"

#include "moe/Target/CPU/PackedLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;
using namespace mlir::moe;

static constexpr int64_t panelColumns = PackedLayout::panelColumns;

/// How far ahead of its use a panel is fetched, in panel rows of 128 bytes.
/// 6 KiB covers the latency of memory at the rate at which one row (m = 1)
/// consumes the panel; measured best between 32 and 64.
static constexpr int64_t prefetchDistance = 48;

RegisterTile::~RegisterTile() = default;

static PackedLayout panelLayout(int64_t k, Type inputType) {
  return {k, panelColumns,
          inputType.isBF16() ? PackedType::bf16 : PackedType::f32};
}

MemRefType mlir::moe::panelType(int64_t k, Type inputType) {
  Type cell = inputType;
  if (inputType.isBF16()) {
    cell = IntegerType::get(inputType.getContext(), 32);
  }
  return MemRefType::get({panelLayout(k, inputType).panelRows(), panelColumns},
                         cell);
}

namespace {

/// f32 lanes and registers that a tile may use.
struct Registers {
  int64_t lanes;
  /// Rows of the highest tile, and vectors of sums.
  int64_t rows;
  int64_t sums;
};

/// Loops and registers; the product itself is left to subclasses.
class VectorTile : public RegisterTile {
public:
  VectorTile(int64_t k, Type inputType, Registers registers);

  int64_t maxRows() const override { return registers.rows; }
  void emit(ImplicitLocOpBuilder &b, const TileOperands &operands,
            int64_t rows) const override;

protected:
  /// The part of a tile whose sums fit in registers at once.
  struct Block {
    int64_t rows;
    int64_t firstColumn;
    int64_t columns;
  };

  /// Adds one panel row's products to `sums`; only the first element of each
  /// cell where `half`.
  virtual SmallVector<Value> emitStep(ImplicitLocOpBuilder &b,
                                      const TileOperands &operands, Block block,
                                      Value panelRow, ValueRange sums,
                                      bool half) const = 0;

  SmallVector<Value> loadColumns(ImplicitLocOpBuilder &b,
                                 const TileOperands &operands, Block block,
                                 Value panelRow) const;
  Value rowIndex(ImplicitLocOpBuilder &b, Value first, int64_t row) const;

  PackedLayout layout;
  Registers registers;
  VectorType sumType;
  VectorType cellType;

private:
  int64_t columnsInRegisters(int64_t rows) const;
  void emitBlock(ImplicitLocOpBuilder &b, const TileOperands &operands,
                 Block block) const;
  SmallVector<Value> emitSteps(ImplicitLocOpBuilder &b,
                               const TileOperands &operands, Block block,
                               ValueRange sums) const;
  void prefetch(ImplicitLocOpBuilder &b, const TileOperands &operands,
                Value panelRow) const;
};

/// f32 products: of f32, or of bf16 that is widened, rows beforehand and the
/// panel in registers.
class F32Tile : public VectorTile {
public:
  F32Tile(int64_t k, Type inputType, Registers registers, bool hasFMA)
      : VectorTile(k, inputType, registers), hasFMA(hasFMA) {}

  Type rowType() const override { return sumType.getElementType(); }

protected:
  SmallVector<Value> emitStep(ImplicitLocOpBuilder &b,
                              const TileOperands &operands, Block block,
                              Value panelRow, ValueRange sums,
                              bool half) const override;

private:
  Value widen(ImplicitLocOpBuilder &b, Value cells, int64_t part) const;
  Value multiplyAdd(ImplicitLocOpBuilder &b, Value x, Value y, Value sum) const;

  bool hasFMA;
};

/// bf16 pairs, by AVX-512's dot product.
class DotTile : public VectorTile {
public:
  using VectorTile::VectorTile;

  Type rowType() const override {
    return BFloat16Type::get(sumType.getContext());
  }

protected:
  SmallVector<Value> emitStep(ImplicitLocOpBuilder &b,
                              const TileOperands &operands, Block block,
                              Value panelRow, ValueRange sums,
                              bool half) const override;

private:
  Value loadPair(ImplicitLocOpBuilder &b, const TileOperands &operands,
                 int64_t row, Value panelRow, bool half) const;
};

} // namespace

VectorTile::VectorTile(int64_t k, Type inputType, Registers registers)
    : layout(panelLayout(k, inputType)), registers(registers),
      sumType(VectorType::get({registers.lanes},
                              Float32Type::get(inputType.getContext()))),
      cellType(VectorType::get({registers.lanes},
                               panelType(k, inputType).getElementType())) {}

/// The most columns whose sums fit; a divisor of the panel.
int64_t VectorTile::columnsInRegisters(int64_t rows) const {
  int64_t columns = panelColumns;
  while (columns > registers.lanes &&
         rows * columns > registers.sums * registers.lanes) {
    columns /= 2;
  }
  return columns;
}

void VectorTile::emit(ImplicitLocOpBuilder &b, const TileOperands &operands,
                      int64_t rows) const {
  int64_t columns = columnsInRegisters(rows);
  for (int64_t first = 0; first < panelColumns; first += columns) {
    emitBlock(b, operands, {rows, first, columns});
  }
}

/// Loads the sums, adds, and stores them; in between they stay in registers.
void VectorTile::emitBlock(ImplicitLocOpBuilder &b,
                           const TileOperands &operands, Block block) const {
  SmallVector<SmallVector<Value>> places;
  for (int64_t row = 0; row < block.rows; ++row) {
    for (int64_t column = 0; column < block.columns;
         column += registers.lanes) {
      places.push_back(
          {rowIndex(b, operands.firstSum, row),
           arith::ConstantIndexOp::create(b, block.firstColumn + column)});
    }
  }
  SmallVector<Value> sums;
  for (ArrayRef<Value> place : places) {
    sums.push_back(vector::LoadOp::create(b, sumType, operands.sums, place));
  }
  sums = emitSteps(b, operands, block, sums);
  for (auto [sum, place] : llvm::zip_equal(sums, places)) {
    vector::StoreOp::create(b, sum, operands.sums, place);
  }
}

SmallVector<Value> VectorTile::emitSteps(ImplicitLocOpBuilder &b,
                                         const TileOperands &operands,
                                         Block block, ValueRange sums) const {
  int64_t wholeRows = layout.k / layout.depth();
  bool odd = wholeRows != layout.panelRows();
  Value last = arith::ConstantIndexOp::create(b, wholeRows);
  Value end =
      odd ? arith::MinUIOp::create(b, operands.end, last) : operands.end;
  Value one = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::ForOp::create(
      b, operands.begin, end, one, sums,
      [&](OpBuilder &body, Location loc, Value panelRow, ValueRange carried) {
        ImplicitLocOpBuilder inner(loc, body);
        // The first block of columns fetches for all of them.
        if (block.firstColumn == 0) {
          prefetch(inner, operands, panelRow);
        }
        scf::YieldOp::create(inner, emitStep(inner, operands, block, panelRow,
                                             carried, /*half=*/false));
      });
  if (!odd) {
    return loop.getResults();
  }
  Value hasOddRow =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, operands.end, last);
  auto branch = scf::IfOp::create(
      b, hasOddRow,
      [&](OpBuilder &then, Location loc) {
        ImplicitLocOpBuilder inner(loc, then);
        scf::YieldOp::create(inner, emitStep(inner, operands, block, last,
                                             loop.getResults(), /*half=*/true));
      },
      [&](OpBuilder &otherwise, Location loc) {
        scf::YieldOp::create(otherwise, loc, loop.getResults());
      });
  return branch.getResults();
}

void VectorTile::prefetch(ImplicitLocOpBuilder &b, const TileOperands &operands,
                          Value panelRow) const {
  Value distance = arith::ConstantIndexOp::create(b, prefetchDistance);
  // Past the panel's end lies the next panel, which is read next; past the
  // last panel the fetch is wasted, not wrong.
  Value ahead = arith::AddIOp::create(b, panelRow, distance);
  for (int64_t column = 0; column < panelColumns; column += 16) {
    Value first = arith::ConstantIndexOp::create(b, column);
    memref::PrefetchOp::create(b, operands.panel, ValueRange{ahead, first},
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }
}

SmallVector<Value> VectorTile::loadColumns(ImplicitLocOpBuilder &b,
                                           const TileOperands &operands,
                                           Block block, Value panelRow) const {
  SmallVector<Value> columns;
  for (int64_t column = 0; column < block.columns; column += registers.lanes) {
    Value first = arith::ConstantIndexOp::create(b, block.firstColumn + column);
    columns.push_back(vector::LoadOp::create(b, cellType, operands.panel,
                                             ValueRange{panelRow, first}));
  }
  return columns;
}

Value VectorTile::rowIndex(ImplicitLocOpBuilder &b, Value first,
                           int64_t row) const {
  return arith::AddIOp::create(b, first,
                               arith::ConstantIndexOp::create(b, row));
}

SmallVector<Value> F32Tile::emitStep(ImplicitLocOpBuilder &b,
                                     const TileOperands &operands, Block block,
                                     Value panelRow, ValueRange sums,
                                     bool half) const {
  SmallVector<Value> cells = loadColumns(b, operands, block, panelRow);
  SmallVector<Value> result(sums);
  Value depth = arith::ConstantIndexOp::create(b, layout.depth());
  Value firstK = arith::MulIOp::create(b, panelRow, depth);
  for (int64_t part = 0; part < (half ? 1 : layout.depth()); ++part) {
    Value k = rowIndex(b, firstK, part);
    SmallVector<Value> columns = llvm::map_to_vector(
        cells, [&](Value cell) { return widen(b, cell, part); });
    auto loadFactor = [&](int64_t row) -> Value {
      Value r = rowIndex(b, operands.firstRow, row);
      Value element =
          memref::LoadOp::create(b, operands.rows, ValueRange{r, k});
      return vector::BroadcastOp::create(b, sumType, element);
    };
    auto add = [&](int64_t row, int64_t i, Value factor) {
      Value &sum = result[row * columns.size() + i];
      sum = multiplyAdd(b, factor, columns[i], sum);
    };
    // The shorter side is held in registers, the longer one passes through.
    int64_t vectors = columns.size();
    if (block.rows < vectors) {
      SmallVector<Value> factors = llvm::map_to_vector(
          llvm::seq(block.rows), [&](int64_t row) { return loadFactor(row); });
      for (int64_t i = 0; i < vectors; ++i) {
        for (int64_t row = 0; row < block.rows; ++row) {
          add(row, i, factors[row]);
        }
      }
    } else {
      for (int64_t row = 0; row < block.rows; ++row) {
        Value factor = loadFactor(row);
        for (int64_t i = 0; i < vectors; ++i) {
          add(row, i, factor);
        }
      }
    }
  }
  return result;
}

/// The first or second elements of bf16 cells, as f32: bf16 is f32's upper
/// half.
Value F32Tile::widen(ImplicitLocOpBuilder &b, Value cells, int64_t part) const {
  if (layout.depth() == 1) {
    return cells;
  }
  auto splat = [&](int32_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(cast<ShapedType>(cells.getType()),
                                  b.getI32IntegerAttr(value)));
  };
  Value bits = part ? Value(arith::AndIOp::create(b, cells, splat(0xffff0000)))
                    : Value(arith::ShLIOp::create(b, cells, splat(16)));
  return arith::BitcastOp::create(b, sumType, bits);
}

Value F32Tile::multiplyAdd(ImplicitLocOpBuilder &b, Value x, Value y,
                           Value sum) const {
  if (hasFMA) {
    return math::FmaOp::create(b, x, y, sum);
  }
  return arith::AddFOp::create(b, sum, arith::MulFOp::create(b, x, y));
}

SmallVector<Value> DotTile::emitStep(ImplicitLocOpBuilder &b,
                                     const TileOperands &operands, Block block,
                                     Value panelRow, ValueRange sums,
                                     bool half) const {
  auto pairs = VectorType::get({2 * registers.lanes}, b.getBF16Type());
  SmallVector<Value> columns = llvm::map_to_vector(
      loadColumns(b, operands, block, panelRow), [&](Value cells) -> Value {
        return vector::BitCastOp::create(b, pairs, cells);
      });
  SmallVector<Value> result;
  for (int64_t row = 0; row < block.rows; ++row) {
    Value cells = vector::BroadcastOp::create(
        b, cellType, loadPair(b, operands, row, panelRow, half));
    Value factor = vector::BitCastOp::create(b, pairs, cells);
    for (Value column : columns) {
      result.push_back(x86vector::DotBF16Op::create(
          b, sumType, sums[result.size()], factor, column));
    }
  }
  return result;
}

/// Two neighbours of a row as one cell; the last element of an odd k with zero.
Value DotTile::loadPair(ImplicitLocOpBuilder &b, const TileOperands &operands,
                        int64_t row, Value panelRow, bool half) const {
  Value r = rowIndex(b, operands.firstRow, row);
  Value two = arith::ConstantIndexOp::create(b, 2);
  Value k = arith::MulIOp::create(b, panelRow, two);
  if (half) {
    Value element = memref::LoadOp::create(b, operands.rows, ValueRange{r, k});
    Value bits = arith::BitcastOp::create(b, b.getI16Type(), element);
    return arith::ExtUIOp::create(b, b.getI32Type(), bits);
  }
  Value pair = vector::LoadOp::create(b, VectorType::get({2}, b.getBF16Type()),
                                      operands.rows, ValueRange{r, k});
  Value word =
      vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), pair);
  return vector::ExtractOp::create(b, word, 0);
}

/// The registers that the sums leave hold the panel's columns and a broadcast
/// element. 12 and 24 vectors of sums hide the latency of two multiply-adds a
/// cycle (8 chains) and load less than one operand for each. Widening needs
/// three more registers, for the cells and a mask: of 16, one row's.
static Registers chooseRegisters(const CPUTarget &target, bool widens) {
  if (target.vectorRegisters >= 32) {
    return {target.vectorLanes, /*rows=*/12, /*sums=*/24};
  }
  return {target.vectorLanes, /*rows=*/widens ? 5 : 6,
          /*sums=*/widens ? 10 : 12};
}

std::unique_ptr<RegisterTile> RegisterTile::create(int64_t k, Type inputType,
                                                   const CPUTarget &target) {
  if (inputType.isBF16() && target.hasBF16Dot) {
    return std::make_unique<DotTile>(k, inputType,
                                     chooseRegisters(target, false));
  }
  return std::make_unique<F32Tile>(
      k, inputType, chooseRegisters(target, inputType.isBF16()), target.hasFMA);
}
