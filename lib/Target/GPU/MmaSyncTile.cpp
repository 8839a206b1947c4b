// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bf16 by mma.sync m16n8k16, which chips from sm_80 on have.
//
// Lane l of a warp holds of a 16 × 8 result rows l / 4 and l / 4 + 8, columns
// 2 (l mod 4) and the next: sums 0, 1 and 2, 3 (PTX ISA, "Matrix fragments for
// mma.m16n8k16"). ldmatrix gives the operands in that form: of the rows by 16 ×
// 16, of the columns, which lie in shared memory by column, two neighbouring 8
// × 16.

#include "BlockTile.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace mlir::moe;

static constexpr int64_t mmaRows = 16;
static constexpr int64_t mmaColumns = 8;
/// Columns that one ldmatrix brings.
static constexpr int64_t loadColumns = 2 * mmaColumns;
/// Steps of 16 in k in a stage of 32.
static constexpr int64_t steps = 2;
static constexpr int64_t sumsPerMma = 4;

namespace {

class MmaSyncTile : public BlockTile {
public:
  MmaSyncTile(const TileShape &shape, int64_t warpsDown)
      : BlockTile(shape), warpsAcross(warps / warpsDown),
        warpRows(shape.rows / warpsDown),
        warpColumns(shape.columns / warpsAcross) {
    assert(warpRows % mmaRows == 0 && warpColumns % loadColumns == 0 &&
           "a warp loads whole fragments");
  }

  int64_t sumsPerThread() const override {
    return shape.weights * tilesDown() * tilesAcross() * sumsPerMma;
  }

  void prepare(DeviceMath &m, Value thread) override;
  SmallVector<Value> multiply(DeviceMath &m, Value stage,
                              ValueRange sums) override;
  SmallVector<TileRun> runs() const override;

private:
  int64_t tilesDown() const { return warpRows / mmaRows; }
  int64_t tilesAcross() const { return warpColumns / mmaColumns; }
  /// Number of the first sum of a 16 × 8 result.
  int64_t firstSum(int64_t weight, int64_t down, int64_t across) const {
    return ((weight * tilesDown() + down) * tilesAcross() + across) *
           sumsPerMma;
  }

  int64_t warpsAcross;
  /// What a warp computes, of each product.
  int64_t warpRows;
  int64_t warpColumns;
  /// Byte offsets in a stage that this lane gives to ldmatrix, by step.
  SmallVector<Value> rowOffsets;
  SmallVector<Value> columnOffsets;
};

} // namespace

void MmaSyncTile::prepare(DeviceMath &m, Value thread) {
  Value warp = m.div(thread, 32);
  Value lane = m.rem(thread, 32);
  Value warpRow = m.mul(m.div(warp, warpsAcross), warpRows);
  Value warpColumn = m.mul(m.rem(warp, warpsAcross), warpColumns);

  Value row = m.add(warpRow, m.rem(lane, 16));
  Value rowChunk = m.div(lane, 16);
  Value column =
      m.add(warpColumn, m.add(m.rem(lane, 8), m.mul(m.div(lane, 16), 8)));
  Value columnChunk = m.rem(m.div(lane, 8), 2);
  Value rowOffset = SharedRows::offset(m, row, rowChunk);
  Value columnOffset = m.add(SharedRows::offset(m, column, columnChunk),
                             shape.rows * SharedRows::rowBytes);
  for (int64_t step = 0; step < steps; ++step) {
    Value chunks = m.i32(2 * step * SharedRows::chunkBytes);
    rowOffsets.push_back(m.bitXor(rowOffset, chunks));
    columnOffsets.push_back(m.bitXor(columnOffset, chunks));
  }
  firstRow = m.add(warpRow, m.div(lane, 4));
  firstColumn = m.add(warpColumn, m.mul(m.rem(lane, 4), 2));
}

/// Four 8 × 8 matrices of bf16, a register each.
static SmallVector<Value> loadMatrices(DeviceMath &m, Value address) {
  Type i32 = m.b.getI32Type();
  auto type = LLVM::LLVMStructType::getLiteral(m.b.getContext(),
                                               SmallVector<Type>(4, i32));
  auto shape = NVVM::LdStMatrixShapeAttr::get(m.b.getContext(), 8, 8);
  Value loaded =
      NVVM::LdMatrixOp::create(m.b, type, address, 4, NVVM::MMALayout::row,
                               shape, NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> parts;
  for (int64_t i = 0; i < 4; ++i) {
    parts.push_back(LLVM::ExtractValueOp::create(m.b, loaded, i));
  }
  return parts;
}

static void multiplyFragments(DeviceMath &m, ValueRange rows,
                              ValueRange columns, MutableArrayRef<Value> sums) {
  Type f32 = m.b.getF32Type();
  auto type = LLVM::LLVMStructType::getLiteral(
      m.b.getContext(), SmallVector<Type>(sumsPerMma, f32));
  Value result = NVVM::MmaOp::create(
      m.b, type, rows, columns, ValueRange(ArrayRef<Value>(sums)),
      ArrayRef<int64_t>{16, 8, 16}, std::nullopt, std::nullopt,
      std::array<NVVM::MMATypes, 2>{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  for (int64_t i = 0; i < sumsPerMma; ++i) {
    sums[i] = LLVM::ExtractValueOp::create(m.b, result, i);
  }
}

SmallVector<Value> MmaSyncTile::multiply(DeviceMath &m, Value stage,
                                         ValueRange sums) {
  SmallVector<Value> results(sums);
  int64_t matrixBytes = shape.columns * SharedRows::rowBytes;
  for (int64_t step = 0; step < steps; ++step) {
    Value rowAddress = m.beyond(stage, rowOffsets[step]);
    Value columnAddress = m.beyond(stage, columnOffsets[step]);
    SmallVector<SmallVector<Value>> rows;
    for (int64_t down = 0; down < tilesDown(); ++down) {
      rows.push_back(loadMatrices(
          m, m.beyond(rowAddress, down * mmaRows * SharedRows::rowBytes)));
    }
    for (int64_t weight = 0; weight < shape.weights; ++weight) {
      for (int64_t across = 0; across < tilesAcross(); across += 2) {
        SmallVector<Value> columns = loadMatrices(
            m, m.beyond(columnAddress,
                        weight * matrixBytes +
                            across * mmaColumns * SharedRows::rowBytes));
        for (int64_t down = 0; down < tilesDown(); ++down) {
          for (int64_t half = 0; half < 2; ++half) {
            MutableArrayRef<Value> tile = MutableArrayRef<Value>(results).slice(
                firstSum(weight, down, across + half), sumsPerMma);
            multiplyFragments(m, rows[down],
                              ArrayRef(columns).slice(2 * half, 2), tile);
          }
        }
      }
    }
  }
  return results;
}

SmallVector<TileRun> MmaSyncTile::runs() const {
  SmallVector<TileRun> runs;
  for (int64_t down = 0; down < tilesDown(); ++down) {
    for (int64_t half = 0; half < 2; ++half) {
      for (int64_t across = 0; across < tilesAcross(); ++across) {
        TileRun run;
        run.row = down * mmaRows + half * 8;
        run.column = across * mmaColumns;
        for (int64_t weight = 0; weight < shape.weights; ++weight) {
          int64_t first = firstSum(weight, down, across) + 2 * half;
          run.sums.push_back({first, first + 1});
        }
        runs.push_back(std::move(run));
      }
    }
  }
  return runs;
}

/// Tiles are as high as a group is expected to be, as far as registers allow;
/// more than one matrix shares the columns out.
std::unique_ptr<BlockTile>
mlir::moe::createMmaSyncTile(const GPUMatmulSpec &spec) {
  TileShape shape;
  shape.weights = spec.weights;
  int64_t warpsDown = 2;
  shape.rows = 128;
  shape.stages = 4;
  if (spec.rowsPerGroup > 0 && spec.rowsPerGroup <= 16) {
    shape.rows = 16;
    shape.stages = 6;
    warpsDown = 1;
  } else if (spec.rowsPerGroup > 0 && spec.rowsPerGroup <= 64) {
    shape.rows = 64;
  }
  int64_t least = BlockTile::warps / warpsDown * loadColumns;
  shape.columns = 128;
  while (shape.columns > least &&
         (shape.columns * spec.weights > 128 || shape.columns / 2 >= spec.n)) {
    shape.columns /= 2;
  }
  return std::make_unique<MmaSyncTile>(shape, warpsDown);
}
