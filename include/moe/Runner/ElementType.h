// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The element types that weight files can hold, and conversions between those
// that the project computes with.
#ifndef MOE_RUNNER_ELEMENTTYPE_H
#define MOE_RUNNER_ELEMENTTYPE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/bit.h"

#include <cstdint>
#include <optional>

namespace moe::runner {

/// In the order of safetensors' own list. Only F32, BF16 and F16 can be read
/// as numbers; the others can be listed, measured and refused by name.
enum class ElementType : uint8_t {
  Bool,
  F4,
  F6_E2M3,
  F6_E3M2,
  U8,
  I8,
  F8_E5M2,
  F8_E4M3,
  F8_E8M0,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64
};

/// The name that a safetensors header uses ("BF16").
llvm::StringRef name(ElementType type);
std::optional<ElementType> elementTypeFromName(llvm::StringRef name);

/// Bits of one element: 4 and 6 occur.
unsigned bitWidth(ElementType type);

/// True for F32, BF16 and F16: what `convert` takes.
bool isReadable(ElementType type);

/// Round to nearest, ties to even; every NaN becomes a quiet one.
inline uint16_t toBF16(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  uint32_t quiet = (bits >> 16) | 0x40;
  return static_cast<uint16_t>((bits & 0x7FFFFFFF) > 0x7F800000 ? quiet
                                                                : rounded);
}

inline float fromBF16(uint16_t value) {
  uint32_t bits = static_cast<uint32_t>(value) << 16;
  return llvm::bit_cast<float>(bits);
}

/// Round to nearest, ties to even, subnormals kept, overflow to infinity.
uint16_t toF16(float value);
float fromF16(uint16_t value);

/// Converts `count` elements. Both types must be readable; neither pointer
/// needs to be aligned; the ranges must not overlap.
void convert(ElementType from, const void *source, ElementType to,
             void *destination, int64_t count);

} // namespace moe::runner

#endif // MOE_RUNNER_ELEMENTTYPE_H
