// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/ElementType.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <cstring>

using namespace moe::runner;

namespace {
struct TypeRow {
  llvm::StringLiteral name;
  unsigned bits;
};
} // namespace

static constexpr TypeRow typeTable[] = {
    {"BOOL", 8}, {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
    {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"I16", 16},
    {"U16", 16}, {"F16", 16},    {"BF16", 16},   {"I32", 32},    {"U32", 32},
    {"F32", 32}, {"C64", 64},    {"F64", 64},    {"I64", 64},    {"U64", 64},
};
static_assert(std::size(typeTable) ==
              static_cast<size_t>(ElementType::U64) + 1);

llvm::StringRef moe::runner::name(ElementType type) {
  return typeTable[static_cast<size_t>(type)].name;
}

std::optional<ElementType>
moe::runner::elementTypeFromName(llvm::StringRef name) {
  const TypeRow *row = llvm::find_if(
      typeTable, [&](const TypeRow &row) { return row.name == name; });
  if (row == std::end(typeTable)) {
    return std::nullopt;
  }
  return static_cast<ElementType>(row - std::begin(typeTable));
}

unsigned moe::runner::bitWidth(ElementType type) {
  return typeTable[static_cast<size_t>(type)].bits;
}

bool moe::runner::isReadable(ElementType type) {
  return type == ElementType::F32 || type == ElementType::BF16 ||
         type == ElementType::F16;
}

uint16_t moe::runner::toF16(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  uint32_t sign = (bits >> 16) & 0x8000;
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) {
    return static_cast<uint16_t>(sign | 0x7E00 | ((magnitude >> 13) & 0x3FF));
  }
  if (magnitude < 0x38800000) {
    // Below the smallest normal f16: adding 0.5 leaves the 10 bits that a
    // subnormal keeps at the end of the sum, rounded by the addition.
    float absolute = llvm::bit_cast<float>(magnitude);
    float shifted = absolute + 0.5f;
    uint32_t shiftedBits = llvm::bit_cast<uint32_t>(shifted);
    return static_cast<uint16_t>(sign | (shiftedBits - 0x3F000000));
  }
  uint32_t rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1);
  uint32_t result = (rounded - 0x38000000) >> 13;
  return static_cast<uint16_t>(sign | std::min<uint32_t>(result, 0x7C00));
}

float moe::runner::fromF16(uint16_t value) {
  uint32_t sign = static_cast<uint32_t>(value & 0x8000) << 16;
  uint32_t magnitude = value & 0x7FFF;
  uint32_t bits = 0;
  if (magnitude >= 0x7C00) {
    bits = 0x7F800000 | ((magnitude & 0x3FF) << 13);
  } else if (magnitude >= 0x400) {
    bits = (magnitude << 13) + 0x38000000;
  } else {
    float subnormal = static_cast<float>(magnitude) * 0x1p-24f;
    bits = llvm::bit_cast<uint32_t>(subnormal);
  }
  bits |= sign;
  return llvm::bit_cast<float>(bits);
}

template <typename From, typename To, typename Function>
static void convertEach(const void *source, void *destination, int64_t count,
                        Function function) {
  const char *from = static_cast<const char *>(source);
  char *to = static_cast<char *>(destination);
  for (int64_t i = 0; i < count; ++i) {
    From element;
    std::memcpy(&element, from + i * sizeof(From), sizeof(From));
    To result = function(element);
    std::memcpy(to + i * sizeof(To), &result, sizeof(To));
  }
}

static void convertFromF32(const void *source, ElementType to,
                           void *destination, int64_t count) {
  if (to == ElementType::BF16) {
    convertEach<float, uint16_t>(source, destination, count, toBF16);
  } else {
    convertEach<float, uint16_t>(source, destination, count, toF16);
  }
}

static void convertFrom16(ElementType from, const void *source, ElementType to,
                          void *destination, int64_t count) {
  if (from == ElementType::BF16 && to == ElementType::F32) {
    convertEach<uint16_t, float>(source, destination, count, fromBF16);
  } else if (from == ElementType::BF16) {
    convertEach<uint16_t, uint16_t>(
        source, destination, count,
        [](uint16_t element) { return toF16(fromBF16(element)); });
  } else if (to == ElementType::F32) {
    convertEach<uint16_t, float>(source, destination, count, fromF16);
  } else {
    convertEach<uint16_t, uint16_t>(
        source, destination, count,
        [](uint16_t element) { return toBF16(fromF16(element)); });
  }
}

void moe::runner::convert(ElementType from, const void *source, ElementType to,
                          void *destination, int64_t count) {
  assert(isReadable(from) && isReadable(to) && "types that hold no numbers");
  if (count == 0) {
    return;
  }
  if (from == to) {
    std::memcpy(destination, source, count * (bitWidth(to) / 8));
  } else if (from == ElementType::F32) {
    convertFromF32(source, to, destination, count);
  } else {
    convertFrom16(from, source, to, destination, count);
  }
}
