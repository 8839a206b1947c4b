//===- Table.h - Typed columns and rows -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A column's kind says what its numbers are. Text scales bytes and times to
// readable units (`1.50 MiB`, `2.3 ms`); JSON holds the plain number, and the
// column's unit beside it.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_TABLE_H
#define MOE_REPORT_TABLE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace moe::report {

enum class ColumnKind {
  Text,
  /// A whole number.
  Count,
  /// A number of any unit, printed with the column's decimals.
  Number,
  /// A number of any size, printed with six significant digits.
  Value,
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

/// A number with its unit as text prints it: `1.50 MiB`, `2.30 ms`.
std::string formatBytes(double bytes);
std::string formatTime(double microseconds);

/// A cell as text prints it; `-` for nothing.
std::string formatCell(const Cell &cell, const Column &column);

/// What a column's numbers are in, in JSON; empty where they have no unit.
llvm::StringRef unitOf(const Column &column);
/// The cell's number, whole ones as integers, its text, or null.
llvm::json::Value toJson(const Cell &cell);

} // namespace moe::report

#endif // MOE_REPORT_TABLE_H
