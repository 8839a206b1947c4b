//===- TableCells.h - Figures as cells --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_PLACEMENTTOOL_TABLECELLS_H
#define MOE_LIB_PLACEMENTTOOL_TABLECELLS_H

#include "moe/PlacementFiles/PlacementFile.h"
#include "moe/Report/Table.h"

namespace moe::placement {

inline report::Cell toCell(const std::optional<double> &figure) {
  return figure ? report::Cell(*figure) : report::Cell();
}

/// Exchange and experts; none where one is unknown.
inline std::optional<double> stepTime(const LayerFigures &figures) {
  if (!figures.exchangeUs || !figures.computeUs) {
    return std::nullopt;
  }
  return *figures.exchangeUs + *figures.computeUs;
}

/// Columns of which nothing is known say nothing to people.
void dropUnknownColumns(report::Table &table);

} // namespace moe::placement

#endif // MOE_LIB_PLACEMENTTOOL_TABLECELLS_H
