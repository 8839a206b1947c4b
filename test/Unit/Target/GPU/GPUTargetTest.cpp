// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/GPU/GPUTarget.h"

#include "gtest/gtest.h"

#include "llvm/Target/TargetMachine.h"

using namespace mlir::moe;

TEST(GPUTarget, UnknownChipsAreNamedWithTheKnownOnes) {
  llvm::Expected<const GPUTarget *> target = GPUTarget::parse("sm_42");
  ASSERT_FALSE(target);
  EXPECT_EQ(llvm::toString(target.takeError()),
            "unknown chip 'sm_42': expected sm_80, sm_90a, sm_100a, sm_120a");
}

TEST(GPUTarget, LLVMWritesPTXForAll) {
  for (const GPUTarget &target : GPUTarget::all()) {
    EXPECT_EQ(llvm::cantFail(GPUTarget::parse(target.chip)), &target);
    std::unique_ptr<llvm::TargetMachine> machine =
        llvm::cantFail(target.createTargetMachine());
    EXPECT_EQ(machine->getTargetCPU(), target.chip);
  }
}

TEST(GPUTarget, ABlockFitsAMultiprocessor) {
  for (const GPUTarget &target : GPUTarget::all()) {
    EXPECT_EQ(target.limits.sharedBytesPerBlock +
                  target.limits.sharedReservedPerBlock,
              target.limits.sharedBytes)
        << target.chip.str();
    EXPECT_EQ(target.limits.threads % 32, 0);
  }
}
