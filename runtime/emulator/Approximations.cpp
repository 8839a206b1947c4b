// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Approximations.cpp -------------------------------------------------===//

#include "emulator/Approximations.h"
#include "emulator/KernelImage.h"

#include <cmath>
#include <limits>

namespace moert::emulator {

static constexpr double ln2 = 0.6931471805599453094;
static constexpr double infinity = std::numeric_limits<double>::infinity();

/// The nearest integer, for numbers far below 2^51.
static double nearest(double x) {
  constexpr double shift = 6755399441055744.0; // 1.5 * 2^52
  return (x + shift) - shift;
}

/// e^x for |x| up to 0.35: the Taylor series, which ends below 2^-60.
static double expNearZero(double x) {
  double sum = 1;
  for (int term = 14; term > 0; --term) {
    sum = 1 + x / term * sum;
  }
  return sum;
}

static double exp2(double x) {
  if (!(x > -1100)) {
    return std::isnan(x) ? x : 0;
  }
  if (x >= 1024) {
    return infinity;
  }
  double whole = nearest(x);
  // ldexp is exact but for results below the normal numbers.
  return std::ldexp(expNearZero((x - whole) * ln2), int(whole));
}

/// ln m = 2 artanh((m - 1) / (m + 1)), by its series.
static double log2(double x) {
  if (!(x > 0)) {
    return x == 0 ? -infinity : std::numeric_limits<double>::quiet_NaN();
  }
  if (x == infinity) {
    return x;
  }
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  double s = (m - 1) / (m + 1);
  double sum = 0;
  for (int power = 25; power > 0; power -= 2) {
    sum = 1.0 / power + s * s * sum;
  }
  return exponent + 2 * s * sum / ln2;
}

static double tanh(double x) {
  double size = x < 0 ? -x : x;
  if (!(size > 1e-4)) {
    return x - x * x * x / 3;
  }
  if (size > 20) {
    return x < 0 ? -1 : 1;
  }
  double e = exp2(2 * x / ln2);
  return (e - 1) / (e + 1);
}

/// sin of x plus `quarters` quarters of a turn.
static double sine(double x, int quarters) {
  // Beyond this the ISA promises nothing, and neither does the reduction.
  constexpr double most = 1e9;
  if (!(x < most && x > -most)) {
    return std::isnan(x) || std::isinf(x)
               ? std::numeric_limits<double>::quiet_NaN()
               : 0;
  }
  // pi / 2 in two parts: products of the first with such integers are exact.
  constexpr double high = 1.57079625129699707031, low = 7.549789954891882e-08;
  double turns = nearest(x / (high + low));
  double r = (x - turns * high) - turns * low;
  auto quadrant = unsigned(int64_t(turns) + quarters) & 3;
  bool isCosine = quadrant % 2 != 0;
  // The Taylor series of sin or cos, of |r| up to pi / 4.
  double sum = 1;
  for (int term = isCosine ? 20 : 21; term > 1; term -= 2) {
    sum = 1 - r * r / (double(term) * (term - 1)) * sum;
  }
  double result = isCosine ? sum : r * sum;
  return quadrant >= 2 ? -result : result;
}

static float flush(float value) {
  bool isSubnormal = std::fabs(value) < std::numeric_limits<float>::min();
  return isSubnormal ? std::copysign(0.0f, value) : value;
}

static double evaluate(uint32_t function, double x) {
  switch (function) {
  case MOERT_KERNEL_EX2:
    return exp2(x);
  case MOERT_KERNEL_LG2:
    return log2(x);
  case MOERT_KERNEL_RCP:
    return 1 / x;
  case MOERT_KERNEL_RSQRT:
    return 1 / std::sqrt(x);
  case MOERT_KERNEL_SQRT:
    return std::sqrt(x);
  case MOERT_KERNEL_TANH:
    return tanh(x);
  case MOERT_KERNEL_SIN:
    return sine(x, 0);
  case MOERT_KERNEL_COS:
    return sine(x, 1);
  default:
    return std::numeric_limits<double>::quiet_NaN();
  }
}

float approximate(uint32_t function, float value) {
  bool flushes = (function & MOERT_KERNEL_FLUSH) != 0;
  float argument = flushes ? flush(value) : value;
  auto result =
      float(evaluate(function & ~uint32_t(MOERT_KERNEL_FLUSH), argument));
  if (std::isnan(result)) {
    // One NaN for all, as the ISA says of most instructions.
    return std::nanf("");
  }
  return flushes ? flush(result) : result;
}

} // namespace moert::emulator
