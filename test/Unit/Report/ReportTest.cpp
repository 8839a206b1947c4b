//===- ReportTest.cpp - Text and JSON of tables ---------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/Report.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>
#include <limits>

using namespace moe::report;

static Report sample() {
  Table table;
  table.title = "phases";
  table.columns = {
      {"phase", ColumnKind::Text},  {"time", ColumnKind::Time},
      {"bytes", ColumnKind::Bytes}, {"rate", ColumnKind::Number, "GB/s", 1},
      {"share", ColumnKind::Share}, {"rows", ColumnKind::Count}};
  table.add({"router", 12.5, 512.0, 1.25, 0.125, 3.0});
  table.add({"größer", 2300.0, 1.5 * 1024 * 1024, std::monostate(), 1.0, 2.5});
  table.notes = {"a note"};
  return {"run", {table}, {"the end"}};
}

TEST(Report, TextIsAligned) {
  std::string text;
  llvm::raw_string_ostream os(text);
  renderText(sample(), os);
  EXPECT_EQ(text, R"(run

phases
  phase       time     bytes  rate [GB/s]    share  rows
  router  12.50 us     512 B          1.2   12.5 %     3
  größer   2.30 ms  1.50 MiB            -  100.0 %   2.5
  note: a note

  note: the end
)");
}

TEST(Report, JsonHoldsPlainNumbersAndUnits) {
  std::string text;
  llvm::raw_string_ostream os(text);
  renderJson(sample(), os);
  llvm::Expected<llvm::json::Value> expected = llvm::json::parse(R"({
    "title": "run",
    "tables": [{
      "title": "phases",
      "units": {"time": "us", "bytes": "B", "rate": "GB/s"},
      "rows": [
        {"phase": "router", "time": 12.5, "bytes": 512, "rate": 1.25,
         "share": 0.125, "rows": 3},
        {"phase": "größer", "time": 2300, "bytes": 1572864, "rate": null,
         "share": 1, "rows": 2.5}],
      "notes": ["a note"]}],
    "notes": ["the end"]})");
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  ASSERT_TRUE(bool(expected) && bool(parsed));
  EXPECT_TRUE(*parsed == *expected) << text;
  EXPECT_EQ(text.back(), '\n');
  EXPECT_NE(text.find("\"time\": 2300"), std::string::npos);
}

TEST(Report, NumbersScaleToReadableUnits) {
  EXPECT_EQ(formatBytes(0), "0 B");
  EXPECT_EQ(formatBytes(1023), "1023 B");
  EXPECT_EQ(formatBytes(10.5), "10.50 B");
  EXPECT_EQ(formatBytes(2048), "2.00 KiB");
  EXPECT_EQ(formatBytes(3.5 * 1024 * 1024 * 1024), "3.50 GiB");
  EXPECT_EQ(formatTime(0.25), "0.25 us");
  EXPECT_EQ(formatTime(1500), "1.50 ms");
  EXPECT_EQ(formatTime(2.5e6), "2.50 s");
}

TEST(Report, WhatIsNotFiniteIsUnknown) {
  Table table;
  table.columns = {{"x", ColumnKind::Number}};
  table.add({std::numeric_limits<double>::infinity()});
  std::string text;
  llvm::raw_string_ostream os(text);
  renderText(table, os);
  EXPECT_EQ(text, "  x\n  -\n");
  llvm::json::Value json = toJson(table);
  EXPECT_EQ((*json.getAsObject()->getArray("rows"))[0],
            llvm::json::Value(llvm::json::Object{{"x", nullptr}}));
}
