// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TensorCoreTest.cpp - ldmatrix, mma.sync and cp.async ---------------===//
//
// Layouts are taken from the PTX ISA's figures for mma.m16n8k16 with .bf16 and
// for ldmatrix, not from the emulator.
//
//===----------------------------------------------------------------------===//

#include "TiledProduct.h"

using namespace moert;
using namespace moert::emulator;

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
    uint64_t offset = 4 * (thread.lane() * 4 + i);
    thread.store(thread.shared() + offset,
                 thread.load<uint32_t>(thread.argument(0) + offset));
  }
  thread.warpBarrier();
  uint64_t row = thread.shared() + 16 * thread.lane();
  uint32_t results[4];
  thread.calls.ldmatrix(thread.handle, 4, Transposed ? 1 : 0, 1, &row, results,
                        0);
  for (uint32_t i = 0; i < 4; ++i) {
    thread.store(thread.argument(1) + 4 * (thread.lane() * 4 + i), results[i]);
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

TEST(EmulatedTensorCore, AProductInTilesIsThatOfAPlainLoop) {
  for (const MachineOptions &options : manySeeds()) {
    ProductRun run = runProduct(options, Fault::None, 128, 64, 96);
    EXPECT_TRUE(run.isRight);
    for (const Finding &finding : run.findings) {
      ADD_FAILURE() << finding.text;
    }
  }
}

TEST(EmulatedTensorCore, WithoutChecksTheBitsAreTheSame) {
  MachineOptions options;
  options.checksKernels = false;
  ProductRun run = runProduct(options, Fault::None, 64, 128, 64);
  EXPECT_TRUE(run.isRight);
  EXPECT_TRUE(run.findings.empty());
  // Which is not for want of faults.
  run = runProduct(options, Fault::NoBarrierAfterUse, 64, 128, 64);
  EXPECT_TRUE(run.findings.empty());
}

/// Whether some finding is of that kind and holds the text.
static bool holds(const ProductRun &run, FindingKind kind,
                  const std::string &text) {
  for (const Finding &finding : run.findings) {
    if (finding.kind == kind && finding.text.find(text) != std::string::npos) {
      return true;
    }
  }
  return false;
}

TEST(EmulatedTensorCore, AMissingWaitNamesTheCopy) {
  ProductRun run = runProduct({}, Fault::NoWait, 64, 64, 64);
  EXPECT_TRUE(holds(run, FindingKind::Race,
                    "of its block's shared memory while a cp.async of"));
  EXPECT_TRUE(holds(run, FindingKind::Race, " at line 1 writes there"));
  EXPECT_TRUE(holds(run, FindingKind::Uninitialized, "at line 3 reads"));
}
