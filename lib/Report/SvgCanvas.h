//===- SvgCanvas.h - Shapes and texts of an inline SVG ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_REPORT_SVGCANVAS_H
#define MOE_LIB_REPORT_SVGCANVAS_H

#include "moe/Report/Figure.h"
#include "llvm/Support/raw_ostream.h"

namespace moe::report {

/// Text with what HTML reserves written as entities.
std::string escapeHtml(llvm::StringRef text);

/// A color for the n-th of several series; they repeat after eight.
llvm::StringRef seriesColor(size_t index);

/// From nearly white (0) to dark blue (1).
std::string heatColor(double part);

/// Where a text stands against its point.
enum class Anchor { Start, Middle, End };

class SvgCanvas {
public:
  /// Opens the element; `title` is what a screen reader says.
  SvgCanvas(double width, double height, llvm::StringRef title,
            llvm::raw_ostream &os);
  ~SvgCanvas();
  SvgCanvas(const SvgCanvas &) = delete;
  SvgCanvas &operator=(const SvgCanvas &) = delete;

  void text(double x, double y, llvm::StringRef text,
            Anchor anchor = Anchor::Start, llvm::StringRef style = "");
  /// Reads from bottom to top.
  void uprightText(double x, double y, llvm::StringRef text);
  void line(double x1, double y1, double x2, double y2,
            llvm::StringRef style = "grid");
  /// `label` is what the mouse shows.
  void rectangle(double x, double y, double width, double height,
                 llvm::StringRef color, llvm::StringRef label = "");
  void polyline(llvm::ArrayRef<Point> points, llvm::StringRef color);
  void circle(double x, double y, llvm::StringRef color, llvm::StringRef label);

  /// Names of series, from left to right, each behind a patch of its color.
  void legend(double x, double y, llvm::ArrayRef<std::string> names);

private:
  llvm::raw_ostream &os;
};

/// Where values lie between two ends of a drawing.
class Scale {
public:
  /// `low` < `high`; both above 0 where it is logarithmic.
  Scale(double low, double high, double begin, double end, bool isLogarithmic);

  double at(double value) const;
  /// Round numbers from low to high.
  std::vector<double> ticks() const;

private:
  double low, high, begin, end;
  bool isLogarithmic;
};

/// A value as axes show it, without digits that say nothing.
std::string formatTick(double value, const Column &column);

/// A scale's largest value for data up to `value`: the next round number.
double roundUp(double value);

void drawLines(const LineChart &chart, llvm::raw_ostream &os);
void drawBars(const BarChart &chart, llvm::raw_ostream &os);
void drawHeatMap(const HeatMap &map, llvm::raw_ostream &os);

} // namespace moe::report

#endif // MOE_LIB_REPORT_SVGCANVAS_H
