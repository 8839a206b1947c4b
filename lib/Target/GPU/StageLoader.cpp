// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "StageLoader.h"

#include "moe/Target/GPU/GPUPackedLayout.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::moe;

/// Rows that all threads of a block copy at a time.
static constexpr int64_t rowsAtOnce = BlockTile::threads / SharedRows::chunks;

static int64_t bytesOf(Type type) { return type.getIntOrFloatBitWidth() / 8; }

static GPUPackedLayout layoutOf(const GPUMatmulSpec &spec) {
  return {spec.k, spec.n,
          spec.inputType.isBF16() ? PackedType::bf16 : PackedType::f32};
}

StageLoader::StageLoader(const GPUMatmulSpec &spec, const TileShape &shape)
    : shape(shape), rowBytes(spec.k * bytesOf(spec.inputType)),
      packedBytes(layoutOf(spec).paddedK() * bytesOf(spec.inputType)),
      packedRows(layoutOf(spec).paddedN()),
      copyBytes(std::min(rowBytes & -rowBytes, SharedRows::chunkBytes)) {
  assert(shape.columns % rowsAtOnce == 0 && "threads copy whole turns");
}

bool StageLoader::canCopy(const GPUMatmulSpec &spec) {
  return spec.k * bytesOf(spec.inputType) % 4 == 0;
}

int64_t StageLoader::steps() const {
  return llvm::divideCeil(rowBytes, SharedRows::rowBytes);
}

void StageLoader::prepare(DeviceMath &m, Value thread) {
  row = m.div(thread, SharedRows::chunks);
  Value chunk = m.rem(thread, SharedRows::chunks);
  chunkBytes = m.mul(chunk, SharedRows::chunkBytes);
  target = SharedRows::offset(m, row, chunk);
}

void StageLoader::begin(DeviceMath &m, Value rows, ValueRange matrices,
                        const TilePlace &place) {
  rowSource = m.beyond(m.beyond(rows, m.add(place.firstRow, row), rowBytes),
                       chunkBytes);
  rowIsThere.clear();
  for (int64_t first = 0; first < shape.rows; first += rowsAtOnce) {
    rowIsThere.push_back(m.less(m.add(row, first), place.rowsLeft));
  }
  Value column = m.add(place.firstColumn, row);
  matrixSources.clear();
  for (Value matrix : matrices) {
    matrixSources.push_back(
        m.beyond(m.beyond(matrix, column, packedBytes), chunkBytes));
  }
  columnIsThere.clear();
  for (int64_t first = 0; first < shape.columns; first += rowsAtOnce) {
    bool always = packedRows % shape.columns == 0;
    columnIsThere.push_back(always ? Value()
                                   : m.less(m.add(column, first), packedRows));
  }
}

/// `sourceBytes`, null for all of them: what is read, the rest becomes zero.
void StageLoader::copyChunk(DeviceMath &m, Value to, Value from, int64_t bytes,
                            Value sourceBytes) {
  auto through = bytes == SharedRows::chunkBytes
                     ? NVVM::LoadCacheModifierKind::CG
                     : NVVM::LoadCacheModifierKind::CA;
  NVVM::CpAsyncOp::create(m.b, to, from, static_cast<uint32_t>(bytes), through,
                          sourceBytes);
}

void StageLoader::copyRows(DeviceMath &m, Value from, Value to,
                           Value stepBytes) {
  for (auto [turn, isThere] : llvm::enumerate(rowIsThere)) {
    int64_t first = turn * rowsAtOnce;
    for (int64_t at = 0; at < SharedRows::chunkBytes; at += copyBytes) {
      Value reads = isThere;
      if (rowBytes % SharedRows::rowBytes != 0) {
        Value end = m.add(m.add(stepBytes, chunkBytes), at);
        reads = arith::AndIOp::create(m.b, reads, m.less(end, rowBytes));
      }
      copyChunk(m, m.beyond(to, first * SharedRows::rowBytes + at),
                m.beyond(from, first * rowBytes + at), copyBytes,
                m.choose(reads, m.i32(copyBytes), m.i32(0)));
    }
  }
}

void StageLoader::copy(DeviceMath &m, Value step, Value stage) {
  Value stepBytes = m.mul(step, SharedRows::rowBytes);
  Value to = m.beyond(stage, target);
  Value from = m.beyond(rowSource, stepBytes);
  if (shape.rows < rowsAtOnce) {
    m.when(m.less(row, shape.rows), [&] { copyRows(m, from, to, stepBytes); });
  } else {
    copyRows(m, from, to, stepBytes);
  }
  for (auto [weight, source] : llvm::enumerate(matrixSources)) {
    int64_t firstRow = shape.rows + weight * shape.columns;
    Value matrixFrom = m.beyond(source, stepBytes);
    for (auto [turn, isThere] : llvm::enumerate(columnIsThere)) {
      int64_t first = turn * rowsAtOnce;
      Value reads =
          isThere ? m.choose(isThere, m.i32(SharedRows::chunkBytes), m.i32(0))
                  : Value();
      copyChunk(m, m.beyond(to, (firstRow + first) * SharedRows::rowBytes),
                m.beyond(matrixFrom, first * packedBytes),
                SharedRows::chunkBytes, reads);
    }
  }
}
