//===- Report.cpp - Tables for people and for scripts ---------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/Report.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"
#include <cassert>
#include <cmath>

using namespace moe::report;

void Table::add(Row row) {
  assert(row.size() == columns.size() && "one cell a column");
  rows.push_back(std::move(row));
}

/// A number with a fixed count of digits after the point.
static std::string fixed(double value, unsigned decimals) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.*f", decimals, value);
  return text;
}

std::string moe::report::formatBytes(double bytes) {
  static constexpr const char *units[] = {"B",   "KiB", "MiB",
                                          "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  // Bytes are whole unless they are expected ones.
  bool isWhole = unit == 0 && bytes == std::floor(bytes);
  return fixed(bytes, isWhole ? 0 : 2) + " " + units[unit];
}

std::string moe::report::formatTime(double microseconds) {
  if (std::abs(microseconds) >= 1e6) {
    return fixed(microseconds / 1e6, 2) + " s";
  }
  if (std::abs(microseconds) >= 1e3) {
    return fixed(microseconds / 1e3, 2) + " ms";
  }
  return fixed(microseconds, 2) + " us";
}

static std::string formatNumber(double value, const Column &column) {
  switch (column.kind) {
  case ColumnKind::Text:
    return fixed(value, value == std::floor(value) ? 0 : column.decimals);
  case ColumnKind::Count:
    // Expected counts are fractional.
    return fixed(value, value == std::floor(value) ? 0 : 1);
  case ColumnKind::Number:
    return fixed(value, column.decimals);
  case ColumnKind::Bytes:
    return formatBytes(value);
  case ColumnKind::Time:
    return formatTime(value);
  case ColumnKind::Share:
    return fixed(value * 100, 1) + " %";
  }
  llvm_unreachable("unknown kind of column");
}

static std::string formatCell(const Cell &cell, const Column &column) {
  if (const std::string *text = std::get_if<std::string>(&cell)) {
    return *text;
  }
  const double *number = std::get_if<double>(&cell);
  return number && std::isfinite(*number) ? formatNumber(*number, column) : "-";
}

/// Columns that a text takes on a terminal.
static size_t widthOf(llvm::StringRef text) {
  int width = llvm::sys::unicode::columnWidthUTF8(text);
  return width < 0 ? text.size() : width;
}

static std::string heading(const Column &column) {
  return column.unit.empty() ? column.name
                             : column.name + " [" + column.unit + "]";
}

/// Writes cells side by side, text to the left, all else to the right.
static void writeLine(const std::vector<std::string> &cells, const Table &table,
                      const std::vector<size_t> &widths,
                      llvm::raw_ostream &os) {
  std::string line;
  for (auto [cell, column, width] : llvm::zip(cells, table.columns, widths)) {
    std::string space(width - widthOf(cell), ' ');
    line += "  ";
    line += column.kind == ColumnKind::Text ? cell + space : space + cell;
  }
  os << llvm::StringRef(line).rtrim(' ') << '\n';
}

static void writeNotes(const std::vector<std::string> &notes,
                       llvm::raw_ostream &os) {
  for (const std::string &note : notes) {
    os << "  note: " << note << '\n';
  }
}

void moe::report::renderText(const Table &table, llvm::raw_ostream &os) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column &column : table.columns) {
    lines.front().push_back(heading(column));
  }
  for (const Row &row : table.rows) {
    std::vector<std::string> &line = lines.emplace_back();
    for (auto [cell, column] : llvm::zip(row, table.columns)) {
      line.push_back(formatCell(cell, column));
    }
  }
  std::vector<size_t> widths(table.columns.size());
  for (const std::vector<std::string> &line : lines) {
    for (auto [width, cell] : llvm::zip(widths, line)) {
      width = std::max(width, widthOf(cell));
    }
  }
  if (!table.title.empty()) {
    os << table.title << '\n';
  }
  for (const std::vector<std::string> &line : lines) {
    writeLine(line, table, widths, os);
  }
  writeNotes(table.notes, os);
}

void moe::report::renderText(const Report &report, llvm::raw_ostream &os) {
  os << report.title << '\n';
  for (const Table &table : report.tables) {
    os << '\n';
    renderText(table, os);
  }
  if (!report.notes.empty()) {
    os << '\n';
    writeNotes(report.notes, os);
  }
}

/// What a column's numbers are in, in JSON; empty where they have no unit.
static llvm::StringRef unitOf(const Column &column) {
  switch (column.kind) {
  case ColumnKind::Bytes:
    return "B";
  case ColumnKind::Time:
    return "us";
  default:
    return column.unit;
  }
}

static llvm::json::Value toJson(const Cell &cell) {
  if (const std::string *text = std::get_if<std::string>(&cell)) {
    return *text;
  }
  const double *number = std::get_if<double>(&cell);
  if (!number || !std::isfinite(*number)) {
    return nullptr;
  }
  // Whole numbers as such: 3, not 3.0 or 3e6.
  bool isWhole = *number == std::floor(*number) && std::abs(*number) < 0x1p53;
  return isWhole ? llvm::json::Value(static_cast<int64_t>(*number))
                 : llvm::json::Value(*number);
}

llvm::json::Value moe::report::toJson(const Table &table) {
  llvm::json::Object units;
  for (const Column &column : table.columns) {
    if (!unitOf(column).empty()) {
      units[column.name] = unitOf(column);
    }
  }
  llvm::json::Array rows;
  for (const Row &row : table.rows) {
    llvm::json::Object object;
    for (auto [cell, column] : llvm::zip(row, table.columns)) {
      object[column.name] = ::toJson(cell);
    }
    rows.push_back(std::move(object));
  }
  return llvm::json::Object{{"title", table.title},
                            {"units", std::move(units)},
                            {"rows", std::move(rows)},
                            {"notes", llvm::json::Array(table.notes)}};
}

llvm::json::Value moe::report::toJson(const Report &report) {
  llvm::json::Array tables;
  for (const Table &table : report.tables) {
    tables.push_back(toJson(table));
  }
  return llvm::json::Object{{"title", report.title},
                            {"tables", std::move(tables)},
                            {"notes", llvm::json::Array(report.notes)}};
}

void moe::report::renderJson(const Report &report, llvm::raw_ostream &os) {
  llvm::json::OStream stream(os, /*IndentSize=*/2);
  stream.value(toJson(report));
  stream.flush();
  os << '\n';
}
