// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A grouped matrix product, compiled into the test, and the plain loop that it
// is compared with.

#ifndef MOE_TEST_UNIT_TARGET_CPU_COMPILEDMATMUL_H
#define MOE_TEST_UNIT_TARGET_CPU_COMPILEDMATMUL_H

#include "moe/Target/CPU/GroupedMatmul.h"
#include "moe/Target/CPU/JitEngine.h"
#include "moe/Target/CPU/PackedLayout.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/bit.h"

#include <cstring>
#include <vector>

namespace mlir::moe::test {

inline float widen(uint16_t half) {
  return llvm::bit_cast<float>(static_cast<uint32_t>(half) << 16);
}

/// Rounds to nearest, ties to even; no NaN comes this way.
inline uint16_t roundToBF16(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/// Numbers of one dtype, read and written as f32.
class Numbers {
public:
  Numbers() = default;
  Numbers(bool bf16, int64_t count)
      : bf16(bf16), bytes(count * (bf16 ? 2 : 4)) {}

  float get(int64_t i) const {
    if (bf16) {
      uint16_t half = 0;
      std::memcpy(&half, &bytes[2 * i], 2);
      return widen(half);
    }
    float value = 0;
    std::memcpy(&value, &bytes[4 * i], 4);
    return value;
  }
  void set(int64_t i, float value) {
    if (bf16) {
      uint16_t half = roundToBF16(value);
      std::memcpy(&bytes[2 * i], &half, 2);
    } else {
      std::memcpy(&bytes[4 * i], &value, 4);
    }
  }
  int64_t elementBytes() const { return bf16 ? 2 : 4; }
  char *data() { return bytes.data(); }
  const char *data() const { return bytes.data(); }

  /// Values in [-1, 1) that differ from seed to seed.
  static Numbers random(bool bf16, int64_t count, uint32_t seed);

private:
  bool bf16 = false;
  std::vector<char> bytes;
};

/// A product's dtypes and sizes.
struct Shape {
  int64_t k;
  int64_t n;
  bool bf16Input;
  bool bf16Output;
  int64_t weights = 1;
};

/// One compiled product.
class CompiledMatmul {
public:
  /// `epilogue` is the body of a function of as many f32 arguments as there are
  /// weights (%a0, %a1 …), or empty.
  CompiledMatmul(const Shape &shape, const CPUTarget &target,
                 llvm::StringRef epilogue = "");

  /// Weights of one table, one matrix [K, N] a group; null leaves it out.
  void setWeights(int64_t table, const std::vector<const Numbers *> &groups);

  /// Runs on `rows` [offsets.back(), K]; panels from `begin` to `end` only, all
  /// by default.
  Numbers run(const Numbers &rows, const std::vector<int32_t> &offsets);
  void run(const Numbers &rows, const std::vector<int32_t> &offsets,
           PanelRange panels, Numbers &out);

  int64_t panels() const { return layout.panels(); }

private:
  /// As MLIR's C interface passes a memref of rank 2; rank 1 uses a prefix.
  struct Descriptor {
    void *allocated;
    void *aligned;
    int64_t offset;
    int64_t sizes[2];
    int64_t strides[2];
  };
  struct Descriptor1 {
    void *allocated;
    void *aligned;
    int64_t offset;
    int64_t size;
    int64_t stride;
  };

  Shape shape;
  PackedLayout layout;
  MLIRContext context;
  std::unique_ptr<JitEngine> engine;
  void *entry = nullptr;
  std::vector<std::vector<std::unique_ptr<char, void (*)(void *)>>> storage;
  std::vector<std::vector<void *>> tables;
};

/// The targets that this machine can run: x86-64, x86-64-v3, native.
std::vector<std::string> runnableTargets();

} // namespace mlir::moe::test

#endif // MOE_TEST_UNIT_TARGET_CPU_COMPILEDMATMUL_H
