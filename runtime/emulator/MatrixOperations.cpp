// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MatrixOperations.cpp - ldmatrix and mma.sync -----------------------===//
//
// Which lane holds which element is in tables of
// docs/Rationale/emulated-device.md.
//
//===----------------------------------------------------------------------===//

#include "emulator/KernelRun.h"
#include "emulator/WarpOperations.h"

#include <cstring>

namespace moert::emulator {

//===----------------------------------------------------------------------===//
// ldmatrix
//===----------------------------------------------------------------------===//

/// Rows and columns of a matrix of 16-bit elements.
static constexpr uint32_t matrixExtent = 8;
using Matrix = uint16_t[matrixExtent][matrixExtent];

/// Row r of matrix m comes from the address of lane 8 m + r.
static void readRows(Warp &warp, uint32_t lanes, uint32_t load, uint32_t matrix,
                     Matrix &result) {
  for (uint32_t row = 0; row < matrixExtent; ++row) {
    uint32_t lane = matrix * matrixExtent + row;
    std::memset(result[row], 0, sizeof(result[row]));
    if ((lanes >> lane & 1) == 0) {
      continue;
    }
    const KernelThread &thread = warp.lanes[lane];
    const auto &own = *static_cast<LoadMatrixOperands *>(thread.operands);
    Instruction instruction = {thread, own.site, "reads"};
    KernelMemory &memory = thread.run->memory;
    Place place = memory.locate(instruction, own.addresses[load],
                                sizeof(result[row]), sizeof(result[row]));
    if (place.data) {
      memory.use(instruction, place, sizeof(result[row]), Use::Read);
      std::memcpy(result[row], place.data, sizeof(result[row]));
    }
  }
}

static uint32_t pack(uint16_t low, uint16_t high) {
  return uint32_t(low) | uint32_t(high) << 16;
}

void loadMatrices(Warp &warp, uint32_t lanes) {
  const KernelThread &first = warp.lanes[__builtin_ctz(lanes)];
  const auto common = *static_cast<LoadMatrixOperands *>(first.operands);
  for (uint32_t load = 0; load < common.count; ++load) {
    for (uint32_t m = 0; m < common.matrices; ++m) {
      Matrix matrix;
      readRows(warp, lanes, load, m, matrix);
      for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
        const KernelThread &thread = warp.lanes[__builtin_ctz(rest)];
        uint32_t row = thread.lane / 4, pair = thread.lane % 4 * 2;
        static_cast<LoadMatrixOperands *>(thread.operands)
            ->results[size_t(load) * common.matrices + m] =
            common.transposed ? pack(matrix[pair][row], matrix[pair + 1][row])
                              : pack(matrix[row][pair], matrix[row][pair + 1]);
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// mma.sync.m16n8k16
//===----------------------------------------------------------------------===//

namespace {
/// The operands of one product, as matrices.
struct Product {
  static constexpr uint32_t m = 16, n = 8, k = 16;
  float a[m][k];
  float b[k][n];
  float c[m][n];
};
} // namespace

static float lowHalf(uint32_t pair) {
  uint32_t bits = pair << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

static float highHalf(uint32_t pair) { return lowHalf(pair >> 16); }

/// Puts what a lane holds where it belongs.
static void gather(Product &product, uint32_t lane, const uint32_t *a,
                   const uint32_t *b, const float *c) {
  uint32_t group = lane / 4, pair = lane % 4 * 2;
  for (uint32_t half = 0; half < 2; ++half) {
    for (uint32_t lower = 0; lower < 2; ++lower) {
      uint32_t value = a[half * 2 + lower];
      float *to = &product.a[group + 8 * lower][pair + 8 * half];
      to[0] = lowHalf(value);
      to[1] = highHalf(value);
    }
    product.b[pair + 8 * half][group] = lowHalf(b[half]);
    product.b[pair + 8 * half + 1][group] = highHalf(b[half]);
    std::memcpy(&product.c[group + 8 * half][pair], c + size_t(half) * 2,
                2 * sizeof(float));
  }
}

/// d(i, j) = (((c(i, j) + a(i, 0) b(0, j)) + a(i, 1) b(1, j)) + …): the
/// products are exact in f32, each sum is rounded.
static void accumulate(Product &product) {
  for (uint32_t i = 0; i < Product::m; ++i) {
    float sums[Product::n];
    std::memcpy(sums, product.c[i], sizeof(sums));
    for (uint32_t k = 0; k < Product::k; ++k) {
      float factor = product.a[i][k];
      for (uint32_t j = 0; j < Product::n; ++j) {
        sums[j] += factor * product.b[k][j];
      }
    }
    std::memcpy(product.c[i], sums, sizeof(sums));
  }
}

void multiply(Warp &warp, uint32_t lanes) {
  const KernelThread &first = warp.lanes[__builtin_ctz(lanes)];
  uint32_t count = static_cast<MultiplyOperands *>(first.operands)->count;
  for (uint32_t index = 0; index < count; ++index) {
    Product product = {};
    for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
      const KernelThread &thread = warp.lanes[__builtin_ctz(rest)];
      const auto &own = *static_cast<MultiplyOperands *>(thread.operands);
      gather(product, thread.lane, own.a + size_t(index) * 4,
             own.b + size_t(index) * 2, own.c + size_t(index) * 4);
    }
    accumulate(product);
    for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
      const KernelThread &thread = warp.lanes[__builtin_ctz(rest)];
      float *d = static_cast<MultiplyOperands *>(thread.operands)->d +
                 size_t(index) * 4;
      uint32_t group = thread.lane / 4, pair = thread.lane % 4 * 2;
      std::memcpy(d, &product.c[group][pair], 2 * sizeof(float));
      std::memcpy(d + 2, &product.c[group + 8][pair], 2 * sizeof(float));
    }
  }
}

} // namespace moert::emulator
