//===- Report.cpp - Tables and figures as text and JSON -------------------===//
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
  if (table.isRecord) {
    renderText(toLines(table), os);
    return;
  }
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
  auto write = [&](llvm::ArrayRef<Table> tables) {
    for (const Table &table : tables) {
      os << '\n';
      renderText(table, os);
    }
  };
  llvm::ArrayRef<Table> tables = report.tables;
  size_t leading = std::min(report.leadingTables, tables.size());
  write(tables.take_front(leading));
  for (const Figure &figure : report.figures) {
    os << '\n';
    renderText(toTable(figure), os);
  }
  write(tables.drop_front(leading));
  if (!report.notes.empty()) {
    os << '\n';
    writeNotes(report.notes, os);
  }
}

/// The keys of columns, each once: names that come from data may collide, and
/// the later one gets a number.
static std::vector<std::string> keysOf(llvm::ArrayRef<Column> columns) {
  std::vector<std::string> keys;
  for (const Column &column : columns) {
    std::string key = keyOf(column);
    for (size_t number = 2; llvm::is_contained(keys, key); ++number) {
      key = keyOf(column) + "_" + std::to_string(number);
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

llvm::json::Value moe::report::toJson(const Table &table) {
  std::vector<std::string> keys = keysOf(table.columns);
  llvm::json::Array columns, rows;
  for (auto [key, column] : llvm::zip(keys, table.columns)) {
    llvm::StringRef unit = unitOf(column);
    columns.push_back(llvm::json::Object{
        {"key", key},
        {"heading", column.name},
        {"unit", unit.empty() ? llvm::json::Value(nullptr) : unit}});
  }
  for (const Row &row : table.rows) {
    llvm::json::Object object;
    for (auto [cell, key] : llvm::zip(row, keys)) {
      object[key] = toJson(cell);
    }
    rows.push_back(std::move(object));
  }
  llvm::json::Object about;
  for (const Fact &fact : table.about) {
    about[keyOf(fact.column)] = toJson(fact.value);
  }
  return llvm::json::Object{
      {"name", table.name},        {"title", table.title},
      {"about", std::move(about)}, {"columns", std::move(columns)},
      {"rows", std::move(rows)},   {"notes", llvm::json::Array(table.notes)}};
}

llvm::json::Value moe::report::toJson(const Report &report) {
  llvm::json::Array tables, figures;
  for (const Table &table : report.tables) {
    tables.push_back(toJson(table));
  }
  for (const Figure &figure : report.figures) {
    figures.push_back(toJson(figure));
  }
  llvm::json::Object object{{"title", report.title},
                            {"tables", std::move(tables)},
                            {"notes", llvm::json::Array(report.notes)}};
  if (!figures.empty()) {
    object["figures"] = std::move(figures);
  }
  return object;
}

void moe::report::renderJson(const Report &report, llvm::raw_ostream &os) {
  llvm::json::OStream stream(os, /*IndentSize=*/2);
  stream.value(toJson(report));
  stream.flush();
  os << '\n';
}
