// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/AssemblerLog.h"

#include "gtest/gtest.h"

using namespace mlir::moe;

TEST(AssemblerLog, KernelsHaveTheirOwnFigures) {
  AssemblerLog log = parseAssemblerLog(R"(
ptxas info    : 84 bytes gmem
ptxas info    : Compiling entry function 'first' for 'sm_80'
ptxas info    : Function properties for first
ptxas         .     16 bytes stack frame, 24 bytes spill stores, 32 bytes spill loads
ptxas info    : Used 255 registers, used 2 barriers, 16 bytes cumulative stack size, 2048 bytes smem, 376 bytes cmem[0]
ptxas info    : Compile time = 65.094 ms
ptxas info    : Compiling entry function 'second' for 'sm_80'
ptxas info    : Function properties for second
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 24 registers, used 0 barriers
info    : Function properties for 'second':
info    : used 24 registers, used 1 barriers, 0 stack, 1024 bytes smem, 552 bytes cmem[0], 0 bytes lmem
)");
  ASSERT_EQ(log.kernels.size(), 2U);
  EXPECT_EQ(log.kernels[0].kernel, "first");
  EXPECT_EQ(log.kernels[0].registers, 255);
  EXPECT_EQ(log.kernels[0].barriers, 2);
  EXPECT_EQ(log.kernels[0].stackBytes, 16);
  EXPECT_EQ(log.kernels[0].spillStoreBytes, 24);
  EXPECT_EQ(log.kernels[0].spillLoadBytes, 32);
  EXPECT_EQ(log.kernels[0].staticSharedBytes, 2048);
  EXPECT_EQ(log.kernels[1].kernel, "second");
  EXPECT_EQ(log.kernels[1].registers, 24);
  EXPECT_EQ(log.kernels[1].spillStoreBytes, 0);
  // The last line counts what the driver keeps for itself.
  EXPECT_EQ(log.kernels[1].staticSharedBytes, 0);
  EXPECT_TRUE(log.warnings.empty());
}

TEST(AssemblerLog, WarningsAreKept) {
  AssemblerLog log = parseAssemblerLog(
      "ptxas warning : For profile sm_90a adjusting per thread register count "
      "of 16 to lower bound of 24\n"
      "ptxas info    : (C7514) Potential Performance Loss: wgmma.mma_async "
      "instructions are serialized due to ...\n");
  ASSERT_EQ(log.warnings.size(), 2U);
  EXPECT_EQ(log.warnings[0], "For profile sm_90a adjusting per thread register "
                             "count of 16 to lower bound of 24");
}

TEST(AssemblerLog, OtherTextSaysNothing) {
  AssemblerLog log = parseAssemblerLog("no : such\n: \n\nUsed 3 registers\n");
  EXPECT_TRUE(log.kernels.empty());
  EXPECT_TRUE(log.warnings.empty());
}
