// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TiledProduct.cpp ---------------------------------------------------===//

#include "TiledProduct.h"

#include <random>

namespace moert::emulator {

static uint16_t toBF16(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return uint16_t(bits >> 16);
}

static float fromBF16(uint16_t value) {
  uint32_t bits = uint32_t(value) << 16;
  float result = 0;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

std::vector<uint16_t> randomBF16(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint16_t> values;
  for (size_t i = 0; i < count; ++i) {
    values.push_back(toBF16(float(int32_t(random())) / 1e9f));
  }
  return values;
}

void addProduct(std::vector<float> &c, const std::vector<uint16_t> &a,
                const std::vector<uint16_t> &b, size_t m, size_t n, size_t k) {
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) {
      for (size_t l = 0; l < k; ++l) {
        float product = fromBF16(a[i * k + l]) * fromBF16(b[l * n + j]);
        c[i * n + j] += product;
      }
    }
  }
}

namespace {
/// One thread of a block of 4 warps, each of which makes 32 x 32.
class TiledProduct {
public:
  static constexpr uint64_t tile = 64, step = 32;
  /// Of rows in shared memory, in bytes.
  static constexpr uint64_t strideA = 80, strideB = 144;
  static constexpr uint64_t stageBytes = tile * strideA + step * strideB;

  explicit TiledProduct(const Thread &thread)
      : thread(thread), fault(Fault(thread.argument(5))), n(thread.argument(3)),
        k(thread.argument(4)), firstRow(thread.block() / (n / tile) * tile),
        firstColumn(thread.block() % (n / tile) * tile),
        warp(thread.index() / 32), lane(thread.lane()) {}

  void run() {
    uint64_t steps = k / step;
    fetch(0);
    for (uint64_t stage = 0; stage < steps; ++stage) {
      bool isLast = stage + 1 == steps;
      if (!isLast) {
        fetch(stage + 1);
      }
      if (is(Fault::WarpEndsEarly) && isLast && warp == 3) {
        return;
      }
      arrive(isLast);
      multiply(is(Fault::NextStageIsUsed) ? stage + 1 : stage);
      leave();
    }
    store();
  }

private:
  bool is(Fault candidate) const { return fault == candidate; }

  uint64_t stageA(uint64_t stage) const {
    uint64_t stages = is(Fault::OneStageForTwo) ? 1 : 2;
    return thread.shared() + stage % stages * stageBytes;
  }
  uint64_t stageB(uint64_t stage) const {
    return stageA(stage) + tile * strideA;
  }

  void copy(uint64_t to, uint64_t from, uint32_t line) const {
    if (is(Fault::CopiesOfZeros) && line == 2) {
      thread.calls.copy_async(thread.handle, to, from, 16, 0, line);
      return;
    }
    thread.copyAsync(to, from, is(Fault::CopiesOfHalfTheBytes) ? 8 : 16, line);
  }

  /// Each thread copies 2 x 16 bytes of each tile.
  void fetch(uint64_t stage) const {
    if (is(Fault::CommitBeforeCopies)) {
      thread.commit();
    }
    uint64_t beyond = is(Fault::RowBeyondA) ? 1 : 0;
    uint64_t stride = is(Fault::StrideThatIsNotAligned) ? 76 : strideA;
    for (uint64_t part = thread.index(); part < 256; part += 128) {
      uint64_t row = part / 4, column = part % 4 * 8;
      copy(stageA(stage) + row * stride + column * 2,
           thread.argument(0) +
               2 * ((firstRow + row + beyond) * k + stage * step + column),
           1);
      row = part / 8, column = part % 8 * 8;
      if (is(Fault::FetchesHalfOfB) && part >= 128) {
        continue;
      }
      copy(stageB(stage) + row * strideB + column * 2,
           thread.argument(1) +
               2 * ((stage * step + row) * n + firstColumn + column),
           2);
    }
    if (!is(Fault::NoCommit) && !is(Fault::CommitBeforeCopies)) {
      thread.commit();
    }
  }

  /// Waits for the stage's tiles.
  void arrive(bool isLast) const {
    if (is(Fault::BarrierBeforeWait)) {
      thread.barrier();
    }
    if (!is(Fault::NoWait)) {
      thread.wait(isLast && !is(Fault::WaitForOneTooFew) ? 0 : 1);
    }
    if (is(Fault::WarpBarrierForBlockBarrier)) {
      thread.warpBarrier();
    } else if (is(Fault::WarpAtAnotherBarrier)) {
      thread.calls.barrier(thread.handle, warp == 2 ? 1 : 0, 0, 0);
    } else if (is(Fault::BarrierOfTooManyThreads)) {
      thread.calls.barrier(thread.handle, 0, 160, 0);
    } else if (is(Fault::LanesAtTwoPlaces)) {
      thread.barrier(lane == 9 ? 7 : 0);
    } else if (!is(Fault::NoBarrierAfterWait) &&
               !is(Fault::BarrierBeforeWait) &&
               !(is(Fault::WarpLeavesOutABarrier) && warp == 1)) {
      thread.barrier();
    }
  }

  /// The tiles may be written to again.
  void leave() const {
    if (is(Fault::WarpLeavesOutABarrier) && warp == 1) {
      // Waits for its own warp where others wait for the block.
      thread.calls.barrier(thread.handle, 2, 0, 0);
    } else if (!is(Fault::NoBarrierAfterUse)) {
      thread.barrier();
    }
  }

  void load(uint64_t stage, uint64_t k16, uint32_t (&a)[2][4],
            uint32_t (&b)[2][4]) const {
    uint64_t row = is(Fault::RowsOfLanesModulo8) ? lane % 8 : lane % 16;
    uint64_t half = lane / 16;
    half = is(Fault::HalvesOfLanesSwapped) ? 1 - half : half;
    uint64_t shift = is(Fault::OffsetThatIsNotAligned) ? 2 : 0;
    uint64_t rowsA[2], rowsB[2];
    for (uint64_t i = 0; i < 2; ++i) {
      rowsA[i] = stageA(stage) + (warp / 2 * 32 + i * 16 + row) * strideA +
                 (k16 + half * 8) * 2 + shift;
      rowsB[i] = stageB(stage) + (k16 + lane % 16) * strideB +
                 (warp % 2 * 32 + i * 16 + lane / 16 * 8) * 2;
    }
    thread.calls.ldmatrix(thread.handle, 4, is(Fault::TransposedA) ? 1 : 0, 2,
                          rowsA, a[0], 3);
    thread.calls.ldmatrix(thread.handle, 4, is(Fault::NotTransposed) ? 0 : 1, 2,
                          rowsB, b[0], 4);
  }

  void multiply(uint64_t stage) {
    uint64_t end = is(Fault::HalfOfAStepForgotten) ? 16 : step;
    for (uint64_t k16 = 0; k16 < end; k16 += 16) {
      uint32_t a[2][4], b[2][4], as[8][4], bs[8][2];
      load(stage, k16, a, b);
      for (uint64_t i = 0; i < 8; ++i) {
        std::memcpy(as[i], a[i / 4], sizeof(as[i]));
        std::memcpy(bs[i], b[i % 4 / 2] + i % 2 * 2, sizeof(bs[i]));
        if (is(Fault::RegistersOfASwapped)) {
          std::swap(as[i][1], as[i][2]);
        }
        if (is(Fault::RegistersOfBSwapped)) {
          std::swap(bs[i][0], bs[i][1]);
        }
      }
      if (is(Fault::SumsForgotten)) {
        std::memset(sums, 0, sizeof(sums));
      }
      if (!is(Fault::LaneLeavesOutAProduct) || lane != 30) {
        thread.calls.mma(thread.handle, MOERT_KERNEL_MMA_M16N8K16_BF16, 8,
                         as[0], bs[0], sums[0], sums[0], 5);
      }
    }
  }

  void store() const {
    uint64_t row0 = is(Fault::StoredByAllBlocks) ? 0 : firstRow;
    row0 += is(Fault::RowBeyondResult) ? 1 : 0;
    uint64_t swapped = is(Fault::HalvesOfStoreSwapped) ? 1 : 0;
    for (uint64_t i = 0; i < 8; ++i) {
      for (uint64_t part = 0; part < 4; ++part) {
        uint64_t row =
            row0 + warp / 2 * 32 + i / 4 * 16 + lane / 4 + part / 2 * 8;
        uint64_t within =
            is(Fault::StoredColumnByLane) ? lane % 4 : lane % 4 * 2;
        uint64_t column =
            firstColumn + warp % 2 * 32 + i % 4 * 8 + within + part % 2;
        thread.store(thread.argument(2) + 4 * (row * n + column),
                     sums[i][part ^ swapped * 2], 6);
      }
    }
  }

  const Thread &thread;
  const Fault fault;
  const uint64_t n, k, firstRow, firstColumn, warp, lane;
  float sums[8][4] = {};
};
} // namespace

static void multiplyTiles(const Thread &thread) { TiledProduct(thread).run(); }

ProductRun runProduct(const MachineOptions &options, Fault fault, size_t m,
                      size_t n, size_t k) {
  std::vector<uint16_t> a = randomBF16(m * k, 3), b = randomBF16(k * n, 4);
  KernelMachine machine(options);
  cuda::Pointer to = machine.device.allocate(m * n * 4);
  // The last row ends in 16 bytes that nothing touches.
  unsigned missing = fault == Fault::SharedTooSmall ? 17 : 0;
  machine.launch(
      asKernel<multiplyTiles>,
      {unsigned(m / TiledProduct::tile * (n / TiledProduct::tile)), 128,
       unsigned(2 * TiledProduct::stageBytes) - missing},
      {machine.upload(a), machine.upload(b), to, n, k, uint64_t(fault)});
  std::vector<float> expected(m * n, 0), result(m * n, -1);
  addProduct(expected, a, b, m, n, k);
  machine.device.cuda.copyToHost(result.data(), to, m * n * 4,
                                 machine.device.stream);
  std::vector<Finding> findings = machine.findings();
  return {result == expected, std::move(findings)};
}

} // namespace moert::emulator
