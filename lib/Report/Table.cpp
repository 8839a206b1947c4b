//===- Table.cpp - How cells are written ----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/Table.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"
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
  case ColumnKind::Value: {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%.6g", value);
    return text;
  }
  case ColumnKind::Bytes:
    return formatBytes(value);
  case ColumnKind::Time:
    return formatTime(value);
  case ColumnKind::Share:
    return fixed(value * 100, 1) + " %";
  }
  llvm_unreachable("unknown kind of column");
}

std::string moe::report::formatNumbers(Numbers numbers) {
  llvm::sort(numbers);
  std::string text;
  for (size_t first = 0; first < numbers.size();) {
    size_t last = first;
    while (last + 1 < numbers.size() &&
           numbers[last + 1] == numbers[last] + 1) {
      ++last;
    }
    text += (text.empty() ? "" : ", ") + std::to_string(numbers[first]);
    if (last > first) {
      text += "-" + std::to_string(numbers[last]);
    }
    first = last + 1;
  }
  return text.empty() ? "-" : text;
}

std::string moe::report::formatCell(const Cell &cell, const Column &column) {
  if (const std::string *text = std::get_if<std::string>(&cell)) {
    return *text;
  }
  if (const Numbers *numbers = std::get_if<Numbers>(&cell)) {
    return formatNumbers(*numbers);
  }
  const double *number = std::get_if<double>(&cell);
  return number && std::isfinite(*number) ? formatNumber(*number, column) : "-";
}

llvm::StringRef moe::report::unitOf(const Column &column) {
  switch (column.kind) {
  case ColumnKind::Bytes:
    return "B";
  case ColumnKind::Time:
    return "us";
  default:
    return column.unit;
  }
}

/// Lower case letters and digits; `_` for each run of anything else.
static std::string snakeCase(llvm::StringRef text) {
  std::string key;
  for (char letter : text) {
    if (llvm::isAlnum(letter)) {
      key += llvm::toLower(letter);
    } else if (!key.empty() && key.back() != '_') {
      key += '_';
    }
  }
  return llvm::StringRef(key).rtrim('_').str();
}

/// What a key ends in.
static std::string unitOfKey(const Column &column) {
  switch (column.kind) {
  case ColumnKind::Bytes:
    return "bytes";
  case ColumnKind::Time:
    return "us";
  case ColumnKind::Share:
    return "share";
  default: {
    auto [unit, per] = llvm::StringRef(column.unit).split('/');
    return snakeCase(per.empty() ? unit.str() : (unit + " per " + per).str());
  }
  }
}

std::string moe::report::keyOf(const Column &column) {
  std::string key = snakeCase(column.key.empty() ? column.name : column.key);
  std::string unit = unitOfKey(column);
  if (unit.empty() || key == unit ||
      llvm::StringRef(key).ends_with("_" + unit)) {
    return key;
  }
  return key.empty() ? unit : key + "_" + unit;
}

llvm::json::Value moe::report::toJson(const Cell &cell) {
  if (const std::string *text = std::get_if<std::string>(&cell)) {
    return *text;
  }
  if (const Numbers *numbers = std::get_if<Numbers>(&cell)) {
    return llvm::json::Array(*numbers);
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

Table moe::report::toLines(const Table &record) {
  assert(record.isRecord && record.rows.size() == 1 && "one row");
  Table lines;
  lines.title = record.title;
  lines.columns = {{"what"}, {"value"}};
  for (auto [column, cell] : llvm::zip(record.columns, record.rows.front())) {
    std::string value = formatCell(cell, column);
    if (!column.unit.empty() && std::holds_alternative<double>(cell)) {
      value += " " + column.unit;
    }
    lines.add({column.name, std::move(value)});
  }
  lines.notes = record.notes;
  return lines;
}

Table moe::report::makeRecord(llvm::StringRef name, std::vector<Fact> facts) {
  Table record;
  record.title = record.name = name.str();
  record.isRecord = true;
  Row row;
  for (Fact &fact : facts) {
    record.columns.push_back(std::move(fact.column));
    row.push_back(std::move(fact.value));
  }
  record.add(std::move(row));
  return record;
}
