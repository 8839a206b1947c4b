//===- Quantity.h - Strong types for bytes, times and rates -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Times, bytes and rates are distinct types, so that a byte count cannot be
// added to a latency. Each wraps a double: expected traffic is fractional, and
// whole numbers stay exact up to 2^53 (9 PB), so counts that really occurred
// compare exactly.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_PLANNING_QUANTITY_H
#define MOE_PLANNING_QUANTITY_H

namespace moe::planning {

/// A number with a unit. `Unit` supplies the symbol that reports print.
template <typename Unit> class Quantity {
public:
  constexpr Quantity() = default;
  explicit constexpr Quantity(double value) : number(value) {}

  constexpr double value() const { return number; }
  static constexpr const char *symbol() { return Unit::symbol; }

  constexpr Quantity operator+(Quantity other) const {
    return Quantity(number + other.number);
  }
  constexpr Quantity operator-(Quantity other) const {
    return Quantity(number - other.number);
  }
  constexpr Quantity operator*(double factor) const {
    return Quantity(number * factor);
  }
  constexpr Quantity operator/(double divisor) const {
    return Quantity(number / divisor);
  }
  /// The ratio of two quantities of one unit has none.
  constexpr double operator/(Quantity other) const {
    return number / other.number;
  }
  constexpr Quantity &operator+=(Quantity other) {
    number += other.number;
    return *this;
  }
  constexpr bool operator==(Quantity other) const {
    return number == other.number;
  }
  constexpr bool operator!=(Quantity other) const { return !(*this == other); }
  constexpr bool operator<(Quantity other) const {
    return number < other.number;
  }
  constexpr bool operator>(Quantity other) const { return other < *this; }
  constexpr bool operator<=(Quantity other) const { return !(other < *this); }
  constexpr bool operator>=(Quantity other) const { return !(*this < other); }

private:
  double number = 0;
};

template <typename Unit>
constexpr Quantity<Unit> operator*(double factor, Quantity<Unit> quantity) {
  return quantity * factor;
}

namespace unit {
struct Bytes {
  static constexpr const char *symbol = "B";
};
struct Microseconds {
  static constexpr const char *symbol = "us";
};
/// 10^9 bytes a second.
struct GigabytesPerSecond {
  static constexpr const char *symbol = "GB/s";
};
struct Flops {
  static constexpr const char *symbol = "FLOP";
};
/// 10^12 floating-point operations a second.
struct TeraflopsPerSecond {
  static constexpr const char *symbol = "TFLOP/s";
};
} // namespace unit

using Bytes = Quantity<unit::Bytes>;
using Microseconds = Quantity<unit::Microseconds>;
using GigabytesPerSecond = Quantity<unit::GigabytesPerSecond>;
using Flops = Quantity<unit::Flops>;
using TeraflopsPerSecond = Quantity<unit::TeraflopsPerSecond>;

/// 1 GB/s moves 10^3 bytes in a microsecond.
constexpr Microseconds operator/(Bytes bytes, GigabytesPerSecond rate) {
  return Microseconds(bytes.value() / (rate.value() * 1e3));
}
/// 1 TFLOP/s does 10^6 operations in a microsecond.
constexpr Microseconds operator/(Flops flops, TeraflopsPerSecond rate) {
  return Microseconds(flops.value() / (rate.value() * 1e6));
}

} // namespace moe::planning

#endif // MOE_PLANNING_QUANTITY_H
