// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "moe/Runner/RandomTensor.h"

#include <algorithm>
#include <cmath>

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
__attribute__((always_inline)) static inline void
fillF32(const Stream &stream, float *__restrict destination) {
  for (int64_t i = 0; i < stream.count; ++i) {
    destination[i] = valueOf(bitsAt(stream.key, stream.first + i), stream.scale,
                             stream.offset);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,avx512vl,prefer-256-bit"))) static void
fillF32AVX512(const Stream &stream, float *destination) {
  fillF32(stream, destination);
}

__attribute__((target("avx2"))) static void fillF32AVX2(const Stream &stream,
                                                        float *destination) {
  fillF32(stream, destination);
}
#endif

static void fillF32Portable(const Stream &stream, float *destination) {
  fillF32(stream, destination);
}

using FillFunction = void (*)(const Stream &, float *);

static FillFunction chooseFill() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return fillF32AVX512;
  }
  if (__builtin_cpu_supports("avx2")) {
    return fillF32AVX2;
  }
#endif
  return fillF32Portable;
}

void RandomTensor::fill(int64_t first, int64_t count, ElementType type,
                        void *destination) const {
  static const FillFunction fillChunk = chooseFill();
  constexpr int64_t chunk = 1024;
  float values[chunk];
  char *output = static_cast<char *>(destination);
  for (int64_t done = 0; done < count; done += chunk) {
    int64_t size = std::min(chunk, count - done);
    fillChunk({key, scale, offset, static_cast<uint64_t>(first + done), size},
              values);
    convert(ElementType::F32, values, type,
            output + done * (bitWidth(type) / 8), size);
  }
}
