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
  table.name = "phases_of_a_run";
  table.about = {{{"layers"}, Numbers{3, 4}}};
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

TEST(Report, JsonHoldsPlainNumbersUnderKeysWithUnits) {
  std::string text;
  llvm::raw_string_ostream os(text);
  renderJson(sample(), os);
  llvm::Expected<llvm::json::Value> expected = llvm::json::parse(R"({
    "title": "run",
    "tables": [{
      "name": "phases_of_a_run",
      "title": "phases",
      "about": {"layers": [3, 4]},
      "columns": [
        {"key": "phase", "heading": "phase", "unit": null},
        {"key": "time_us", "heading": "time", "unit": "us"},
        {"key": "bytes", "heading": "bytes", "unit": "B"},
        {"key": "rate_gb_per_s", "heading": "rate", "unit": "GB/s"},
        {"key": "share", "heading": "share", "unit": null},
        {"key": "rows", "heading": "rows", "unit": null}],
      "rows": [
        {"phase": "router", "time_us": 12.5, "bytes": 512,
         "rate_gb_per_s": 1.25, "share": 0.125, "rows": 3},
        {"phase": "größer", "time_us": 2300, "bytes": 1572864,
         "rate_gb_per_s": null, "share": 1, "rows": 2.5}],
      "notes": ["a note"]}],
    "notes": ["the end"]})");
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  ASSERT_TRUE(bool(expected) && bool(parsed));
  EXPECT_TRUE(*parsed == *expected) << text;
  EXPECT_EQ(text.back(), '\n');
  EXPECT_NE(text.find("\"time_us\": 2300"), std::string::npos);
}

TEST(Report, KeysEndInTheUnit) {
  EXPECT_EQ(keyOf({"load / mean", ColumnKind::Number}), "load_mean");
  EXPECT_EQ(keyOf({"load", ColumnKind::Share}), "load_share");
  EXPECT_EQ(keyOf({"share", ColumnKind::Share}), "share");
  EXPECT_EQ(keyOf({"slowest rank", ColumnKind::Time, "", 2, "slowest"}),
            "slowest_us");
  EXPECT_EQ(keyOf({"latency", ColumnKind::Number, "us", 1}), "latency_us");
  EXPECT_EQ(keyOf({"größe", ColumnKind::Bytes}), "gr_e_bytes");
  EXPECT_EQ(keyOf({"", ColumnKind::Bytes}), "bytes");
}

TEST(Report, KeysFromDataStayApart) {
  Table table;
  table.columns = {{"a-b"}, {"a_b"}, {"A B"}};
  table.add({"1", "2", "3"});
  llvm::json::Value json = toJson(table);
  EXPECT_EQ((*json.getAsObject()->getArray("rows"))[0],
            llvm::json::Value(llvm::json::Object{
                {"a_b", "1"}, {"a_b_2", "2"}, {"a_b_3", "3"}}));
}

TEST(Report, RecordsAreReadDownwards) {
  Table record = makeRecord(
      "layer", {{{"ranks", ColumnKind::Count}, 8.0},
                {{"speed", ColumnKind::Number, "tokens/s", 0}, 1726.3},
                {{"layers"}, Numbers{7, 2, 1, 0}},
                {{"check"}, {}}});
  std::string text;
  llvm::raw_string_ostream os(text);
  renderText(record, os);
  EXPECT_EQ(text, R"(layer
  what    value
  ranks   8
  speed   1726 tokens/s
  layers  0-2, 7
  check   -
)");
  llvm::json::Value json = toJson(record);
  EXPECT_EQ((*json.getAsObject()->getArray("rows"))[0],
            llvm::json::Value(
                llvm::json::Object{{"ranks", 8},
                                   {"speed_tokens_per_s", 1726.3},
                                   {"layers", llvm::json::Array({7, 2, 1, 0})},
                                   {"check", nullptr}}));
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
