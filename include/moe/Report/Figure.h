//===- Figure.h - What a report shows as a drawing --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Figures are data, as tables are: HTML draws them, JSON holds their numbers,
// and text prints those that fit a terminal as tables.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_FIGURE_H
#define MOE_REPORT_FIGURE_H

#include "moe/Report/Table.h"

namespace moe::report {

/// One way of a line chart. Numbers are written as a column of its kind.
struct Axis {
  Column column;
  /// By powers of ten (of two for counts); all values are above 0 then.
  bool isLogarithmic = false;
};

struct Point {
  double x = 0;
  double y = 0;
};

/// A line with its name.
struct Series {
  std::string name;
  /// By rising x.
  std::vector<Point> points;
};

struct LineChart {
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::vector<std::string> notes;
};

/// A cell of a heat map.
struct HeatCell {
  size_t row = 0;
  size_t column = 0;
  double value = 0;
  /// What the mouse shows there; row, column and value if empty.
  std::string label = "";
};

/// A matrix, of which only the cells that are listed are coloured.
struct HeatMap {
  std::string title;
  /// What rows and columns are: `expert`, `device`.
  std::string rowName;
  std::string columnName;
  std::vector<std::string> rowLabels;
  std::vector<std::string> columnLabels;
  /// Name, kind and unit of the values.
  Column value;
  std::vector<HeatCell> cells;
  std::vector<std::string> notes;
};

/// Bars side by side in groups.
struct BarChart {
  struct Group {
    std::string label;
    /// One a series.
    std::vector<Cell> values;
  };

  std::string title;
  Column value;
  std::vector<std::string> series;
  std::vector<Group> groups;
  std::vector<std::string> notes;
};

using Figure = std::variant<LineChart, HeatMap, BarChart>;

/// The figure's title.
const std::string &titleOf(const Figure &figure);
const std::vector<std::string> &notesOf(const Figure &figure);

/// The most columns of a heat map that text shows.
inline constexpr size_t maxTextColumns = 16;

/// The numbers as a table: a line chart by x, bars by group, a heat map by row;
/// one that is wider than maxTextColumns has no rows and a note.
Table toTable(const Figure &figure);

/// {"title", "kind": "lines" | "heat map" | "bars", …, "notes"}
llvm::json::Value toJson(const Figure &figure);

} // namespace moe::report

#endif // MOE_REPORT_FIGURE_H
