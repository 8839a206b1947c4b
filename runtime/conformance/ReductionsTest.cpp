// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ReductionsTest.cpp - Rank order, f32 accumulation, one rounding ----===//

#include "Harness.h"
#include "core/NumberFormats.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace moert;
using namespace moert::conformance;

namespace {
class ReductionsTest : public TransportTest {};

struct PlainF32 {
  using Storage = float;
  static float load(float value) { return value; }
  static float store(float value) { return value; }
};
} // namespace

/// Values whose sum depends on the order in f32 and on every rounding.
static float sample(int32_t rank, int64_t index) {
  uint32_t bits =
      uint32_t(rank + 1) * 2654435761u ^ uint32_t(index + 1) * 2246822519u;
  bits ^= bits >> 15;
  bits *= 2654435761u;
  float value = float(int32_t(bits)) / 2147483648.0f;
  return index % 5 == 0 ? value * 16 : value;
}
MOERT_FOR_ALL_TRANSPORTS(ReductionsTest);

static float combine(float a, float b, moert_reduction reduction) {
  return reduction == MOERT_SUM   ? a + b
         : reduction == MOERT_MAX ? std::max(a, b)
                                  : std::min(a, b);
}

template <typename Format>
static std::vector<typename Format::Storage> sourceOf(int32_t rank,
                                                      int64_t count) {
  std::vector<typename Format::Storage> source;
  for (int64_t i = 0; i < count; ++i) {
    source.push_back(Format::store(sample(rank, i)));
  }
  return source;
}

/// What rank order, f32 accumulation and one rounding give.
template <typename Format>
static typename Format::Storage reference(int32_t ranks, int64_t index,
                                          moert_reduction reduction) {
  float sum = 0;
  for (int32_t p = 0; p < ranks; ++p) {
    float value = Format::load(Format::store(sample(p, index)));
    sum = p == 0 ? value : combine(sum, value, reduction);
  }
  return Format::store(sum);
}

/// Whether a result is the reference, or where the transport promises no order
/// of sums, as close to it as any order with a rounding at each rank is.
template <typename Format>
static testing::AssertionResult
isReduced(const Rank &rank, typename Format::Storage result, int64_t index,
          moert_reduction reduction) {
  using Storage = typename Format::Storage;
  Storage expected = reference<Format>(rank.size, index, reduction);
  if (std::memcmp(&result, &expected, sizeof(Storage)) == 0) {
    return testing::AssertionSuccess();
  }
  bool ordered = rank.query(MOERT_CAPABILITY_ORDERED_REDUCTIONS) != 0;
  if (ordered || reduction != MOERT_SUM) {
    return testing::AssertionFailure() << "other bits";
  }
  float magnitude = 0;
  for (int32_t p = 0; p < rank.size; ++p) {
    magnitude += std::fabs(sample(p, index));
  }
  // A rounding is at most half of 2^-3 (e4m3), 2^-2 (e5m2), 2^-10, 2^-7, 2^-23.
  float epsilon = sizeof(Storage) == 1   ? 0.25f
                  : sizeof(Storage) == 2 ? 1.0f / 128
                                         : 1.0f / (1 << 23);
  float difference = std::fabs(Format::load(result) - Format::load(expected));
  return difference <= epsilon * magnitude * float(rank.size)
             ? testing::AssertionSuccess()
             : testing::AssertionFailure() << "off by " << difference;
}

/// Whether the transport reduces the type; sizes are checked by none other.
static bool reduces(const Rank &rank, moert_dtype dtype) {
  return (rank.query(MOERT_CAPABILITY_REDUCIBLE_DTYPES) >> dtype & 1) != 0;
}

template <typename Format>
static void checkAllReduce(const Rank &rank, moert_dtype dtype, int64_t count,
                           moert_reduction reduction, bool inPlace) {
  using Storage = typename Format::Storage;
  Buffer<Storage> source(rank, sourceOf<Format>(rank.rank, count));
  Buffer<Storage> destination(rank,
                              std::vector<Storage>(size_t(count), Storage(1)));
  Buffer<Storage> &target = inPlace ? source : destination;
  moert_collective call = makeCall(MOERT_ALL_REDUCE, 1);
  call.src = source.data();
  call.dst = target.data();
  call.count = count;
  call.dtype = dtype;
  call.reduction = reduction;
  ASSERT_EQ(rank.run(call), MOERT_OK);
  const std::vector<Storage> &result = target.read();
  for (int64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(isReduced<Format>(rank, result[size_t(i)], i, reduction))
        << "dtype " << dtype << " element " << i;
  }
}

template <typename Format>
static void checkReduceScatter(const Rank &rank, moert_dtype dtype,
                               int64_t count) {
  using Storage = typename Format::Storage;
  Buffer<Storage> source(rank, sourceOf<Format>(rank.rank, count * rank.size));
  Buffer<Storage> destination(rank,
                              std::vector<Storage>(size_t(count), Storage(1)));
  moert_collective call = makeCall(MOERT_REDUCE_SCATTER, 2);
  call.src = source.data();
  call.dst = destination.data();
  call.count = count;
  call.dtype = dtype;
  ASSERT_EQ(rank.run(call), MOERT_OK);
  const std::vector<Storage> &result = destination.read();
  for (int64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(isReduced<Format>(rank, result[size_t(i)],
                                  rank.rank * count + i, MOERT_SUM))
        << "dtype " << dtype << " element " << i;
  }
}

template <typename Format>
static void checkFloat(const Rank &rank, moert_dtype dtype) {
  if (!reduces(rank, dtype)) {
    return;
  }
  for (int64_t count : {0, 1, 5, 3001}) {
    for (moert_reduction reduction : {MOERT_SUM, MOERT_MAX, MOERT_MIN}) {
      checkAllReduce<Format>(rank, dtype, count, reduction, false);
      checkAllReduce<Format>(rank, dtype, count, reduction, true);
    }
    checkReduceScatter<Format>(rank, dtype, count);
  }
}

TEST_P(ReductionsTest, FloatsAccumulateInF32InRankOrder) {
  for (int32_t ranks : rankCounts()) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    expectOk({ranks}, [](Rank &rank) {
      checkFloat<PlainF32>(rank, MOERT_F32);
      checkFloat<BF16>(rank, MOERT_BF16);
      checkFloat<F16>(rank, MOERT_F16);
      checkFloat<F8E4M3>(rank, MOERT_F8E4M3);
      checkFloat<F8E5M2>(rank, MOERT_F8E5M2);
    });
  }
}

template <typename T>
static void checkInteger(const Rank &rank, moert_dtype dtype) {
  if (!reduces(rank, dtype)) {
    return;
  }
  constexpr int64_t count = 37;
  auto value = [](int32_t r, int64_t i) {
    return T(uint64_t(r + 3) * 0x9E3779B97F4A7C15u + uint64_t(i) * 977);
  };
  for (moert_reduction reduction : {MOERT_SUM, MOERT_MAX, MOERT_MIN}) {
    std::vector<T> source;
    for (int64_t i = 0; i < count; ++i) {
      source.push_back(value(rank.rank, i));
    }
    Buffer<T> from(rank, source);
    Buffer<T> to(rank, std::vector<T>(count));
    moert_collective call = makeCall(MOERT_ALL_REDUCE, 3);
    call.src = from.data();
    call.dst = to.data();
    call.count = count;
    call.dtype = dtype;
    call.reduction = reduction;
    ASSERT_EQ(rank.run(call), MOERT_OK);
    const std::vector<T> &destination = to.read();
    for (int64_t i = 0; i < count; ++i) {
      T expected = value(0, i);
      for (int32_t p = 1; p < rank.size; ++p) {
        T other = value(p, i);
        expected = reduction == MOERT_SUM
                       ? T(uint64_t(expected) + uint64_t(other))
                   : reduction == MOERT_MAX ? std::max(expected, other)
                                            : std::min(expected, other);
      }
      ASSERT_EQ(destination[size_t(i)], expected) << "dtype " << dtype;
    }
  }
}

TEST_P(ReductionsTest, IntegersWrapAround) {
  for (int32_t ranks : rankCounts()) {
    expectOk({ranks}, [](Rank &rank) {
      checkInteger<int8_t>(rank, MOERT_INT8);
      checkInteger<int16_t>(rank, MOERT_INT16);
      checkInteger<int32_t>(rank, MOERT_INT32);
      checkInteger<int64_t>(rank, MOERT_INT64);
    });
  }
}

TEST_P(ReductionsTest, NotANumberWinsMaxAndMin) {
  if (onDevices()) {
    GTEST_SKIP() << "NCCL promises nothing of a NaN";
  }
  expectOk({3}, [](Rank &rank) {
    for (int32_t holder = 0; holder < 3; ++holder) {
      for (moert_reduction reduction : {MOERT_MAX, MOERT_MIN}) {
        float value = rank.rank == holder ? NAN : float(rank.rank);
        moert_collective call = makeCall(MOERT_ALL_REDUCE, 4);
        call.src = call.dst = &value;
        call.count = 1;
        call.reduction = reduction;
        ASSERT_EQ(rank.run(call), MOERT_OK);
        EXPECT_TRUE(std::isnan(value)) << "held by rank " << holder;
      }
    }
  });
}

TEST_P(ReductionsTest, BuffersNeedNoAlignment) {
  if (onDevices()) {
    GTEST_SKIP() << "NCCL wants elements aligned to their size";
  }
  expectOk({2}, [](Rank &rank) {
    char source[9], destination[9];
    float values[2] = {float(rank.rank + 1), 0.5f};
    std::memcpy(source + 1, values, sizeof(values));
    moert_collective call = makeCall(MOERT_ALL_REDUCE, 5);
    call.src = source + 1;
    call.dst = destination + 1;
    call.count = 2;
    ASSERT_EQ(rank.run(call), MOERT_OK);
    std::memcpy(values, destination + 1, sizeof(values));
    EXPECT_EQ(values[0], 3.0f);
    EXPECT_EQ(values[1], 1.0f);
  });
}
