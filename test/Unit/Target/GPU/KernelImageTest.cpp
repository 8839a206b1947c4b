// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of Kernels.mlir as images, on an emulated device.

#include "moe/Target/GPU/KernelImage.h"
#include "moe/Target/GPU/LowerToNVVM.h"
#include "moe/Target/GPU/PTX.h"

#include "EmulatedMachine.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::moe;
using namespace moert;
using namespace moert::emulator;

namespace {

/// The kernels of a file, or of a text, lowered once.
struct Source {
  explicit Source(StringRef text = "") {
    DialectRegistry registry;
    registerGPUTargetDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = text.empty()
                 ? parseSourceFile<ModuleOp>(GPU_TEST_KERNELS, &context)
                 : parseSourceString<ModuleOp>(text, &context, "kernels.mlir");
    EXPECT_TRUE(module);
  }

  gpu::GPUModuleOp kernels() {
    return *module->getOps<gpu::GPUModuleOp>().begin();
  }
  LoweredKernels lower() { return *lowerKernels(kernels()); }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

} // namespace

/// The image of Kernels.mlir: made once for all tests.
static const std::string &imageOfFile() {
  static const std::string image = *emitKernelImage(Source().lower());
  return image;
}

namespace {

/// A device with the image of Kernels.mlir on it.
class ImageDevice {
public:
  explicit ImageDevice(uint64_t seed = 0)
      : machine(optionsFor(seed)), device(0) {
    EXPECT_EQ(device.cuda.moduleLoadData(&module, imageOfFile().data()),
              cuda::Success);
  }

  template <typename T> cuda::Pointer upload(const std::vector<T> &values) {
    return device.upload(values);
  }
  template <typename T>
  std::vector<T> download(cuda::Pointer pointer, size_t count) {
    return device.download<T>(pointer, count);
  }
  void launch(const char *kernel, unsigned blocks, unsigned threads,
              unsigned sharedBytes, std::vector<uint64_t> arguments) {
    cuda::Function function = nullptr;
    ASSERT_EQ(device.cuda.moduleGetFunction(&function, module, kernel),
              cuda::Success);
    std::vector<void *> addresses;
    for (uint64_t &argument : arguments) {
      addresses.push_back(&argument);
    }
    ASSERT_EQ(device.cuda.launchKernel(function, blocks, 1, 1, threads, 1, 1,
                                       sharedBytes, device.stream,
                                       addresses.data(), nullptr),
              cuda::Success);
  }
  void expectNothingFound() {
    for (const Finding &finding : machine.findings()) {
      ADD_FAILURE() << finding.text;
    }
  }

  static MachineOptions optionsFor(uint64_t seed) {
    MachineOptions options;
    options.seed = seed;
    return options;
  }

  Machine machine;
  TestDevice device;
  cuda::Module module = nullptr;
};

constexpr uint64_t seeds = 5;

} // namespace

TEST(KernelImage, ThreadsBehindTheEndDoNothing) {
  std::vector<float> x(1024), y(1024), expected(1024);
  for (int i = 0; i < 1024; ++i) {
    x[i] = 0.1F * static_cast<float>(i);
    y[i] = static_cast<float>(i % 7);
    expected[i] = i < 300 ? std::fma(3.0F, x[i], y[i]) : y[i];
  }
  ImageDevice image;
  cuda::Pointer from = image.upload(x);
  cuda::Pointer to = image.upload(y);
  image.launch("saxpy", 5, 64, 0, {from, to, 300});
  EXPECT_EQ(image.download<float>(to, 1024), expected);
  image.expectNothingFound();
}

TEST(KernelImage, BlocksSumByShufflesAndSharedMemory) {
  std::vector<float> values(512), expected(8);
  for (int i = 0; i < 512; ++i) {
    values[i] = static_cast<float>((i * 37) % 101);
    expected[i / 64] += values[i];
  }
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    ImageDevice image(seed);
    cuda::Pointer from = image.upload(values);
    cuda::Pointer to = image.device.allocate(8 * sizeof(float));
    image.launch("sum_blocks", 8, 64, 8, {from, to});
    EXPECT_EQ(image.download<float>(to, 8), expected);
    image.expectNothingFound();
  }
}

/// The bits of small integers as bf16, which are exact.
static uint16_t toBF16(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<uint16_t>(bits >> 16);
}

TEST(KernelImage, MatricesAreMultiplied) {
  std::vector<uint16_t> a(256), b(256);
  std::vector<float> expected(256);
  auto valueA = [](int i, int k) { return static_cast<float>(i - 2 * k); };
  auto valueB = [](int j, int k) { return static_cast<float>(3 * j + k - 5); };
  for (int i = 0; i < 16; ++i) {
    for (int k = 0; k < 16; ++k) {
      a[i * 16 + k] = toBF16(valueA(i, k));
      b[i * 16 + k] = toBF16(valueB(i, k));
      for (int j = 0; j < 16; ++j) {
        expected[i * 16 + j] += valueA(i, k) * valueB(j, k);
      }
    }
  }
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    ImageDevice image(seed);
    cuda::Pointer left = image.upload(a);
    cuda::Pointer right = image.upload(b);
    cuda::Pointer to = image.device.allocate(256 * sizeof(float));
    image.launch("multiply", 1, 32, 1024, {left, right, to});
    EXPECT_EQ(image.download<float>(to, 256), expected);
    image.expectNothingFound();
  }
}

TEST(KernelImage, CopiesArriveAtTheirWait) {
  std::vector<int32_t> values(6 * 128), expected(128);
  for (int i = 0; i < 6 * 128; ++i) {
    values[i] = i * i - 1000;
    expected[i % 128] += values[i];
  }
  for (uint64_t seed = 0; seed < seeds; ++seed) {
    ImageDevice image(seed);
    cuda::Pointer from = image.upload(values);
    cuda::Pointer to = image.device.allocate(128 * sizeof(int32_t));
    image.launch("pipeline", 1, 32, 1024, {from, to});
    EXPECT_EQ(image.download<int32_t>(to, 128), expected);
    image.expectNothingFound();
  }
}

TEST(KernelImage, RoundingIsThatOfTheInstruction) {
  const std::pair<uint32_t, uint16_t> cases[] = {
      {0x00000000, 0x0000}, {0x80000000, 0x8000}, {0x3f800000, 0x3f80},
      {0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81},
      {0x3f807fff, 0x3f80}, {0x7f7fffff, 0x7f80}, {0x7f800000, 0x7f80},
      {0xff800000, 0xff80}, {0x7f800001, 0x7fff}, {0xffc00000, 0x7fff},
      {0x00018000, 0x0002}, {0x00008000, 0x0000}};
  std::vector<float> values(32);
  for (const auto &[index, bits] : llvm::enumerate(cases)) {
    std::memcpy(&values[index], &bits.first, sizeof(float));
  }
  ImageDevice image;
  cuda::Pointer from = image.upload(values);
  cuda::Pointer to = image.device.allocate(32 * sizeof(uint16_t));
  image.launch("round", 1, 32, 0, {from, to});
  std::vector<uint16_t> rounded = image.download<uint16_t>(to, 32);
  for (const auto &[index, bits] : llvm::enumerate(cases)) {
    EXPECT_EQ(rounded[index], bits.second) << std::hex << bits.first;
  }
  image.expectNothingFound();
}

TEST(KernelImage, FindingsNameTheOp) {
  ImageDevice image;
  cuda::Pointer from = image.upload(std::vector<int32_t>{1, 2, 3, 4});
  cuda::Pointer count = image.upload(std::vector<int32_t>{0});
  image.launch("read_behind", 1, 5, 0, {from, count});
  EXPECT_EQ(image.device.synchronize(image.device.stream),
            cuda::IllegalAddress);
  std::vector<Finding> found = image.machine.findings();
  ASSERT_FALSE(found.empty());
  EXPECT_NE(found[0].text.find("read_behind at Kernels.mlir:"),
            std::string::npos)
      << found[0].text;
  EXPECT_NE(found[0].text.find("(load)"), std::string::npos) << found[0].text;
}

TEST(KernelImage, BytesAreTheSameEachTime) {
  EXPECT_EQ(*emitKernelImage(Source().lower()), imageOfFile());
}

TEST(KernelImage, TheHashIsThatOfTheSource) {
  Source source;
  LoweredKernels lowered = source.lower();
  EXPECT_EQ(findSourceHash(imageOfFile()), lowered.sourceHash);
  EXPECT_EQ(findSourceHash(*emitPTX(lowered, GPUTarget::all().front())),
            lowered.sourceHash);
  // Any change of the kernels is a change of the hash.
  gpu::GPUFuncOp first = *source.kernels().getOps<gpu::GPUFuncOp>().begin();
  first.setName("saxpy_");
  EXPECT_NE(hashKernels(source.kernels()), lowered.sourceHash);
  EXPECT_EQ(findSourceHash("moe-kernels sha256:0123"), "");
  EXPECT_EQ(findSourceHash("other bytes"), "");
}

/// What is said of a kernel that is no image's; empty where it can be one.
static std::string messageOf(StringRef kernel) {
  Source source(("gpu.module @kernels {\n  gpu.func @k(%p: !llvm.ptr<1>) "
                 "kernel {\n" +
                 kernel + "    gpu.return\n  }\n}\n")
                    .str());
  std::string said;
  ScopedDiagnosticHandler handler(&source.context, [&](Diagnostic &diagnostic) {
    said += diagnostic.str();
    return success();
  });
  FailureOr<LoweredKernels> lowered = lowerKernels(source.kernels());
  static_cast<void>(succeeded(lowered) && succeeded(emitKernelImage(*lowered)));
  return said;
}

TEST(KernelImage, WhatTheEmulatedDeviceHasNotIsNamed) {
  EXPECT_EQ(messageOf("nvvm.cluster.arrive\n"),
            "k at kernels.mlir:3:1 (cluster.arrive): the emulated device has "
            "no instruction 'barrier.cluster.arrive'");
  EXPECT_EQ(messageOf("%e = arith.constant 2.5 : f64\n"
                      "%x = llvm.load %p : !llvm.ptr<1> -> f64\n"
                      "%y = llvm.intr.pow(%x, %e) : (f64, f64) -> f64\n"
                      "llvm.store %y, %p : f64, !llvm.ptr<1>\n"),
            "kernels call 'pow', which the emulated device does not have");
  EXPECT_EQ(messageOf(""), "");
}

TEST(KernelImage, ArgumentsHave64Bits) {
  Source source("gpu.module @kernels {\n  gpu.func @k(%n: i32) kernel {\n    "
                "gpu.return\n  }\n}\n");
  std::string said;
  ScopedDiagnosticHandler handler(&source.context, [&](Diagnostic &diagnostic) {
    said = diagnostic.str();
    return success();
  });
  EXPECT_TRUE(failed(emitKernelImage(source.lower())));
  EXPECT_EQ(said, "expected arguments of 64 bits of the kernel 'k', but got "
                  "i32");
}
