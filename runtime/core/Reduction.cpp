// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Reduction.cpp ------------------------------------------------------===//

#include "core/Reduction.h"
#include "core/NumberFormats.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace moert {

/// Elements that are reduced at a time: a block of accumulators stays in L1.
static constexpr int64_t blockElements = 1024;

namespace {

struct F32 {
  using Storage = float;
  static float load(float value) { return value; }
  static float store(float value) { return value; }
};

/// Integers wrap around, so the accumulator is unsigned for sums; comparisons
/// are signed.
template <typename Signed> struct Integer {
  using Storage = Signed;
  static Signed load(Signed value) { return value; }
  static Signed store(Signed value) { return value; }
};

} // namespace

static float sum(float a, float b) { return a + b; }
static int64_t sum(int64_t a, int64_t b) {
  return int64_t(uint64_t(a) + uint64_t(b));
}
static int32_t sum(int32_t a, int32_t b) {
  return int32_t(uint32_t(a) + uint32_t(b));
}
static int16_t sum(int16_t a, int16_t b) { return int16_t(uint16_t(a + b)); }
static int8_t sum(int8_t a, int8_t b) { return int8_t(uint8_t(a + b)); }

template <typename T> static bool isNaN(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value);
  } else {
    return false;
  }
}
template <typename T> static T larger(T a, T b) {
  return a < b || isNaN(b) ? b : a;
}
template <typename T> static T smaller(T a, T b) {
  return b < a || isNaN(b) ? b : a;
}

template <typename T>
static void accumulate(T *into, const T *values, int64_t count,
                       moert_reduction reduction) {
  switch (reduction) {
  case MOERT_MAX:
    for (int64_t i = 0; i < count; ++i) {
      into[i] = larger(into[i], values[i]);
    }
    break;
  case MOERT_MIN:
    for (int64_t i = 0; i < count; ++i) {
      into[i] = smaller(into[i], values[i]);
    }
    break;
  default:
    for (int64_t i = 0; i < count; ++i) {
      into[i] = sum(into[i], values[i]);
    }
    break;
  }
}

template <typename Format>
static void reduceAs(const char *const *sources, int32_t sourceCount,
                     char *const *destinations, int32_t destinationCount,
                     int64_t count, moert_reduction reduction) {
  using Storage = typename Format::Storage;
  using Value = decltype(Format::load(Storage()));
  // Buffers of the caller need no alignment: elements pass through `raw`.
  Storage raw[blockElements];
  Value values[blockElements];
  Value result[blockElements];
  for (int64_t begin = 0; begin < count; begin += blockElements) {
    int64_t size = std::min(blockElements, count - begin);
    size_t offset = size_t(begin) * sizeof(Storage);
    size_t bytes = size_t(size) * sizeof(Storage);
    for (int32_t s = 0; s < sourceCount; ++s) {
      std::memcpy(raw, sources[s] + offset, bytes);
      Value *target = s == 0 ? result : values;
      for (int64_t i = 0; i < size; ++i) {
        target[i] = Format::load(raw[i]);
      }
      if (s > 0) {
        accumulate(result, values, size, reduction);
      }
    }
    for (int64_t i = 0; i < size; ++i) {
      raw[i] = Format::store(result[i]);
    }
    for (int32_t d = 0; d < destinationCount; ++d) {
      std::memcpy(destinations[d] + offset, raw, bytes);
    }
  }
}

void reduce(const char *const *sources, int32_t sourceCount,
            char *const *destinations, int32_t destinationCount, int64_t count,
            moert_dtype dtype, moert_reduction reduction) {
  auto run = [&](auto format) {
    reduceAs<decltype(format)>(sources, sourceCount, destinations,
                               destinationCount, count, reduction);
  };
  switch (dtype) {
  case MOERT_F32:
    return run(F32());
  case MOERT_BF16:
    return run(BF16());
  case MOERT_F16:
    return run(F16());
  case MOERT_F8E4M3:
    return run(F8E4M3());
  case MOERT_F8E5M2:
    return run(F8E5M2());
  case MOERT_INT8:
    return run(Integer<int8_t>());
  case MOERT_INT16:
    return run(Integer<int16_t>());
  case MOERT_INT32:
    return run(Integer<int32_t>());
  case MOERT_INT64:
    return run(Integer<int64_t>());
  default:
    return;
  }
}

} // namespace moert
