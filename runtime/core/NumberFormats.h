// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NumberFormats.h - 8- and 16-bit floating point -----------*- C++ -*-===//
//
// Conversions to and from f32, in plain integer arithmetic, so that a result
// does not depend on the CPU. To f32 is exact; from f32 rounds to nearest even.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_CORE_NUMBERFORMATS_H
#define MOERT_CORE_NUMBERFORMATS_H

#include <cstdint>
#include <cstring>

namespace moert {

inline uint32_t bitsOf(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}
inline float floatOf(uint32_t bits) {
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

struct BF16 {
  using Storage = uint16_t;
  static float load(Storage bits) { return floatOf(uint32_t(bits) << 16); }
  static Storage store(float value) {
    uint32_t bits = bitsOf(value);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    uint32_t quiet = (bits >> 16) | 0x40;
    return Storage((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
  }
};

/// A format with one sign bit, `ExponentBits`, `MantissaBits`, IEEE bias.
/// With `Finite` the format has no infinities: its only NaN has all bits set,
/// and what is too large becomes NaN.
template <typename StorageType, int ExponentBits, int MantissaBits, bool Finite>
struct SmallFloat {
  using Storage = StorageType;
  static constexpr int bias = (1 << (ExponentBits - 1)) - 1;
  static constexpr uint32_t maxExponent = (1u << ExponentBits) - 1;
  static constexpr uint32_t mantissaMask = (1u << MantissaBits) - 1;
  static constexpr int signShift = ExponentBits + MantissaBits;
  /// The magnitude of the NaN that store returns, and of what overflows.
  static constexpr uint32_t nan =
      Finite ? (maxExponent << MantissaBits) | mantissaMask
             : (maxExponent << MantissaBits) | (1u << (MantissaBits - 1));
  static constexpr uint32_t overflow =
      Finite ? nan : maxExponent << MantissaBits;
  static constexpr uint32_t largest =
      Finite ? nan - 1 : (maxExponent << MantissaBits) - 1;

  static float load(Storage bits) {
    uint32_t sign = uint32_t(bits >> signShift) << 31;
    uint32_t magnitude = bits & ((1u << signShift) - 1);
    uint32_t exponent = magnitude >> MantissaBits;
    if (magnitude == nan || (!Finite && exponent == maxExponent)) {
      uint32_t mantissa = magnitude & mantissaMask;
      return floatOf(
          sign | 0x7f800000 |
          (mantissa ? 0x400000 | mantissa << (23 - MantissaBits) : 0));
    }
    if (exponent == 0) {
      // Subnormal: an integer times the smallest subnormal, exact in f32.
      float scale = floatOf(uint32_t(128 - bias - MantissaBits) << 23);
      return floatOf(sign | bitsOf(float(magnitude) * scale));
    }
    return floatOf(sign | ((magnitude << (23 - MantissaBits)) +
                           (uint32_t(127 - bias) << 23)));
  }

  static Storage store(float value) {
    uint32_t bits = bitsOf(value);
    Storage sign = Storage((bits >> 31) << signShift);
    uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      return Storage(sign | nan);
    }
    int exponent = int(magnitude >> 23) - 127 + bias;
    uint32_t significand = (magnitude & 0x7fffff) | 0x800000;
    int shift = 23 - MantissaBits;
    if (exponent <= 0) {
      shift += 1 - exponent;
      exponent = 0;
    }
    if (shift > 24) {
      return sign;
    }
    uint32_t kept = significand >> shift;
    uint32_t rest = significand & ((1u << shift) - 1);
    uint32_t half = 1u << (shift - 1);
    kept += rest > half || (rest == half && (kept & 1));
    // A normal number's hidden bit adds one to the exponent field.
    uint32_t result =
        (uint32_t(exponent > 0 ? exponent - 1 : 0) << MantissaBits) + kept;
    return Storage(sign | (result > largest ? overflow : result));
  }
};

using F16 = SmallFloat<uint16_t, 5, 10, false>;
using F8E4M3 = SmallFloat<uint8_t, 4, 3, true>;
using F8E5M2 = SmallFloat<uint8_t, 5, 2, false>;

} // namespace moert

#endif // MOERT_CORE_NUMBERFORMATS_H
