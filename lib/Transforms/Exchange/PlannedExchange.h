// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The plan by which an exchange is emitted, and with which what was emitted is
// compared.

#ifndef MOE_LIB_TRANSFORMS_EXCHANGE_PLANNEDEXCHANGE_H
#define MOE_LIB_TRANSFORMS_EXCHANGE_PLANNEDEXCHANGE_H

#include "moe/Dialect/MoE/MoE.h"
#include "moe/Planning/ExchangePlan.h"

namespace mlir::moe {

/// What all dispatches and combines of a layer share.
struct PlannedExchange {
  ExchangeOp exchange;
  /// The ranks that exchange.
  comm::AxisListAttr axes;
  /// Slots that every rank's code works on.
  int64_t slots = 0;

  /// The phases for rows of this type.
  ::moe::planning::ExchangePlan
  plan(::moe::planning::ExchangeDirection direction, ShapedType rows);
};

} // namespace mlir::moe

#endif // MOE_LIB_TRANSFORMS_EXCHANGE_PLANNEDEXCHANGE_H
