// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cubins by nvJitLink, where it is installed: it needs no GPU.

#include "moe/Target/GPU/CubinAssembler.h"
#include "moe/Target/GPU/LowerToNVVM.h"
#include "moe/Target/GPU/PTX.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::moe;

static constexpr char kernels[] = R"(
gpu.module @kernels {
  gpu.func @scale(%p: !llvm.ptr<1>, %n: i64) kernel
      attributes {known_block_size = array<i32: 64, 1, 1>} {
    %thread = gpu.thread_id x
    %i = arith.index_cast %thread : index to i64
    %q = llvm.getelementptr %p[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    %x = llvm.load %q : !llvm.ptr<1> -> f32
    %e = math.exp %x : f32
    gpu.barrier
    llvm.store %e, %q : f32, !llvm.ptr<1>
    gpu.return
  }
})";

namespace {
class Cubins : public testing::Test {
protected:
  void SetUp() override {
    llvm::Expected<CubinAssembler> loaded = CubinAssembler::load();
    if (!loaded) {
      GTEST_SKIP() << llvm::toString(loaded.takeError());
    }
    assembler = std::move(*loaded);
    DialectRegistry registry;
    registerGPUTargetDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = parseSourceString<ModuleOp>(kernels, &context);
    ASSERT_TRUE(module);
    lowered = *lowerKernels(*module->getOps<gpu::GPUModuleOp>().begin());
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  LoweredKernels lowered;
  std::optional<CubinAssembler> assembler;
};
} // namespace

TEST_F(Cubins, AllChipsAreAssembledWithoutWarningsOrSpills) {
  for (const GPUTarget &target : GPUTarget::all()) {
    std::string ptx = *emitPTX(lowered, target);
    llvm::Expected<Cubin> cubin = assembler->assemble(ptx, target);
    ASSERT_TRUE(static_cast<bool>(cubin)) << llvm::toString(cubin.takeError());
    EXPECT_TRUE(llvm::StringRef(cubin->bytes).starts_with("\177ELF"));
    EXPECT_TRUE(cubin->log.warnings.empty()) << cubin->log.warnings.front();
    ASSERT_EQ(cubin->log.kernels.size(), 1U);
    EXPECT_EQ(cubin->log.kernels[0].kernel, "scale");
    EXPECT_GT(cubin->log.kernels[0].registers, 4);
    EXPECT_EQ(cubin->log.kernels[0].barriers, 1);
    EXPECT_EQ(cubin->log.kernels[0].spillStoreBytes, 0);
  }
}

TEST_F(Cubins, TheHashOfTheSourceSurvives) {
  const GPUTarget &target = GPUTarget::all().front();
  std::string ptx = *emitPTX(lowered, target);
  Cubin cubin = llvm::cantFail(assembler->assemble(ptx, target));
  EXPECT_EQ(lowered.sourceHash.size(), 64U);
  EXPECT_EQ(findSourceHash(ptx), lowered.sourceHash);
  EXPECT_EQ(findSourceHash(cubin.bytes), lowered.sourceHash);
  Cubin again = llvm::cantFail(assembler->assemble(ptx, target));
  EXPECT_EQ(again.bytes, cubin.bytes);
}

TEST_F(Cubins, AnErrorIsWhatTheAssemblerSaid) {
  llvm::Expected<Cubin> cubin = assembler->assemble(
      ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k() {\n"
      "nosuch.s32 %r1, %r2;\n}\n",
      GPUTarget::all().front());
  ASSERT_FALSE(cubin);
  std::string message = llvm::toString(cubin.takeError());
  EXPECT_TRUE(llvm::StringRef(message).starts_with(
      "nvJitLink cannot assemble for sm_80: "))
      << message;
  EXPECT_NE(message.find("nosuch"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}
