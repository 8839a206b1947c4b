// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Target/CPU/JitEngine.h"
#include "moe/Target/CPU/LowerToLLVM.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using namespace mlir::moe;

namespace {

/// Functions on eight elements at `in`, as one vector and one by one.
constexpr llvm::StringLiteral moduleText = R"(
func.func @exp_vector(%in: memref<8xf32>, %out: memref<8xf32>) attributes {llvm.emit_c_interface} {
  %zero = arith.constant 0 : index
  %x = vector.load %in[%zero] : memref<8xf32>, vector<8xf32>
  %y = math.exp %x : vector<8xf32>
  vector.store %y, %out[%zero] : memref<8xf32>, vector<8xf32>
  return
}
func.func @exp_scalar(%in: memref<8xf32>, %out: memref<8xf32>) attributes {llvm.emit_c_interface} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %eight = arith.constant 8 : index
  scf.for %i = %zero to %eight step %one {
    %x = memref.load %in[%i] : memref<8xf32>
    %y = math.exp %x : f32
    memref.store %y, %out[%i] : memref<8xf32>
  }
  return
}
func.func @round_vector(%in: memref<8xf32>, %out: memref<8xbf16>) attributes {llvm.emit_c_interface} {
  %zero = arith.constant 0 : index
  %x = vector.load %in[%zero] : memref<8xf32>, vector<8xf32>
  %y = arith.truncf %x : vector<8xf32> to vector<8xbf16>
  vector.store %y, %out[%zero] : memref<8xbf16>, vector<8xbf16>
  return
}
func.func @add_bf16(%in: memref<8xbf16>, %out: memref<8xbf16>) attributes {llvm.emit_c_interface} {
  %zero = arith.constant 0 : index
  %x = vector.load %in[%zero] : memref<8xbf16>, vector<8xbf16>
  %y = arith.addf %x, %x : vector<8xbf16>
  %c = arith.constant 1.0 : bf16
  %ones = vector.broadcast %c : bf16 to vector<8xbf16>
  %z = arith.maximumf %y, %ones : vector<8xbf16>
  vector.store %z, %out[%zero] : memref<8xbf16>, vector<8xbf16>
  return
}
func.func @copy(%in: memref<4x3xf32, strided<[6, 2]>>, %out: memref<4x3xf32>) attributes {llvm.emit_c_interface} {
  memref.copy %in, %out : memref<4x3xf32, strided<[6, 2]>> to memref<4x3xf32>
  return
}
)";

struct Vector {
  void *allocated;
  void *aligned;
  int64_t offset = 0;
  int64_t size = 8;
  int64_t stride = 1;
  explicit Vector(void *data) : allocated(data), aligned(data) {}
};

class MathTest : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    CPUTarget target = llvm::cantFail(CPUTarget::parse(GetParam()));
    DialectRegistry registry;
    registerCPUTargetDialects(registry);
    MLIRContext context(registry);
    context.loadAllAvailableDialects();
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(moduleText, &context);
    ASSERT_TRUE(module);
    PassManager pm(&context);
    addLowerToLLVMPasses(pm, target);
    ASSERT_TRUE(succeeded(pm.run(*module)));
    JitOptions options;
    options.target = target;
    engine = llvm::cantFail(JitEngine::create(*module, options));
  }

  template <typename In, typename Out>
  void call(llvm::StringRef name, const In *in, Out *out) {
    Vector inArg(const_cast<In *>(in)), outArg(out);
    auto *function = reinterpret_cast<void (*)(Vector *, Vector *)>(
        llvm::cantFail(engine->lookup(("_mlir_ciface_" + name).str())));
    function(&inArg, &outArg);
  }

  std::unique_ptr<JitEngine> engine;
};

TEST_P(MathTest, VectorAndScalarExponentialsAgree) {
  uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    float in[8], vector[8], scalar[8];
    for (float &value : in) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-24f;
    }
    call("exp_vector", in, vector);
    call("exp_scalar", in, scalar);
    ASSERT_EQ(std::memcmp(vector, scalar, sizeof(vector)), 0);
    for (int i = 0; i < 8; ++i) {
      // Below the smallest normal number the result may be zero.
      double want = std::exp(static_cast<double>(in[i]));
      if (want > 1.2e-38 && want < 3.4e38) {
        ASSERT_NEAR(vector[i] / want, 1.0, 4e-7) << in[i];
      }
    }
  }
}

TEST_P(MathTest, ExponentialOfSpecialValues) {
  float infinity = std::numeric_limits<float>::infinity();
  float in[8] = {0.0f,     -0.0f, 1.0f,  -infinity,
                 infinity, 1e4f,  -1e4f, std::nanf("")};
  float out[8];
  call("exp_vector", in, out);
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_EQ(out[1], 1.0f);
  EXPECT_EQ(out[3], 0.0f);
  EXPECT_EQ(out[4], infinity);
  EXPECT_EQ(out[5], infinity);
  EXPECT_NEAR(out[6], 0.0f, 1.2e-38);
  EXPECT_TRUE(std::isnan(out[7]));
}

TEST_P(MathTest, RoundsToNearestEven) {
  uint32_t in[8] = {0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001,
                    0x7f7fffff, 0xff800000, 0x7f800001, 0x00000001};
  uint16_t out[8];
  call("round_vector", in, out);
  EXPECT_EQ(out[0], 0x3f80);
  EXPECT_EQ(out[1], 0x3f80); // tie, to even
  EXPECT_EQ(out[2], 0x3f82); // tie, to even
  EXPECT_EQ(out[3], 0x3f81);
  EXPECT_EQ(out[4], 0x7f80); // overflow
  EXPECT_EQ(out[5], 0xff80);
  EXPECT_EQ(out[6], 0x7fc0); // a NaN stays one
  EXPECT_EQ(out[7], 0x0000);
}

TEST_P(MathTest, ArithmeticOnBF16RoundsOnce) {
  uint16_t in[8] = {0x3f80, 0x4049, 0xbf80, 0x0000, 0x3f00, 0x7f7f, 0, 0};
  uint16_t out[8];
  call("add_bf16", in, out);
  EXPECT_EQ(out[0], 0x4000);
  EXPECT_EQ(out[1], 0x40c9);
  EXPECT_EQ(out[2], 0x3f80);
  EXPECT_EQ(out[4], 0x3f80);
  EXPECT_EQ(out[5], 0x7f80);
}

TEST_P(MathTest, CopiesStridedBuffers) {
  struct Matrix {
    float *allocated;
    float *aligned;
    int64_t offset;
    int64_t sizes[2];
    int64_t strides[2];
  };
  float in[24], out[12];
  for (int i = 0; i < 24; ++i) {
    in[i] = static_cast<float>(i);
  }
  Matrix from = {in, in, 0, {4, 3}, {6, 2}};
  Matrix to = {out, out, 0, {4, 3}, {3, 1}};
  auto *copy = reinterpret_cast<void (*)(Matrix *, Matrix *)>(
      llvm::cantFail(engine->lookup("_mlir_ciface_copy")));
  copy(&from, &to);
  for (int row = 0; row < 4; ++row) {
    for (int column = 0; column < 3; ++column) {
      EXPECT_EQ(out[3 * row + column],
                static_cast<float>(6 * row + 2 * column));
    }
  }
}

TEST_P(MathTest, MissingFunctionIsAnError) {
  llvm::Expected<void *> missing = engine->lookup("no_such_function");
  ASSERT_FALSE(static_cast<bool>(missing));
  EXPECT_NE(llvm::toString(missing.takeError()).find("no_such_function"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Targets, MathTest, testing::Values("x86-64", "native"),
                         [](const testing::TestParamInfo<const char *> &info) {
                           return std::string(info.param) == "native"
                                      ? "native"
                                      : "baseline";
                         });

} // namespace
