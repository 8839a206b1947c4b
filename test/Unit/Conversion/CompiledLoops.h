// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of `moe` ops on buffers, compiled: to loops in this process, or to
// kernels on an emulated device. Tests are the same for both; the program says
// which by what it links, CompiledOnCPU.cpp or CompiledOnDevice.cpp.

#ifndef MOE_TEST_UNIT_CONVERSION_COMPILEDLOOPS_H
#define MOE_TEST_UNIT_CONVERSION_COMPILEDLOOPS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"

#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <vector>

namespace mlir::moe::test {

/// A bf16 number by its bits.
struct BF16 {
  uint16_t bits = 0;

  BF16() = default;
  BF16(float value) {
    uint32_t word = llvm::bit_cast<uint32_t>(value);
    bits =
        std::isnan(value)
            ? 0x7fc0
            : static_cast<uint16_t>((word + 0x7fff + ((word >> 16) & 1)) >> 16);
  }
  operator float() const {
    return llvm::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};

/// What compiled code takes for a memref: its descriptor.
template <typename T, int Rank> struct Descriptor {
  T *allocated;
  T *aligned;
  int64_t offset;
  int64_t sizes[Rank];
  int64_t strides[Rank];
};

/// A buffer that a function is called with, or a number.
struct CallArgument {
  /// What compiled code on the CPU takes.
  void *descriptor = nullptr;
  void *data = nullptr;
  size_t bytes = 0;
  llvm::ArrayRef<int64_t> sizes;
  int64_t number = 0;
};

/// A row-major buffer; it fails the test when something was written around it.
template <typename T, int Rank> class Buffer {
public:
  explicit Buffer(std::array<int64_t, Rank> sizes, T value = T()) {
    int64_t stride = 1;
    for (int i = Rank - 1; i >= 0; --i) {
      descriptor.sizes[i] = sizes[i];
      descriptor.strides[i] = stride;
      stride *= sizes[i];
    }
    count = stride;
    storage.resize((count + 2 * guard) * sizeof(T), guardByte);
    descriptor.allocated = descriptor.aligned =
        reinterpret_cast<T *>(storage.data()) + guard;
    descriptor.offset = 0;
    std::fill(begin(), end(), value);
  }
  Buffer(const Buffer &) = delete;
  ~Buffer() {
    for (int64_t i = 0; i < guard * static_cast<int64_t>(sizeof(T)); ++i) {
      EXPECT_EQ(storage[i], guardByte);
      EXPECT_EQ(storage[storage.size() - 1 - i], guardByte);
    }
  }

  template <typename... Index> T &operator()(Index... index) {
    int64_t at = 0;
    int dim = 0;
    ((at += index * descriptor.strides[dim++]), ...);
    return descriptor.aligned[at];
  }
  T *begin() { return descriptor.aligned; }
  T *end() { return descriptor.aligned + count; }
  int64_t size(int dim) const { return descriptor.sizes[dim]; }
  CallArgument argument() {
    return {&descriptor,
            descriptor.aligned,
            count * sizeof(T),
            {descriptor.sizes, Rank}};
  }

private:
  static constexpr int64_t guard = 64;
  static constexpr unsigned char guardByte = 0xa5;
  Descriptor<T, Rank> descriptor;
  std::vector<unsigned char> storage;
  int64_t count = 0;
};

/// Numbers that stand for `$name` in the text of a module.
using Numbers = std::map<std::string, std::string>;

/// The functions of one module, compiled.
class CompiledCode {
public:
  virtual ~CompiledCode() = default;
  virtual void call(StringRef name, llvm::ArrayRef<CallArgument> arguments) = 0;

  /// For what this program tests.
  static std::unique_ptr<CompiledCode> create(OwningOpRef<ModuleOp> module,
                                              StringRef cpu);
  /// Whether it runs on a device: not all is converted there, and writes that
  /// nothing orders are errors.
  static bool isOnDevice();
  /// What modules are made of.
  static void registerDialects(DialectRegistry &registry);
};

class CompiledLoops {
public:
  /// `text` compiled, once for all tests; on the CPU for the named one.
  /// Placements come in as tables, by `builtin.unrealized_conversion_cast`.
  static CompiledLoops &get(std::string text, const Numbers &numbers = {},
                            StringRef cpu = "native");

  /// Calls the function `name`: buffers by reference, extents by value.
  template <typename... Args> void call(StringRef name, Args &&...args) {
    auto pass = [](auto &argument) -> CallArgument {
      if constexpr (std::is_integral_v<std::decay_t<decltype(argument)>>) {
        CallArgument number;
        number.number = argument;
        return number;
      } else {
        return argument.argument();
      }
    };
    code->call(name, {pass(args)...});
  }

private:
  CompiledLoops(const std::string &text, StringRef cpu);

  MLIRContext context;
  std::unique_ptr<CompiledCode> code;
};

/// Reproducible numbers for tests.
class Random {
public:
  explicit Random(uint32_t seed) : state(seed * 2654435761u + 1) {}

  /// In [0, bound).
  int64_t below(int64_t bound) {
    state = state * 1664525u + 1013904223u;
    return (static_cast<uint64_t>(state) * bound) >> 32;
  }
  /// In [-1, 1), one of `levels` values: few of them tie often.
  float level(int64_t levels) {
    return static_cast<float>(below(levels)) * 2 / levels - 1;
  }

private:
  uint32_t state;
};

/// The same number, a NaN for a NaN, and -0 apart from 0.
inline bool sameBits(float a, float b) {
  return (a != a && b != b) || std::memcmp(&a, &b, sizeof(a)) == 0;
}

} // namespace mlir::moe::test

#endif // MOE_TEST_UNIT_CONVERSION_COMPILEDLOOPS_H
