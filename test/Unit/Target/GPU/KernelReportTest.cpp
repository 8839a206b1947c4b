// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/MainLoop.h"
#include "moe/Target/GPU/Occupancy.h"

#include "gtest/gtest.h"

using namespace mlir::moe;

static const MultiprocessorLimits &limitsOf(llvm::StringRef chip) {
  return llvm::cantFail(GPUTarget::parse(chip))->limits;
}

// Expected values are those of the spreadsheet that CUDA came with.
TEST(Occupancy, WhatRunsOutFirstIsNamed) {
  Occupancy threads = computeOccupancy(limitsOf("sm_80"), {256, 32, 0});
  EXPECT_EQ(threads.blocks, 8);
  EXPECT_EQ(threads.warps, 64);
  EXPECT_EQ(threads.mostWarps, 64);
  EXPECT_EQ(threads.limit, "registers");
  Occupancy registers = computeOccupancy(limitsOf("sm_80"), {128, 128, 0});
  EXPECT_EQ(registers.blocks, 4);
  EXPECT_EQ(registers.warps, 16);
  EXPECT_EQ(registers.limit, "registers");
  Occupancy shared =
      computeOccupancy(limitsOf("sm_90a"), {128, 64, 100 * 1024});
  EXPECT_EQ(shared.blocks, 2);
  EXPECT_EQ(shared.limit, "shared memory");
  Occupancy blocks = computeOccupancy(limitsOf("sm_80"), {32, 16, 0});
  EXPECT_EQ(blocks.blocks, 32);
  EXPECT_EQ(blocks.limit, "blocks");
  Occupancy many = computeOccupancy(limitsOf("sm_120a"), {768, 24, 0});
  EXPECT_EQ(many.blocks, 2);
  EXPECT_EQ(many.mostWarps, 48);
  EXPECT_EQ(many.limit, "threads");
}

TEST(Occupancy, RegistersAreHandedOutInUnits) {
  // 33 registers are 40 a thread to the hardware.
  EXPECT_EQ(computeOccupancy(limitsOf("sm_80"), {256, 33, 0}).blocks, 6);
  EXPECT_EQ(computeOccupancy(limitsOf("sm_80"), {256, 40, 0}).blocks, 6);
  EXPECT_EQ(computeOccupancy(limitsOf("sm_80"), {256, 41, 0}).blocks, 5);
  // A block too large for the chip.
  EXPECT_EQ(computeOccupancy(limitsOf("sm_80"), {1024, 128, 0}).blocks, 0);
}

static constexpr char disassembly[] = R"(
	.section	.text.other,"ax",@progbits
.text.other:
.L_x_0:
        /*0000*/                   HMMA.16816.F32.BF16 R4, R16, R4, RZ ;
        /*0010*/                   HMMA.16816.F32.BF16 R4, R16, R4, RZ ;
        /*0020*/                   BRA `(.L_x_0);
	.section	.text.kernel,"ax",@progbits
.text.kernel:
        /*0000*/                   S2R R0, SR_TID.X ;
.L_x_1:
        /*0010*/                   IADD3 R1, R1, 0x1, RZ ;
.L_x_2:
        /*0020*/                   LDSM.16.M88.4 R16, [R23] ;
        /*0030*/                   HMMA.16816.F32.BF16 R4, R16, R4, R4 ;
        /*0040*/               @P0 BRA `(.L_x_2) ;
        /*0050*/               @P1 BRA `(.L_x_1) ;
        /*0060*/                   EXIT ;
.L_x_3:
        /*0070*/                   BRA `(.L_x_3);
)";

TEST(MainLoop, TheInnermostLoopWithProductsIsFound) {
  std::optional<MainLoop> loop = findMainLoop(disassembly, "kernel");
  ASSERT_TRUE(loop);
  EXPECT_EQ(loop->instructions, 3);
  EXPECT_EQ(loop->products, 1);
}

TEST(MainLoop, KernelsAreToldApart) {
  EXPECT_EQ(findMainLoop(disassembly, "other")->products, 2);
  EXPECT_FALSE(findMainLoop(disassembly, "kern"));
  EXPECT_FALSE(findMainLoop("", "kernel"));
}
