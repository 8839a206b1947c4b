//===- DrawBars.cpp - Bar charts as SVG -----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SvgCanvas.h"
#include "llvm/ADT/STLExtras.h"

using namespace moe::report;

// Bars lie, so that their labels can be long.
static constexpr double width = 780, left = 190, right = 110, top = 36;
static constexpr double bar = 18, gap = 14;

void moe::report::drawBars(const BarChart &chart, llvm::raw_ostream &os) {
  double most = 0;
  for (const BarChart::Group &group : chart.groups) {
    for (const Cell &value : group.values) {
      if (const double *number = std::get_if<double>(&value)) {
        most = std::max(most, *number);
      }
    }
  }
  double groupHeight = bar * chart.series.size() + gap;
  double height = top + groupHeight * chart.groups.size() + 6;
  Scale scale(0, most > 0 ? most : 1, left, width - right, false);
  SvgCanvas canvas(width, height, chart.title, os);
  double y = top;
  for (const BarChart::Group &group : chart.groups) {
    canvas.text(left - 10, y + bar * chart.series.size() / 2 + 4, group.label,
                Anchor::End);
    for (auto [index, value] : llvm::enumerate(group.values)) {
      std::string written = formatCell(value, chart.value);
      const double *number = std::get_if<double>(&value);
      double end = scale.at(number ? *number : 0);
      canvas.rectangle(
          left, y + 2, std::max(end - left, 0.5), bar - 4, seriesColor(index),
          group.label + ", " + chart.series[index] + ": " + written);
      canvas.text(end + 6, y + bar - 5, written);
      y += bar;
    }
    y += gap;
  }
  canvas.line(left, top - 4, left, height - 4, "axis");
  canvas.legend(left, 16, chart.series);
}
