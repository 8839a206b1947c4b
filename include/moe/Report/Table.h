//===- Table.h - Typed columns and rows -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A column's kind says what its numbers are. Text scales bytes and times to
// readable units (`1.50 MiB`, `2.3 ms`); JSON holds the plain number under a
// key that ends in the unit (`payload_bytes`). docs/Reports.md lists the keys.
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
  /// The heading, for people.
  std::string name;
  ColumnKind kind = ColumnKind::Text;
  /// Of a Number; bytes, times and shares have their own.
  std::string unit = "";
  /// Digits after the point, of a Number.
  unsigned decimals = 2;
  /// What JSON's key begins with; empty: the name.
  std::string key = "";
};

/// Ranks, experts, layers: `0-3, 7` in text, an array in JSON.
using Numbers = std::vector<int64_t>;

/// Nothing (unknown or not applicable: `-` in text, null in JSON), text, a
/// number, or several whole numbers.
using Cell = std::variant<std::monostate, std::string, double, Numbers>;
using Row = std::vector<Cell>;

/// One value with a heading of its own.
struct Fact {
  Column column;
  Cell value;
};

struct Table {
  /// For people.
  std::string title;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> notes;
  /// What the table is, for scripts: `phases`.
  std::string name = "";
  /// What it is of, for scripts; people read it in the title.
  std::vector<Fact> about = {};
  /// Text and HTML print the only row downwards, a line for each column.
  bool isRecord = false;

  /// Adds a row; it must have a cell for each column.
  void add(Row row);
};

/// A number with its unit as text prints it: `1.50 MiB`, `2.30 ms`.
std::string formatBytes(double bytes);
std::string formatTime(double microseconds);

/// Whole numbers in order, neighbours as ranges: `0-3, 7`; `-` for none.
std::string formatNumbers(Numbers numbers);

/// A cell as text prints it; `-` for nothing.
std::string formatCell(const Cell &cell, const Column &column);

/// What a column's numbers are in, in JSON; empty where they have no unit.
llvm::StringRef unitOf(const Column &column);
/// The column's key in JSON: lower case letters, digits and `_`; bytes end in
/// `_bytes`, times in `_us`, shares in `_share`, others in their unit.
std::string keyOf(const Column &column);
/// The cell's number, whole ones as integers, its numbers, its text, or null.
llvm::json::Value toJson(const Cell &cell);

/// A record as people read it: a row of `what` and `value` for each column.
Table toLines(const Table &record);
/// A record of one row, of the facts.
Table makeRecord(llvm::StringRef name, std::vector<Fact> facts);

} // namespace moe::report

#endif // MOE_REPORT_TABLE_H
