//===- Figure.cpp - The numbers of figures --------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/Figure.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace moe::report;
using llvm::formatv;
using llvm::json::Array;
using llvm::json::Object;

const std::string &moe::report::titleOf(const Figure &figure) {
  return std::visit(
      [](const auto &one) -> const std::string & { return one.title; }, figure);
}

const std::vector<std::string> &moe::report::notesOf(const Figure &figure) {
  return std::visit(
      [](const auto &one) -> const std::vector<std::string> & {
        return one.notes;
      },
      figure);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static Table tableOf(const LineChart &chart) {
  Table table;
  table.columns.push_back(chart.x.column);
  std::map<double, Row> rows;
  for (size_t index = 0; index < chart.series.size(); ++index) {
    Column column = chart.y.column;
    column.name = chart.series[index].name;
    table.columns.push_back(std::move(column));
    for (const Point &point : chart.series[index].points) {
      Row &row = rows[point.x];
      row.resize(chart.series.size() + 1);
      row[0] = point.x;
      row[index + 1] = point.y;
    }
  }
  for (auto &[x, row] : rows) {
    table.add(std::move(row));
  }
  return table;
}

static Table tableOf(const BarChart &chart) {
  Table table;
  table.columns.push_back({"", ColumnKind::Text});
  for (const std::string &series : chart.series) {
    Column column = chart.value;
    column.name = series;
    table.columns.push_back(std::move(column));
  }
  for (const BarChart::Group &group : chart.groups) {
    Row row = {group.label};
    llvm::append_range(row, group.values);
    table.add(std::move(row));
  }
  return table;
}

static Table tableOf(const HeatMap &map) {
  Table table;
  if (map.columnLabels.size() > maxTextColumns) {
    table.notes.push_back(formatv("{0} x {1} {2}: see HTML or JSON",
                                  map.rowLabels.size(), map.columnLabels.size(),
                                  map.value.name));
    return table;
  }
  table.columns.push_back({map.rowName, ColumnKind::Text});
  for (const std::string &label : map.columnLabels) {
    Column column = map.value;
    column.name = label;
    table.columns.push_back(std::move(column));
  }
  for (const std::string &label : map.rowLabels) {
    Row row(map.columnLabels.size() + 1);
    row[0] = label;
    table.add(std::move(row));
  }
  for (const HeatCell &cell : map.cells) {
    table.rows[cell.row][cell.column + 1] = cell.value;
  }
  table.notes.push_back(
      formatv("rows: {0}; columns: {1}", map.rowName, map.columnName));
  return table;
}

Table moe::report::toTable(const Figure &figure) {
  Table table =
      std::visit([](const auto &one) { return tableOf(one); }, figure);
  table.title = titleOf(figure);
  llvm::append_range(table.notes, notesOf(figure));
  return table;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static Object axisOf(const Column &column) {
  return Object{{"name", column.name}, {"unit", unitOf(column)}};
}

static Object jsonOf(const LineChart &chart) {
  Array series;
  for (const Series &one : chart.series) {
    Array points;
    for (const Point &point : one.points) {
      points.push_back(Array{toJson(Cell(point.x)), toJson(Cell(point.y))});
    }
    series.push_back(Object{{"name", one.name}, {"points", std::move(points)}});
  }
  return Object{{"kind", "lines"},
                {"x", axisOf(chart.x.column)},
                {"y", axisOf(chart.y.column)},
                {"series", std::move(series)}};
}

static Object jsonOf(const BarChart &chart) {
  Array groups;
  for (const BarChart::Group &group : chart.groups) {
    Array values;
    for (const Cell &value : group.values) {
      values.push_back(toJson(value));
    }
    groups.push_back(
        Object{{"label", group.label}, {"values", std::move(values)}});
  }
  return Object{{"kind", "bars"},
                {"value", axisOf(chart.value)},
                {"series", Array(chart.series)},
                {"groups", std::move(groups)}};
}

static Object jsonOf(const HeatMap &map) {
  Array cells;
  for (const HeatCell &cell : map.cells) {
    cells.push_back(Array{static_cast<int64_t>(cell.row),
                          static_cast<int64_t>(cell.column),
                          toJson(Cell(cell.value))});
  }
  return Object{{"kind", "heat_map"},
                {"row", map.rowName},
                {"column", map.columnName},
                {"row_labels", Array(map.rowLabels)},
                {"column_labels", Array(map.columnLabels)},
                {"value", axisOf(map.value)},
                {"cells", std::move(cells)}};
}

llvm::json::Value moe::report::toJson(const Figure &figure) {
  Object object =
      std::visit([](const auto &one) { return jsonOf(one); }, figure);
  object["title"] = titleOf(figure);
  object["notes"] = Array(notesOf(figure));
  return object;
}
