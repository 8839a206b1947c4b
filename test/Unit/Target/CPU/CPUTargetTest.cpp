// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/CPUTarget.h"

#include "gtest/gtest.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir::moe;

static std::string messageOf(llvm::StringRef spec) {
  llvm::Expected<CPUTarget> target = CPUTarget::parse(spec);
  return target ? "" : llvm::toString(target.takeError());
}

TEST(CPUTarget, LevelsChooseVectorsAndInstructions) {
  CPUTarget baseline = llvm::cantFail(CPUTarget::parse("x86-64"));
  EXPECT_EQ(baseline.vectorLanes, 4);
  EXPECT_FALSE(baseline.hasFMA);
  CPUTarget v3 = llvm::cantFail(CPUTarget::parse("x86-64-v3"));
  EXPECT_EQ(v3.vectorLanes, 8);
  EXPECT_TRUE(v3.hasFMA);
  CPUTarget v4 = llvm::cantFail(CPUTarget::parse("x86-64-v4"));
  EXPECT_EQ(v4.vectorLanes, 16);
  EXPECT_EQ(v4.vectorRegisters, 32);
  EXPECT_FALSE(v4.hasBF16Dot);
}

TEST(CPUTarget, FeaturesAddToALevel) {
  CPUTarget target = llvm::cantFail(CPUTarget::parse("x86-64-v4,+avx512bf16"));
  EXPECT_TRUE(target.hasBF16Dot);
  EXPECT_NE(target.name().find("x86-64-v4 f32x16 fma bf16-dot, kernels 1"),
            std::string::npos);
  CPUTarget less = llvm::cantFail(CPUTarget::parse("x86-64-v3,-fma"));
  EXPECT_FALSE(less.hasFMA);
}

TEST(CPUTarget, UnknownNamesAreErrors) {
  std::string triple = llvm::sys::getProcessTriple();
  EXPECT_EQ(messageOf("x86-64-v9"), "unknown CPU 'x86-64-v9' for " + triple);
  EXPECT_EQ(messageOf("x86-64,+wings"),
            "unknown CPU feature '+wings' for " + triple);
  EXPECT_EQ(messageOf("x86-64,avx2"),
            "expected '+' or '-' before the CPU feature 'avx2'");
}

TEST(CPUTarget, CodeForInstructionsThatAreMissingIsRefused) {
  EXPECT_FALSE(static_cast<bool>(CPUTarget::host().checkRunsHere()));
  CPUTarget baseline = llvm::cantFail(CPUTarget::parse("x86-64"));
  EXPECT_FALSE(static_cast<bool>(baseline.checkRunsHere()));
  for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
    CPUTarget more =
        llvm::cantFail(CPUTarget::parse("x86-64,+" + feature.first().str()));
    std::string message = llvm::toString(more.checkRunsHere());
    EXPECT_EQ(message.empty(), feature.second) << feature.first().str();
    EXPECT_NE(message.find(feature.second ? "" : feature.first()),
              std::string::npos);
  }
}

TEST(CPUTarget, NativeIsTheHost) {
  CPUTarget native = llvm::cantFail(CPUTarget::parse("native"));
  EXPECT_EQ(native.name(), CPUTarget::host().name());
  EXPECT_TRUE(static_cast<bool>(llvm::cantFail(native.createTargetMachine())));
}
