// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is around the tile:
//
//   for each group                               offsets are read on the way
//     for each of its tiles that is this block's
//       for each step in k                       some steps ahead are copied
//         sums += rows · columns                 sums stay in registers
//       epilogue and store
//
// Tiles of all groups are numbered through; block b of n takes b, b + n, ….
// Tiles of a group that share the columns follow one another, so that blocks
// which work at the same time read the same part of a matrix.

#include "moe/Target/GPU/GroupedMatmul.h"

#include "BlockTile.h"
#include "StageLoader.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::moe;

BlockTile::~BlockTile() = default;

std::unique_ptr<BlockTile> BlockTile::create(const GPUMatmulSpec &spec) {
  return spec.inputType.isBF16() ? createMmaSyncTile(spec)
                                 : createFmaTile(spec);
}

std::optional<std::string>
mlir::moe::whyNoGPUMatmul(const GPUMatmulSpec &spec) {
  if (!spec.inputType.isBF16() && !spec.inputType.isF32()) {
    return "expected rows of f32 or bf16";
  }
  // Registers for the sums of two products, at least 32 columns wide.
  if (spec.weights > 4) {
    return "expected at most 4 matrices that share the rows";
  }
  if (!StageLoader::canCopy(spec)) {
    return "expected rows of a multiple of 4 bytes";
  }
  return std::nullopt;
}

GPUMatmulLaunch mlir::moe::gpuMatmulLaunch(const GPUMatmulSpec &spec) {
  std::unique_ptr<BlockTile> tile = BlockTile::create(spec);
  return {BlockTile::threads, tile->getShape().sharedBytes()};
}

namespace {

class MatmulBuilder {
public:
  MatmulBuilder(ImplicitLocOpBuilder &b, const GPUMatmulSpec &spec,
                const GPUMatmulOperands &operands, Block *epilogue)
      : b(b), m(b), spec(spec), operands(operands), epilogue(epilogue),
        tile(BlockTile::create(spec)), shape(tile->getShape()),
        loader(spec, shape),
        outBytes(spec.outputType.getIntOrFloatBitWidth() / 8) {}

  void build();

private:
  Value loadOffset(Value group);
  Value emitGroup(Value group, Value begin, Value end, Value firstTile,
                  Value nextTile);
  void emitTile(Value group, const TilePlace &place);
  void copyAhead();
  SmallVector<Value> emitSums();
  void emitOutput(const TilePlace &place, ValueRange sums);
  void storeRun(const TileRun &run, Value pointer, ValueRange sums);
  Value applyEpilogue(ValueRange sums);

  ImplicitLocOpBuilder &b;
  DeviceMath m;
  const GPUMatmulSpec &spec;
  const GPUMatmulOperands &operands;
  Block *epilogue;
  std::unique_ptr<BlockTile> tile;
  TileShape shape;
  StageLoader loader;
  int64_t outBytes;
  Value blocks;
  /// The thread's first column of the tile that it is at.
  Value column;
};

} // namespace

Value MatmulBuilder::loadOffset(Value group) {
  Value at = arith::IndexCastUIOp::create(b, b.getIndexType(), group);
  return memref::LoadOp::create(b, operands.offsets, at);
}

void MatmulBuilder::build() {
  Type i32 = b.getI32Type();
  Value thread = NVVM::ThreadIdXOp::create(b, i32);
  Value block = NVVM::BlockIdXOp::create(b, i32);
  blocks = NVVM::GridDimXOp::create(b, i32);
  tile->prepare(m, thread);
  loader.prepare(m, thread);
  Value zero = m.i32(0);
  Value begin = loadOffset(zero);
  if (spec.groups == 1) {
    emitGroup(zero, begin, loadOffset(m.i32(1)), zero, block);
    return;
  }
  auto groups = scf::ForOp::create(b, zero, m.i32(spec.groups), m.i32(1),
                                   ValueRange{begin, zero, block});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(groups.getBody());
  Value group = groups.getInductionVar();
  ValueRange carried = groups.getRegionIterArgs();
  Value end = loadOffset(m.add(group, 1));
  Value count =
      arith::CeilDivUIOp::create(b, m.sub(end, carried[0]), m.i32(shape.rows));
  Value tiles = m.mul(count, llvm::divideCeil(spec.n, shape.columns));
  Value next = emitGroup(group, carried[0], end, carried[1], carried[2]);
  scf::YieldOp::create(b, ValueRange{end, m.add(carried[1], tiles), next});
}

/// Computes this block's tiles of a group, whose first tile has number
/// `firstTile`, from `nextTile` on. Returns the block's next tile.
Value MatmulBuilder::emitGroup(Value group, Value begin, Value end,
                               Value firstTile, Value nextTile) {
  Value down =
      arith::CeilDivUIOp::create(b, m.sub(end, begin), m.i32(shape.rows));
  Value tiles = m.mul(down, llvm::divideCeil(spec.n, shape.columns));
  auto loop = scf::ForOp::create(b, nextTile, m.add(firstTile, tiles), blocks,
                                 ValueRange{nextTile});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value number = m.sub(loop.getInductionVar(), firstTile);
  Value below = m.mul(arith::RemUIOp::create(b, number, down), shape.rows);
  TilePlace place;
  place.firstRow = m.add(begin, below);
  place.rowsLeft = m.sub(end, place.firstRow);
  place.firstColumn =
      m.mul(arith::DivUIOp::create(b, number, down), shape.columns);
  emitTile(group, place);
  scf::YieldOp::create(b, m.add(loop.getInductionVar(), blocks));
  return loop.getResult(0);
}

void MatmulBuilder::emitTile(Value group, const TilePlace &place) {
  SmallVector<Value> matrices;
  for (Value table : operands.tables) {
    Type pointer = table.getType();
    Value entry = m.beyond(table, group, 8);
    matrices.push_back(LLVM::LoadOp::create(b, pointer, entry));
  }
  loader.begin(m, operands.rows, matrices, place);
  SmallVector<Value> sums = emitSums();
  // The next tile's copies go where slower warps still read.
  gpu::BarrierOp::create(b);
  emitOutput(place, sums);
}

/// Starts the copies of all stages but one. Groups of copies are counted, so
/// that steps which are not there need empty ones.
void MatmulBuilder::copyAhead() {
  for (int64_t stage = 0; stage + 1 < shape.stages; ++stage) {
    if (stage < loader.steps()) {
      loader.copy(m, m.i32(stage),
                  m.beyond(operands.shared, stage * shape.stageBytes()));
    }
    NVVM::CpAsyncCommitGroupOp::create(b);
  }
}

SmallVector<Value> MatmulBuilder::emitSums() {
  copyAhead();
  Value none = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
  int64_t last = (shape.stages - 1) * shape.stageBytes();
  // The stages that are read and written next.
  SmallVector<Value> init{m.i32(0), m.i32(last)};
  init.append(tile->sumsPerThread(), none);
  auto loop =
      scf::ForOp::create(b, m.i32(0), m.i32(loader.steps()), m.i32(1), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value read = loop.getRegionIterArg(0);
  Value written = loop.getRegionIterArg(1);
  NVVM::CpAsyncWaitGroupOp::create(b, static_cast<uint32_t>(shape.stages - 2));
  // Now the step's copies have come, those of all threads; and all are done
  // with the stage that is written next.
  gpu::BarrierOp::create(b);
  Value ahead = m.add(loop.getInductionVar(), shape.stages - 1);
  m.when(m.less(ahead, loader.steps()),
         [&] { loader.copy(m, ahead, m.beyond(operands.shared, written)); });
  NVVM::CpAsyncCommitGroupOp::create(b);
  SmallVector<Value> sums =
      tile->multiply(m, m.beyond(operands.shared, read),
                     loop.getRegionIterArgs().drop_front(2));
  Value next = m.add(read, shape.stageBytes());
  Value isLast =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, read, m.i32(last));
  SmallVector<Value> yielded{m.choose(isLast, m.i32(0), next), read};
  yielded.append(sums);
  scf::YieldOp::create(b, yielded);
  return SmallVector<Value>(loop.getResults().drop_front(2));
}

/// The output's element for its sums.
Value MatmulBuilder::applyEpilogue(ValueRange sums) {
  if (!epilogue) {
    return spec.outputType.isF32()
               ? sums.front()
               : arith::TruncFOp::create(b, spec.outputType, sums.front())
                     .getResult();
  }
  IRMapping mapping;
  mapping.map(epilogue->getArguments(), sums);
  auto bring = [&](Value value) {
    if (!mapping.contains(value) && matchPattern(value, m_Constant())) {
      mapping.map(value, b.clone(*value.getDefiningOp())->getResult(0));
    }
  };
  for (Operation &op : epilogue->without_terminator()) {
    llvm::for_each(op.getOperands(), bring);
    b.clone(op, mapping);
  }
  Value result = epilogue->getTerminator()->getOperand(0);
  bring(result);
  return mapping.lookup(result);
}

/// Stores a run at `pointer`, the place of its first element.
void MatmulBuilder::storeRun(const TileRun &run, Value pointer,
                             ValueRange sums) {
  SmallVector<Value> elements;
  int64_t count = run.sums.front().size();
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<Value> arguments;
    for (ArrayRef<int64_t> table : run.sums) {
      arguments.push_back(sums[table[i]]);
    }
    elements.push_back(applyEpilogue(arguments));
  }
  if (count > 1 && spec.n % count == 0) {
    auto type = VectorType::get({count}, spec.outputType);
    Value all = LLVM::PoisonOp::create(b, type);
    for (auto [i, element] : llvm::enumerate(elements)) {
      all = LLVM::InsertElementOp::create(b, all, element, m.i32(i));
    }
    LLVM::StoreOp::create(b, all, pointer, count * outBytes);
    return;
  }
  for (auto [i, element] : llvm::enumerate(elements)) {
    auto store = [&, i = i, element = element] {
      LLVM::StoreOp::create(b, element, m.beyond(pointer, i * outBytes));
    };
    if (i == 0) {
      store();
    } else {
      m.when(m.less(m.add(column, run.column + i), spec.n), store);
    }
  }
}

void MatmulBuilder::emitOutput(const TilePlace &place, ValueRange sums) {
  Value firstRow = m.add(place.firstRow, tile->getFirstRow());
  column = m.add(place.firstColumn, tile->getFirstColumn());
  Value first = m.beyond(m.beyond(operands.out, firstRow, spec.n * outBytes),
                         m.mul(column, outBytes));
  bool mayExceed = spec.n % shape.columns != 0;
  SmallVector<TileRun> runs = tile->runs();
  for (ArrayRef<TileRun> rest = runs; !rest.empty();) {
    int64_t row = rest.front().row;
    ArrayRef<TileRun> inRow =
        rest.take_while([&](const TileRun &run) { return run.row == row; });
    rest = rest.drop_front(inRow.size());
    Value isThere = m.less(m.add(tile->getFirstRow(), row), place.rowsLeft);
    m.when(isThere, [&] {
      for (const TileRun &run : inRow) {
        int64_t bytes = (row * spec.n + run.column) * outBytes;
        auto store = [&] { storeRun(run, m.beyond(first, bytes), sums); };
        if (mayExceed) {
          m.when(m.less(m.add(column, run.column), spec.n), store);
        } else {
          store();
        }
      }
    });
  }
}

void mlir::moe::emitGPUMatmul(ImplicitLocOpBuilder &builder,
                              const GPUMatmulSpec &spec,
                              const GPUMatmulOperands &operands,
                              Block *epilogue) {
  assert(!whyNoGPUMatmul(spec) && "asked before");
  MatmulBuilder(builder, spec, operands, epilogue).build();
}
