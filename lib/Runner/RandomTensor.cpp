// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/RandomTensor.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

using namespace moe::runner;

static constexpr uint64_t golden = 0x9E3779B97F4A7C15;

static inline uint64_t mix(uint64_t bits) {
  bits ^= bits >> 30;
  bits *= 0xBF58476D1CE4E5B9;
  bits ^= bits >> 27;
  bits *= 0x94D049BB133111EB;
  return bits ^ (bits >> 31);
}

static uint64_t hashOfName(llvm::StringRef name) {
  uint64_t hash = 0xCBF29CE484222325;
  for (char symbol : name) {
    hash ^= static_cast<unsigned char>(symbol);
    hash *= 0x100000001B3;
  }
  return hash;
}

static uint64_t keyOf(llvm::StringRef name, uint64_t seed) {
  return mix(hashOfName(name) ^ mix(seed + golden));
}

static inline uint64_t bitsAt(uint64_t key, uint64_t index) {
  return mix(key + (index + 1) * golden);
}

/// Exact in f32 up to the multiplication by \p scale.
static inline float valueOf(uint64_t bits, float scale, float offset) {
  // Through int32: every instruction set converts it, few convert 64 bits.
  float unit = static_cast<float>(static_cast<int32_t>(bits >> 40)) * 0x1p-23f;
  return offset + (unit - 1.0f) * scale;
}

RandomTensor::RandomTensor(llvm::StringRef name, uint64_t seed,
                           llvm::ArrayRef<int64_t> shape)
    : key(keyOf(name, seed)), scale(0.125f), offset(0.0f) {
  if (shape.size() >= 2) {
    double width = static_cast<double>(std::max<int64_t>(shape.back(), 1));
    scale = static_cast<float>(std::sqrt(3.0 / width));
  } else if (name.ends_with("norm.weight")) {
    // "layernorm.weight" ends so too.
    offset = 1.0f;
  }
}

RandomTensor RandomTensor::tokens(uint64_t seed) {
  return RandomTensor(keyOf("input", seed), static_cast<float>(std::sqrt(3.0)),
                      0.0f);
}

uint64_t RandomTensor::bits(int64_t index) const {
  return bitsAt(key, static_cast<uint64_t>(index));
}

float RandomTensor::value(int64_t index) const {
  return valueOf(bits(index), scale, offset);
}

namespace {
struct Stream {
  uint64_t key;
  float scale;
  float offset;
  uint64_t first;
  int64_t count;
};
} // namespace

// One loop for all instruction sets: forced inline into functions that differ
// in what they may use, so that the multiplications of 64 bits vectorise where
// the CPU has them.
template <typename Element>
__attribute__((always_inline)) static inline void
fillWith(const Stream &stream, Element *__restrict destination) {
  for (int64_t i = 0; i < stream.count; ++i) {
    float value = valueOf(bitsAt(stream.key, stream.first + i), stream.scale,
                          stream.offset);
    if constexpr (std::is_same_v<Element, float>) {
      destination[i] = value;
    } else {
      destination[i] = toBF16(value);
    }
  }
}

#if defined(__x86_64__)
template <typename Element>
__attribute__((target("avx512f,avx512dq,avx512vl"))) static void
fillAVX512(const Stream &stream, Element *destination) {
  fillWith(stream, destination);
}

template <typename Element>
__attribute__((target("avx2"))) static void fillAVX2(const Stream &stream,
                                                     Element *destination) {
  fillWith(stream, destination);
}
#endif

template <typename Element>
static void fillPortable(const Stream &stream, Element *destination) {
  fillWith(stream, destination);
}

template <typename Element>
using FillFunction = void (*)(const Stream &, Element *);

template <typename Element> static FillFunction<Element> chooseFill() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return fillAVX512<Element>;
  }
  if (__builtin_cpu_supports("avx2")) {
    return fillAVX2<Element>;
  }
#endif
  return fillPortable<Element>;
}

/// Fills through a buffer of \p Element, which is converted to \p type: the
/// destination may be unaligned.
template <typename Element>
static void fillChunks(Stream stream, ElementType buffered, ElementType type,
                       void *destination) {
  static const FillFunction<Element> fillChunk = chooseFill<Element>();
  constexpr int64_t chunk = 1024;
  Element values[chunk];
  char *output = static_cast<char *>(destination);
  int64_t left = stream.count;
  while (left > 0) {
    stream.count = std::min(chunk, left);
    fillChunk(stream, values);
    convert(buffered, values, type, output, stream.count);
    output += stream.count * (bitWidth(type) / 8);
    stream.first += static_cast<uint64_t>(stream.count);
    left -= stream.count;
  }
}

void RandomTensor::fill(int64_t first, int64_t count, ElementType type,
                        void *destination) const {
  Stream stream{key, scale, offset, static_cast<uint64_t>(first), count};
  if (type == ElementType::BF16) {
    fillChunks<uint16_t>(stream, ElementType::BF16, type, destination);
  } else {
    fillChunks<float>(stream, ElementType::F32, type, destination);
  }
}
