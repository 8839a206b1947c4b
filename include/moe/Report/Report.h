//===- Report.h - Tables for people and for scripts -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A report is data: titled tables of typed columns, with notes. Renderers turn
// it into aligned text for people or JSON for scripts; every printed table of
// the project goes through here, so that no tool formats numbers by itself.
//
// A column's kind says what its numbers are. Text scales bytes and times to
// readable units (`1.50 MiB`, `2.3 ms`); JSON holds the plain number, and the
// column's unit beside it.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_REPORT_H
#define MOE_REPORT_REPORT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace moe::report {

enum class ColumnKind {
  Text,
  /// A whole number.
  Count,
  /// A number of any unit, printed with the column's decimals.
  Number,
  /// Bytes; text scales them by 1024.
  Bytes,
  /// Microseconds; text scales them by 1000.
  Time,
  /// A part of one; text prints per cent.
  Share,
};

struct Column {
  /// Text prints it as the heading, JSON uses it as the key.
  std::string name;
  ColumnKind kind = ColumnKind::Text;
  /// Of a Number; bytes, times and shares have their own.
  std::string unit = "";
  /// Digits after the point, of a Number.
  unsigned decimals = 2;
};

/// Nothing (unknown or not applicable: `-` in text, null in JSON), text or a
/// number.
using Cell = std::variant<std::monostate, std::string, double>;
using Row = std::vector<Cell>;

struct Table {
  std::string title;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> notes;

  /// Adds a row; it must have a cell for each column.
  void add(Row row);
};

struct Report {
  std::string title;
  std::vector<Table> tables;
  std::vector<std::string> notes;
};

/// A number with its unit as text prints it: `1.50 MiB`, `2.30 ms`.
std::string formatBytes(double bytes);
std::string formatTime(double microseconds);

/// Aligned columns, numbers to the right; no line has trailing spaces.
void renderText(const Table &table, llvm::raw_ostream &os);
void renderText(const Report &report, llvm::raw_ostream &os);

/// {"title", "tables": [{"title", "units": {name: unit}, "rows": [{name:
/// value}], "notes": […]}], "notes": […]}
llvm::json::Value toJson(const Table &table);
llvm::json::Value toJson(const Report &report);
/// The same, indented by two, with a newline at the end.
void renderJson(const Report &report, llvm::raw_ostream &os);

} // namespace moe::report

#endif // MOE_REPORT_REPORT_H
