//===- Table.cpp - How cells are written ----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/Table.h"
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

std::string moe::report::formatCell(const Cell &cell, const Column &column) {
  if (const std::string *text = std::get_if<std::string>(&cell)) {
    return *text;
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

llvm::json::Value moe::report::toJson(const Cell &cell) {
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
