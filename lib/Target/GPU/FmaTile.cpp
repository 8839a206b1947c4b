// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// f32 by fused multiply-adds, k ascending: the CPU's sums, bit for bit, where
// that fuses too. No tensor core keeps all bits of f32.
//
// Thread t has rows t / 8 + 16 i and columns t mod 8 + 8 j of the tile: threads
// that read together read rows that follow one another.

#include "BlockTile.h"

using namespace mlir;
using namespace mlir::moe;

static constexpr int64_t threadsAcross = 8;
static constexpr int64_t threadsDown = BlockTile::threads / threadsAcross;
/// A turn of copies.
static constexpr int64_t leastColumns = 32;
/// Elements of a chunk of 16 bytes.
static constexpr int64_t chunkElements = 4;

namespace {

class FmaTile : public BlockTile {
public:
  explicit FmaTile(const TileShape &shape) : BlockTile(shape) {}

  int64_t sumsPerThread() const override {
    return down() * shape.weights * across();
  }

  void prepare(DeviceMath &m, Value thread) override;
  SmallVector<Value> multiply(DeviceMath &m, Value stage,
                              ValueRange sums) override;
  SmallVector<TileRun> runs() const override;

private:
  /// Rows and, of each product, columns of a thread.
  int64_t down() const { return shape.rows / threadsDown; }
  int64_t across() const { return shape.columns / threadsAcross; }
  SmallVector<SmallVector<Value>> loadChunks(DeviceMath &m, Value first,
                                             int64_t count, int64_t stride);

  /// Byte offsets in a stage of the thread's first row and column, by chunk.
  SmallVector<Value> rowOffsets;
  SmallVector<Value> columnOffsets;
};

} // namespace

void FmaTile::prepare(DeviceMath &m, Value thread) {
  firstRow = m.div(thread, threadsAcross);
  firstColumn = m.rem(thread, threadsAcross);
  Value row = SharedRows::offset(m, firstRow, m.i32(0));
  Value column = m.add(SharedRows::offset(m, firstColumn, m.i32(0)),
                       shape.rows * SharedRows::rowBytes);
  for (int64_t chunk = 0; chunk < SharedRows::chunks; ++chunk) {
    Value turn = m.i32(chunk * SharedRows::chunkBytes);
    rowOffsets.push_back(m.bitXor(row, turn));
    columnOffsets.push_back(m.bitXor(column, turn));
  }
}

/// The elements of `count` chunks that are `stride` rows apart.
SmallVector<SmallVector<Value>>
FmaTile::loadChunks(DeviceMath &m, Value first, int64_t count, int64_t stride) {
  auto type = VectorType::get({chunkElements}, m.b.getF32Type());
  SmallVector<SmallVector<Value>> chunks;
  for (int64_t i = 0; i < count; ++i) {
    Value address = m.beyond(first, i * stride * SharedRows::rowBytes);
    Value loaded =
        LLVM::LoadOp::create(m.b, type, address, SharedRows::chunkBytes);
    SmallVector<Value> &elements = chunks.emplace_back();
    for (int64_t k = 0; k < chunkElements; ++k) {
      elements.push_back(LLVM::ExtractElementOp::create(m.b, loaded, m.i32(k)));
    }
  }
  return chunks;
}

SmallVector<Value> FmaTile::multiply(DeviceMath &m, Value stage,
                                     ValueRange sums) {
  SmallVector<Value> results(sums);
  for (int64_t chunk = 0; chunk < SharedRows::chunks; ++chunk) {
    SmallVector<SmallVector<Value>> rows =
        loadChunks(m, m.beyond(stage, rowOffsets[chunk]), down(), threadsDown);
    SmallVector<SmallVector<Value>> columns =
        loadChunks(m, m.beyond(stage, columnOffsets[chunk]),
                   shape.weights * across(), threadsAcross);
    for (int64_t k = 0; k < chunkElements; ++k) {
      for (auto [i, row] : llvm::enumerate(rows)) {
        for (auto [j, column] : llvm::enumerate(columns)) {
          Value &sum = results[i * columns.size() + j];
          sum = LLVM::FMAOp::create(m.b, row[k], column[k], sum);
        }
      }
    }
  }
  return results;
}

SmallVector<TileRun> FmaTile::runs() const {
  SmallVector<TileRun> runs;
  int64_t columns = shape.weights * across();
  for (int64_t i = 0; i < down(); ++i) {
    for (int64_t j = 0; j < across(); ++j) {
      TileRun run;
      run.row = i * threadsDown;
      run.column = j * threadsAcross;
      for (int64_t weight = 0; weight < shape.weights; ++weight) {
        run.sums.push_back({i * columns + weight * across() + j});
      }
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

std::unique_ptr<BlockTile> mlir::moe::createFmaTile(const GPUMatmulSpec &spec) {
  TileShape shape;
  shape.weights = spec.weights;
  shape.stages = 4;
  bool isLow = spec.rowsPerGroup > 0 && spec.rowsPerGroup <= threadsDown;
  shape.rows = isLow ? threadsDown : 4 * threadsDown;
  shape.columns = 64;
  while (shape.columns > leastColumns &&
         (shape.columns * spec.weights > 64 || shape.columns / 2 >= spec.n)) {
    shape.columns /= 2;
  }
  return std::make_unique<FmaTile>(shape);
}
