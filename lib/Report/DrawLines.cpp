//===- DrawLines.cpp - Line charts as SVG ---------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SvgCanvas.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace moe::report;

namespace {
/// The smallest and largest value along one way.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};
} // namespace

static constexpr double width = 780, height = 400;
static constexpr double left = 90, right = 40, top = 40, bottom = 55;

static Scale scaleFor(const Axis &axis, Range range, double begin, double end) {
  if (axis.isLogarithmic) {
    return Scale(range.low, std::max(range.high, range.low * 2), begin, end,
                 true);
  }
  // Lengths mislead unless they begin at 0.
  double low = range.low < 0 ? -roundUp(-range.low) : 0;
  return Scale(low, std::max(roundUp(range.high), low + 1e-9), begin, end,
               false);
}

static std::string title(const Column &column) {
  bool hasUnit = column.kind == ColumnKind::Number && !column.unit.empty();
  return hasUnit ? column.name + " [" + column.unit + "]" : column.name;
}

static void drawAxes(const LineChart &chart, const Scale &x, const Scale &y,
                     SvgCanvas &canvas) {
  for (double tick : y.ticks()) {
    canvas.line(left, y.at(tick), width - right, y.at(tick));
    canvas.text(left - 8, y.at(tick) + 4, formatTick(tick, chart.y.column),
                Anchor::End);
  }
  for (double tick : x.ticks()) {
    canvas.line(x.at(tick), top, x.at(tick), height - bottom);
    canvas.text(x.at(tick), height - bottom + 18,
                formatTick(tick, chart.x.column), Anchor::Middle);
  }
  canvas.line(left, height - bottom, width - right, height - bottom, "axis");
  canvas.line(left, top, left, height - bottom, "axis");
  canvas.text((left + width - right) / 2, height - 12, title(chart.x.column),
              Anchor::Middle, "name");
  canvas.uprightText(16, (top + height - bottom) / 2, title(chart.y.column));
}

void moe::report::drawLines(const LineChart &chart, llvm::raw_ostream &os) {
  Range xs, ys;
  std::vector<std::string> names;
  for (const Series &series : chart.series) {
    names.push_back(series.name);
    for (const Point &point : series.points) {
      xs.add(point.x);
      ys.add(point.y);
    }
  }
  if (!(xs.low <= xs.high)) {
    return;
  }
  Scale x = scaleFor(chart.x, xs, left, width - right);
  Scale y = scaleFor(chart.y, ys, height - bottom, top);
  SvgCanvas canvas(width, height, chart.title, os);
  drawAxes(chart, x, y, canvas);
  for (auto [index, series] : llvm::enumerate(chart.series)) {
    std::vector<Point> places;
    for (const Point &point : series.points) {
      places.push_back({x.at(point.x), y.at(point.y)});
    }
    canvas.polyline(places, seriesColor(index));
    for (auto [place, point] : llvm::zip(places, series.points)) {
      canvas.circle(place.x, place.y, seriesColor(index),
                    series.name + ": " + formatCell(point.y, chart.y.column) +
                        " at " + chart.x.column.name + " " +
                        formatCell(point.x, chart.x.column));
    }
  }
  canvas.legend(left, 20, names);
}
