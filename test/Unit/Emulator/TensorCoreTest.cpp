// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TensorCoreTest.cpp - ldmatrix, mma.sync and cp.async ---------------===//
//
// Layouts are taken from the PTX ISA's figures for mma.m16n8k16 with .bf16 and
// for ldmatrix, not from the emulator.
//
//===----------------------------------------------------------------------===//

#include "KernelThreads.h"

#include <random>

using namespace moert;
using namespace moert::emulator;

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

/// Numbers that need all bits of a bf16.
static std::vector<uint16_t> randomBF16(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint16_t> values;
  for (size_t i = 0; i < count; ++i) {
    values.push_back(toBF16(float(int32_t(random())) / 1e9f));
  }
  return values;
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

/// The ISA's formulas: groupID = lane / 4, threadID_in_group = lane % 4.
static void multiplyOnce(const Thread &thread) {
  uint32_t group = thread.lane() / 4, inGroup = thread.lane() % 4;
  uint32_t a[4] = {}, b[2] = {};
  float c[4] = {}, d[4] = {};
  for (uint32_t i = 0; i < 8; ++i) {
    uint32_t row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
    uint32_t column = inGroup * 2 + (i & 1) + (i >= 4 ? 8 : 0);
    uint32_t value = thread.load<uint16_t>(thread.argument(0) +
                                           2 * (uint64_t(row) * 16 + column));
    a[i / 2] |= value << (i % 2 * 16);
  }
  for (uint32_t i = 0; i < 4; ++i) {
    uint32_t row = inGroup * 2 + (i & 1) + (i >= 2 ? 8 : 0);
    uint32_t value = thread.load<uint16_t>(thread.argument(1) +
                                           2 * (uint64_t(row) * 8 + group));
    b[i / 2] |= value << (i % 2 * 16);
  }
  uint64_t places[4];
  for (uint32_t i = 0; i < 4; ++i) {
    uint32_t row = i < 2 ? group : group + 8;
    uint32_t column = inGroup * 2 + (i & 1);
    places[i] = thread.argument(2) + 4 * (uint64_t(row) * 8 + column);
    c[i] = thread.load<float>(places[i]);
  }
  thread.calls.mma(thread.handle, MOERT_KERNEL_MMA_M16N8K16_BF16, 1, a, b, c, d,
                   0);
  for (uint32_t i = 0; i < 4; ++i) {
    thread.store(places[i], d[i]);
  }
}

/// c + a b, each sum in the order of k.
static void addProduct(std::vector<float> &c, const std::vector<uint16_t> &a,
                       const std::vector<uint16_t> &b, size_t m, size_t n,
                       size_t k) {
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < n; ++j) {
      for (size_t l = 0; l < k; ++l) {
        float product = fromBF16(a[i * k + l]) * fromBF16(b[l * n + j]);
        c[i * n + j] += product;
      }
    }
  }
}

TEST(EmulatedTensorCore, FragmentsOfAProductAreThoseOfTheISA) {
  std::vector<uint16_t> a = randomBF16(256, 1), b = randomBF16(128, 2);
  std::vector<float> c;
  for (int i = 0; i < 128; ++i) {
    c.push_back(float(i) / 3);
  }
  KernelMachine machine;
  cuda::Pointer to = machine.upload(c);
  machine.launch(asKernel<multiplyOnce>, {},
                 {machine.upload(a), machine.upload(b), to});
  addProduct(c, a, b, 16, 8, 16);
  EXPECT_EQ(machine.download<float>(to, 128), c);
  EXPECT_TRUE(machine.findings().empty());
}

/// Loads four 8 x 8 matrices, which lie row by row one after the other, and
/// stores each lane's registers.
template <bool Transposed> static void loadMatrices(const Thread &thread) {
  for (uint32_t i = 0; i < 4; ++i) {
    uint64_t offset = 4 * (uint64_t(thread.lane()) * 4 + i);
    thread.store(thread.shared() + offset,
                 thread.load<uint32_t>(thread.argument(0) + offset));
  }
  thread.warpBarrier();
  uint64_t row = thread.shared() + 16 * uint64_t(thread.lane());
  uint32_t results[4];
  thread.calls.ldmatrix(thread.handle, 4, Transposed ? 1 : 0, 1, &row, results,
                        0);
  for (uint32_t i = 0; i < 4; ++i) {
    thread.store(thread.argument(1) + 4 * (uint64_t(thread.lane()) * 4 + i),
                 results[i]);
  }
}

TEST(EmulatedTensorCore, LdmatrixGivesEachLaneTwoElementsOfARow) {
  std::vector<uint16_t> matrices(256);
  for (size_t i = 0; i < matrices.size(); ++i) {
    matrices[i] = uint16_t(i * 3 + 1);
  }
  for (bool transposed : {false, true}) {
    KernelMachine machine;
    cuda::Pointer to = machine.device.allocate(512);
    machine.launch(transposed ? asKernel<loadMatrices<true>>
                              : asKernel<loadMatrices<false>>,
                   {1, 32, 512}, {machine.upload(matrices), to});
    std::vector<uint16_t> result = machine.download<uint16_t>(to, 256);
    for (size_t lane = 0; lane < 32; ++lane) {
      for (size_t m = 0; m < 4; ++m) {
        for (size_t half = 0; half < 2; ++half) {
          size_t row = lane / 4, column = lane % 4 * 2 + half;
          size_t element = transposed ? column * 8 + row : row * 8 + column;
          EXPECT_EQ(result[lane * 8 + m * 2 + half], matrices[m * 64 + element])
              << "lane " << lane << " matrix " << m;
        }
      }
    }
    EXPECT_TRUE(machine.findings().empty());
  }
}

//===----------------------------------------------------------------------===//
// A product in tiles
//===----------------------------------------------------------------------===//

namespace {
/// What a test leaves out of the kernel.
enum class Mistake { None, Wait, Barrier, LastBarrier };

/// Blocks of 4 warps make 64 x 64 of A (row by row, m x k) times B (k x n):
/// steps of 32 along k, two of them in shared memory at a time.
struct TiledProduct {
  static constexpr uint32_t tile = 64, step = 32;
  /// Of rows in shared memory, in bytes.
  static constexpr uint32_t strideA = 80, strideB = 144;
  static constexpr uint32_t stageBytes = tile * strideA + step * strideB;

  const Thread &thread;
  uint32_t n, k, firstRow, firstColumn;
  float sums[8][4] = {};

  uint64_t stageA(uint32_t stage) const {
    return thread.shared() + uint64_t(stage % 2) * stageBytes;
  }
  uint64_t stageB(uint32_t stage) const {
    return stageA(stage) + tile * strideA;
  }

  /// Each thread copies 2 x 16 bytes of each tile.
  void fetch(uint32_t stage) const {
    for (uint32_t part = thread.index(); part < 256; part += 128) {
      uint32_t row = part / 4, column = part % 4 * 8;
      thread.copyAsync(stageA(stage) + row * strideA + column * 2,
                       thread.argument(0) + 2 * (uint64_t(firstRow + row) * k +
                                                 stage * step + column),
                       16, 1);
      row = part / 8, column = part % 8 * 8;
      thread.copyAsync(
          stageB(stage) + row * strideB + column * 2,
          thread.argument(1) +
              2 * (uint64_t(stage * step + row) * n + firstColumn + column),
          16, 2);
    }
    thread.commit();
  }

  void multiply(uint32_t stage) {
    uint32_t warp = thread.index() / 32, lane = thread.lane();
    for (uint32_t k16 = 0; k16 < step; k16 += 16) {
      uint64_t rowsA[2], rowsB[2];
      for (uint32_t i = 0; i < 2; ++i) {
        rowsA[i] = stageA(stage) +
                   (warp / 2 * 32 + i * 16 + lane % 16) * strideA +
                   (k16 + lane / 16 * 8) * 2;
        rowsB[i] = stageB(stage) + (k16 + lane % 16) * strideB +
                   (warp % 2 * 32 + i * 16 + lane / 16 * 8) * 2;
      }
      uint32_t a[2][4], b[2][4];
      thread.calls.ldmatrix(thread.handle, 4, 0, 2, rowsA, a[0], 3);
      thread.calls.ldmatrix(thread.handle, 4, 1, 2, rowsB, b[0], 4);
      uint32_t as[8][4], bs[8][2];
      for (uint32_t i = 0; i < 8; ++i) {
        std::memcpy(as[i], a[i / 4], sizeof(as[i]));
        std::memcpy(bs[i], b[i % 4 / 2] + i % 2 * 2, sizeof(bs[i]));
      }
      thread.calls.mma(thread.handle, MOERT_KERNEL_MMA_M16N8K16_BF16, 8, as[0],
                       bs[0], sums[0], sums[0], 5);
    }
  }

  void store() const {
    uint32_t warp = thread.index() / 32, lane = thread.lane();
    for (uint32_t i = 0; i < 8; ++i) {
      for (uint32_t part = 0; part < 4; ++part) {
        uint32_t row =
            firstRow + warp / 2 * 32 + i / 4 * 16 + lane / 4 + part / 2 * 8;
        uint32_t column =
            firstColumn + warp % 2 * 32 + i % 4 * 8 + lane % 4 * 2 + part % 2;
        thread.store(thread.argument(2) + 4 * (uint64_t(row) * n + column),
                     sums[i][part], 6);
      }
    }
  }
};
} // namespace

template <Mistake Made> static void multiplyTiles(const Thread &thread) {
  auto n = uint32_t(thread.argument(3)), k = uint32_t(thread.argument(4));
  uint32_t across = n / TiledProduct::tile;
  TiledProduct product = {thread, n, k,
                          thread.block() / across * TiledProduct::tile,
                          thread.block() % across * TiledProduct::tile};
  uint32_t steps = k / TiledProduct::step;
  product.fetch(0);
  for (uint32_t stage = 0; stage < steps; ++stage) {
    if (stage + 1 < steps) {
      product.fetch(stage + 1);
    }
    if (Made != Mistake::Wait) {
      thread.wait(stage + 1 < steps ? 1 : 0);
    }
    if (Made != Mistake::Barrier) {
      thread.barrier();
    }
    product.multiply(stage);
    if (Made != Mistake::LastBarrier) {
      thread.barrier();
    }
  }
  product.store();
}

/// Runs the product of m x k and k x n numbers. Returns what is found.
static std::vector<Finding> runProduct(const MachineOptions &options,
                                       moert_kernel_body body, size_t m,
                                       size_t n, size_t k, bool compares) {
  std::vector<uint16_t> a = randomBF16(m * k, 3), b = randomBF16(k * n, 4);
  KernelMachine machine(options);
  cuda::Pointer to = machine.device.allocate(m * n * 4);
  machine.launch(
      body, {unsigned(m / 64 * (n / 64)), 128, 2 * TiledProduct::stageBytes},
      {machine.upload(a), machine.upload(b), to, n, k});
  if (compares) {
    std::vector<float> expected(m * n, 0);
    addProduct(expected, a, b, m, n, k);
    EXPECT_EQ(machine.download<float>(to, m * n), expected);
  }
  return machine.findings();
}

TEST(EmulatedTensorCore, AProductInTilesIsThatOfAPlainLoop) {
  for (const MachineOptions &options : manySeeds()) {
    for (const Finding &finding :
         runProduct(options, asKernel<multiplyTiles<Mistake::None>>, 128, 64,
                    96, true)) {
      ADD_FAILURE() << finding.text;
    }
  }
}

TEST(EmulatedTensorCore, WithoutChecksTheBitsAreTheSame) {
  MachineOptions options;
  options.checksKernels = false;
  EXPECT_TRUE(runProduct(options, asKernel<multiplyTiles<Mistake::None>>, 64,
                         128, 64, true)
                  .empty());
}

/// Whether some finding is of that kind and holds the text.
static bool holds(const std::vector<Finding> &findings, FindingKind kind,
                  const std::string &text) {
  for (const Finding &finding : findings) {
    if (finding.kind == kind && finding.text.find(text) != std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST(EmulatedTensorCore, AMissingWaitIsFound) {
  for (const MachineOptions &options : manySeeds()) {
    std::vector<Finding> found = runProduct(
        options, asKernel<multiplyTiles<Mistake::Wait>>, 64, 64, 64, false);
    EXPECT_TRUE(holds(found, FindingKind::Race,
                      "of its block's shared memory while a cp.async of"));
    EXPECT_TRUE(holds(found, FindingKind::Uninitialized, "line 3"));
  }
}

TEST(EmulatedTensorCore, AMissingBarrierIsFound) {
  for (const MachineOptions &options : manySeeds()) {
    std::vector<Finding> found = runProduct(
        options, asKernel<multiplyTiles<Mistake::Barrier>>, 64, 64, 64, false);
    EXPECT_TRUE(
        holds(found, FindingKind::Race, "of its block's shared memory"));
    found = runProduct(options, asKernel<multiplyTiles<Mistake::LastBarrier>>,
                       64, 64, 128, false);
    EXPECT_TRUE(
        holds(found, FindingKind::Race, "of its block's shared memory"));
  }
}
