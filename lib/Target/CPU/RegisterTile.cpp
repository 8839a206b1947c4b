// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The register tile on plain vectors: for each step along k, one load of the
// panel's columns, and for each row one element, broadcast, times those
// columns. The instruction sets differ in one function, `accumulate`.

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

static PackedLayout columnLayout(int64_t k, Type inputType) {
  return {k, panelColumns,
          inputType.isBF16() ? PackedType::bf16 : PackedType::f32};
}

MemRefType mlir::moe::panelType(int64_t k, Type inputType) {
  Type cell = inputType;
  if (inputType.isBF16()) {
    cell = IntegerType::get(inputType.getContext(), 32);
  }
  return MemRefType::get({columnLayout(k, inputType).panelRows(), panelColumns},
                         cell);
}

MemRefType mlir::moe::sumsType(const RegisterTile &tile, MLIRContext *context) {
  return MemRefType::get({tile.maxRows(), panelColumns},
                         Float32Type::get(context));
}

namespace {

/// How operands become products.
enum class Product {
  /// f32 operands.
  F32,
  /// bf16 pairs, each element widened to f32, the even one first.
  WidenedBF16,
  /// bf16 pairs, by AVX-512's dot product.
  DotBF16,
};

class VectorTile : public RegisterTile {
public:
  VectorTile(int64_t k, Type inputType, const CPUTarget &target);

  int64_t maxRows() const override { return tileRows; }
  void emit(ImplicitLocOpBuilder &b, const TileOperands &operands,
            int64_t rows) const override;

private:
  /// The part of a tile whose sums fit in registers at once.
  struct Block {
    int64_t rows;
    int64_t firstColumn;
    int64_t columns;
  };

  int64_t columnsInRegisters(int64_t rows) const;
  SmallVector<Value> emitBlock(ImplicitLocOpBuilder &b,
                               const TileOperands &operands,
                               const Block &block) const;
  void prefetch(ImplicitLocOpBuilder &b, const TileOperands &operands,
                Value panelRow) const;
  SmallVector<Value> emitStep(ImplicitLocOpBuilder &b,
                              const TileOperands &operands, const Block &block,
                              Value panelRow, ValueRange sums) const;
  SmallVector<Value> emitOddStep(ImplicitLocOpBuilder &b,
                                 const TileOperands &operands,
                                 const Block &block, ValueRange sums) const;
  SmallVector<Value> loadColumns(ImplicitLocOpBuilder &b,
                                 const TileOperands &operands,
                                 const Block &block, Value panelRow) const;
  Value accumulate(ImplicitLocOpBuilder &b, Value row, Value columns,
                   Value sum) const;
  Value multiplyAdd(ImplicitLocOpBuilder &b, Value x, Value y, Value sum) const;
  Value broadcast(ImplicitLocOpBuilder &b, Value cell) const;

  PackedLayout layout;
  Product product;
  int64_t lanes;
  bool hasFMA;
  int64_t sumRegisters;
  int64_t tileRows;
  VectorType sumType;
  VectorType cellType;
};

} // namespace

VectorTile::VectorTile(int64_t k, Type inputType, const CPUTarget &target)
    : layout(columnLayout(k, inputType)), lanes(target.vectorLanes),
      hasFMA(target.hasFMA) {
  // What is left holds the panel's columns and the broadcast elements. Sums in
  // 12 and 24 registers hide the latency of two multiply-adds a cycle (8
  // chains) and load less than one operand for each.
  bool wide = target.vectorRegisters >= 32;
  sumRegisters = wide ? 24 : 12;
  tileRows = wide ? 12 : 6;
  if (!inputType.isBF16()) {
    product = Product::F32;
  } else {
    product = target.hasBF16Dot ? Product::DotBF16 : Product::WidenedBF16;
  }
  sumType = VectorType::get({lanes}, Float32Type::get(inputType.getContext()));
  cellType = VectorType::get({lanes}, panelType(k, inputType).getElementType());
}

/// The most columns whose sums fit; a divisor of the panel.
int64_t VectorTile::columnsInRegisters(int64_t rows) const {
  int64_t columns = panelColumns;
  while (columns > lanes && rows * columns > sumRegisters * lanes) {
    columns /= 2;
  }
  return columns;
}

void VectorTile::emit(ImplicitLocOpBuilder &b, const TileOperands &operands,
                      int64_t rows) const {
  int64_t columns = columnsInRegisters(rows);
  int64_t vectors = columns / lanes;
  for (int64_t first = 0; first < panelColumns; first += columns) {
    SmallVector<Value> sums = emitBlock(b, operands, {rows, first, columns});
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value row = arith::ConstantIndexOp::create(b, i / vectors);
      Value column =
          arith::ConstantIndexOp::create(b, first + i % vectors * lanes);
      vector::StoreOp::create(b, sum, operands.sums, ValueRange{row, column});
    }
  }
}

/// All of k for one block: sums[row · vectors + vector].
SmallVector<Value> VectorTile::emitBlock(ImplicitLocOpBuilder &b,
                                         const TileOperands &operands,
                                         const Block &block) const {
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(sumType));
  SmallVector<Value> sums(block.rows * block.columns / lanes, zero);
  Value begin = arith::ConstantIndexOp::create(b, 0);
  Value end = arith::ConstantIndexOp::create(b, layout.k / layout.depth());
  Value step = arith::ConstantIndexOp::create(b, 1);
  auto loop = scf::ForOp::create(
      b, begin, end, step, sums,
      [&](OpBuilder &body, Location loc, Value panelRow, ValueRange carried) {
        ImplicitLocOpBuilder inner(loc, body);
        // The first block of columns fetches for all of them.
        if (block.firstColumn == 0) {
          prefetch(inner, operands, panelRow);
        }
        scf::YieldOp::create(
            inner, emitStep(inner, operands, block, panelRow, carried));
      });
  if (layout.k % layout.depth() == 0) {
    return loop.getResults();
  }
  return emitOddStep(b, operands, block, loop.getResults());
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
                                           const Block &block,
                                           Value panelRow) const {
  SmallVector<Value> columns;
  for (int64_t column = 0; column < block.columns; column += lanes) {
    Value first = arith::ConstantIndexOp::create(b, block.firstColumn + column);
    columns.push_back(vector::LoadOp::create(b, cellType, operands.panel,
                                             ValueRange{panelRow, first}));
  }
  return columns;
}

/// The tile's row `row`, as an index into the rows.
static Value rowIndex(ImplicitLocOpBuilder &b, const TileOperands &operands,
                      int64_t row) {
  Value offset = arith::ConstantIndexOp::create(b, row);
  return arith::AddIOp::create(b, operands.firstRow, offset);
}

Value VectorTile::broadcast(ImplicitLocOpBuilder &b, Value cell) const {
  return vector::BroadcastOp::create(b, cellType, cell);
}

SmallVector<Value> VectorTile::emitStep(ImplicitLocOpBuilder &b,
                                        const TileOperands &operands,
                                        const Block &block, Value panelRow,
                                        ValueRange sums) const {
  SmallVector<Value> columns = loadColumns(b, operands, block, panelRow);
  SmallVector<Value> result;
  for (int64_t row = 0; row < block.rows; ++row) {
    Value r = rowIndex(b, operands, row);
    Value cell;
    if (product == Product::F32) {
      cell = memref::LoadOp::create(b, operands.rows, ValueRange{r, panelRow});
    } else {
      Value two = arith::ConstantIndexOp::create(b, 2);
      Value k = arith::MulIOp::create(b, panelRow, two);
      Value pair =
          vector::LoadOp::create(b, VectorType::get({2}, b.getBF16Type()),
                                 operands.rows, ValueRange{r, k});
      Value word = vector::BitCastOp::create(
          b, VectorType::get({1}, b.getI32Type()), pair);
      cell = vector::ExtractOp::create(b, word, 0);
    }
    Value element = broadcast(b, cell);
    for (Value column : columns) {
      result.push_back(accumulate(b, element, column, sums[result.size()]));
    }
  }
  return result;
}

/// The last element of an odd k: a pair with zero.
SmallVector<Value> VectorTile::emitOddStep(ImplicitLocOpBuilder &b,
                                           const TileOperands &operands,
                                           const Block &block,
                                           ValueRange sums) const {
  Value panelRow = arith::ConstantIndexOp::create(b, layout.panelRows() - 1);
  Value k = arith::ConstantIndexOp::create(b, layout.k - 1);
  SmallVector<Value> columns = loadColumns(b, operands, block, panelRow);
  SmallVector<Value> result;
  for (int64_t row = 0; row < block.rows; ++row) {
    Value element = memref::LoadOp::create(
        b, operands.rows, ValueRange{rowIndex(b, operands, row), k});
    Value half = arith::BitcastOp::create(b, b.getI16Type(), element);
    Value cell = arith::ExtUIOp::create(b, b.getI32Type(), half);
    Value pair = broadcast(b, cell);
    for (Value column : columns) {
      result.push_back(accumulate(b, pair, column, sums[result.size()]));
    }
  }
  return result;
}

Value VectorTile::multiplyAdd(ImplicitLocOpBuilder &b, Value x, Value y,
                              Value sum) const {
  if (hasFMA) {
    return math::FmaOp::create(b, x, y, sum);
  }
  return arith::AddFOp::create(b, sum, arith::MulFOp::create(b, x, y));
}

/// The even or odd elements of bf16 pairs, as f32.
static Value widen(ImplicitLocOpBuilder &b, Value pairs, bool odd,
                   VectorType type) {
  auto splat = [&](int32_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(cast<ShapedType>(pairs.getType()),
                                  b.getI32IntegerAttr(value)));
  };
  Value bits = odd ? Value(arith::AndIOp::create(b, pairs, splat(0xffff0000)))
                   : Value(arith::ShLIOp::create(b, pairs, splat(16)));
  return arith::BitcastOp::create(b, type, bits);
}

Value VectorTile::accumulate(ImplicitLocOpBuilder &b, Value row, Value columns,
                             Value sum) const {
  switch (product) {
  case Product::F32:
    return multiplyAdd(b, row, columns, sum);
  case Product::WidenedBF16:
    for (bool odd : {false, true}) {
      sum = multiplyAdd(b, widen(b, row, odd, sumType),
                        widen(b, columns, odd, sumType), sum);
    }
    return sum;
  case Product::DotBF16: {
    auto pairs = VectorType::get({2 * lanes}, b.getBF16Type());
    return x86vector::DotBF16Op::create(
        b, sumType, sum, vector::BitCastOp::create(b, pairs, row),
        vector::BitCastOp::create(b, pairs, columns));
  }
  }
  llvm_unreachable("unknown product");
}

std::unique_ptr<RegisterTile> RegisterTile::create(int64_t k, Type inputType,
                                                   const CPUTarget &target) {
  return std::make_unique<VectorTile>(k, inputType, target);
}
