//===- ExchangesOfEight.h - Plans over eight ranks --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_TEST_UNIT_PLANNING_EXCHANGESOFEIGHT_H
#define MOE_TEST_UNIT_PLANNING_EXCHANGESOFEIGHT_H

#include "moe/Planning/CountMatrix.h"
#include "moe/Planning/ExchangePlan.h"
#include <random>

namespace moe::planning::test {

inline const DeviceGroup allDevices = {0, 1, 2, 3, 4, 5, 6, 7};

/// The exchange of rows of 10 bytes over eight ranks, 3 slots and a bound of 40
/// rows each.
inline ExchangePlan plan(ExchangeDirection direction, ExchangeForm form) {
  ExchangeRequest request;
  request.direction = direction;
  request.form = form;
  request.axes = {"ep"};
  request.rowBytes = 10;
  request.localSlots = 3;
  request.bound = 40;
  return ExchangePlan::create(request);
}

inline ExchangePlan exactDispatch() {
  return plan(ExchangeDirection::Dispatch, ExchangeForm::FlatExact);
}

inline ExchangePlan combine() {
  return plan(ExchangeDirection::Combine, ExchangeForm::FlatExact);
}

/// From 0 to 4 rows from each rank to each.
inline CountMatrix randomCounts(int64_t ranks, unsigned seed) {
  std::mt19937 random(seed);
  CountMatrix counts(ranks);
  for (int64_t s = 0; s < ranks; ++s) {
    for (int64_t d = 0; d < ranks; ++d) {
      counts.add(s, d, random() % 5);
    }
  }
  return counts;
}

} // namespace moe::planning::test

#endif // MOE_TEST_UNIT_PLANNING_EXCHANGESOFEIGHT_H
