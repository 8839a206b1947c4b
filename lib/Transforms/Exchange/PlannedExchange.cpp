// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlannedExchange.h"

#include "moe/Analysis/PlanAttributes.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

planning::ExchangePlan
PlannedExchange::plan(planning::ExchangeDirection direction, ShapedType rows) {
  planning::ExchangeRequest request;
  request.direction = direction;
  request.form = toPlanning(exchange.getForm());
  request.axes = toPlanning(axes);
  request.rowBytes = rows.getDimSize(1) * rows.getElementTypeBitWidth() / 8;
  request.localSlots = slots;
  request.bound = exchange.getBound();
  return planning::ExchangePlan::create(request);
}
