//===- DrawHeatMap.cpp - Heat maps as SVG ---------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SvgCanvas.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace moe::report;

static constexpr double left = 96, top = 62, right = 16, bottom = 14;
/// Room for the cells, and the size that one of them has at most and at least.
static constexpr double roomWide = 880, roomHigh = 620;
static constexpr double largest = 30, smallest = 1.5;

static double cellSize(size_t count, double room) {
  double size = room / double(std::max<size_t>(count, 1));
  return std::clamp(size, smallest, largest);
}

/// Labels that stand at least `distance` apart.
static size_t labelStep(double cell, double distance) {
  return std::max<size_t>(1, std::lround(std::ceil(distance / cell)));
}

static void drawLabels(const HeatMap &map, double wide, double high,
                       SvgCanvas &canvas) {
  size_t widest = 1;
  for (const std::string &label : map.columnLabels) {
    widest = std::max(widest, label.size());
  }
  size_t step = labelStep(wide, 8.0 * widest + 6);
  for (size_t column = 0; column < map.columnLabels.size(); column += step) {
    canvas.text(left + (column + 0.5) * wide, top - 6, map.columnLabels[column],
                Anchor::Middle);
  }
  step = labelStep(high, 14);
  for (size_t row = 0; row < map.rowLabels.size(); row += step) {
    canvas.text(left - 6, top + (row + 0.5) * high + 4, map.rowLabels[row],
                Anchor::End);
  }
}

/// The colors with the values at their ends.
static void drawScale(const HeatMap &map, double least, double most, double x,
                      SvgCanvas &canvas) {
  constexpr int steps = 20;
  constexpr double step = 8;
  std::string low = formatCell(least, map.value);
  canvas.text(x, 20, map.value.name + ":  " + low, Anchor::End);
  for (int index = 0; index < steps; ++index) {
    canvas.rectangle(x + 8 + index * step, 9, step, 14,
                     heatColor((index + 0.5) / steps));
  }
  canvas.text(x + 16 + steps * step, 20, formatCell(most, map.value));
}

void moe::report::drawHeatMap(const HeatMap &map, llvm::raw_ostream &os) {
  double least = 0, most = 0;
  for (const HeatCell &cell : map.cells) {
    least = std::min(least, cell.value);
    most = std::max(most, cell.value);
  }
  double wide = cellSize(map.columnLabels.size(), roomWide);
  double high = cellSize(map.rowLabels.size(), roomHigh);
  double cellsWide = wide * map.columnLabels.size();
  double cellsHigh = high * map.rowLabels.size();
  double width = std::max(left + cellsWide + right, 640.0);
  SvgCanvas canvas(width, top + cellsHigh + bottom, map.title, os);
  canvas.rectangle(left, top, cellsWide, cellsHigh, "#f7f7f5");
  double gap = std::min(wide, high) > 6 ? 1 : 0;
  for (const HeatCell &cell : map.cells) {
    std::string label = cell.label;
    if (label.empty()) {
      label = map.rowName + " " + map.rowLabels[cell.row] + ", " +
              map.columnName + " " + map.columnLabels[cell.column] + ": " +
              formatCell(cell.value, map.value);
    }
    double part = most > least ? (cell.value - least) / (most - least) : 1;
    canvas.rectangle(left + cell.column * wide, top + cell.row * high,
                     wide - gap, high - gap, heatColor(part), label);
  }
  drawLabels(map, wide, high, canvas);
  canvas.text(left, top - 24, map.columnName + " \u2192", Anchor::Start,
              "name");
  canvas.text(left - 6, top - 6, map.rowName + " \u2193", Anchor::End, "name");
  drawScale(map, least, most, 330, canvas);
}
