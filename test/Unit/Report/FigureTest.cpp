//===- FigureTest.cpp - Figures as text, JSON and HTML --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/Report.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace moe::report;

static LineChart lines() {
  LineChart chart;
  chart.title = "time by tokens";
  chart.x = {{"tokens", ColumnKind::Count}, true};
  chart.y = {{"time", ColumnKind::Time}};
  chart.series = {{"exchange", {{8, 10}, {64, 2500}}}, {"compute", {{8, 5}}}};
  chart.notes = {"a < b"};
  return chart;
}

static BarChart bars() {
  BarChart chart;
  chart.title = "bytes by tier";
  chart.value = {"bytes", ColumnKind::Bytes};
  chart.series = {"before", "after"};
  chart.groups = {{"ib", {2048.0, 0.0}}, {"nvlink", {512.0, {}}}};
  return chart;
}

static HeatMap heat(size_t columns) {
  HeatMap map;
  map.title = "rows from device to device";
  map.rowName = "from";
  map.columnName = "to";
  map.rowLabels = {"0", "1"};
  for (size_t column = 0; column < columns; ++column) {
    map.columnLabels.push_back(std::to_string(column));
  }
  map.value = {"rows", ColumnKind::Count};
  map.cells = {{0, 1, 7}, {1, 0, 3, "why \"so\""}};
  return map;
}

static std::string html(const Report &report) {
  std::string text;
  llvm::raw_string_ostream os(text);
  renderHtml(report, os);
  return text;
}

static Report reportOf(std::vector<Figure> figures) {
  Report report;
  report.title = "a & b";
  report.figures = std::move(figures);
  return report;
}

static size_t occurrences(llvm::StringRef text, llvm::StringRef part) {
  return text.count(part);
}

TEST(Figure, TextPrintsTheNumbers) {
  std::string text;
  llvm::raw_string_ostream os(text);
  renderText(reportOf({lines(), bars(), heat(2)}), os);
  EXPECT_EQ(text, R"(a & b

time by tokens
  tokens  exchange  compute
       8  10.00 us  5.00 us
      64   2.50 ms        -
  note: a < b

bytes by tier
            before  after
  ib      2.00 KiB    0 B
  nvlink     512 B      -

rows from device to device
  from  0  1
  0     -  7
  1     3  -
  note: rows: from; columns: to
)");
  EXPECT_EQ(toTable(heat(17)).rows.size(), 0u);
  EXPECT_EQ(toTable(heat(17)).notes.front(), "2 x 17 rows: see HTML or JSON");
}

TEST(Figure, JsonHoldsTheNumbers) {
  llvm::json::Value value = toJson(reportOf({lines(), bars(), heat(2)}));
  const llvm::json::Array &figures = *value.getAsObject()->getArray("figures");
  ASSERT_EQ(figures.size(), 3u);
  const llvm::json::Object &chart = *figures[0].getAsObject();
  EXPECT_EQ(chart.getString("kind"), "lines");
  EXPECT_EQ(chart.getObject("y")->getString("unit"), "us");
  const llvm::json::Object &exchange =
      *(*chart.getArray("series"))[0].getAsObject();
  EXPECT_EQ(*exchange.get("points"),
            llvm::json::Value(llvm::json::Array(
                {llvm::json::Array({8, 10}), llvm::json::Array({64, 2500})})));
  EXPECT_EQ((*figures[2].getAsObject()->getArray("cells"))[0],
            llvm::json::Value(llvm::json::Array({0, 1, 7})));
  // A report without figures reads as before.
  EXPECT_EQ(toJson(reportOf({})).getAsObject()->get("figures"), nullptr);
}

TEST(Html, IsOnePageThatLoadsNothing) {
  Report report = reportOf({lines(), bars(), heat(2)});
  report.tables.push_back(toTable(bars()));
  std::string page = html(report);
  for (llvm::StringRef part : {"http", "src=", "@import", "url(", "<link"}) {
    EXPECT_EQ(occurrences(page, part), 0u) << part.str();
  }
  EXPECT_EQ(occurrences(page, "<svg"), 3u);
  EXPECT_EQ(occurrences(page, "</svg>"), 3u);
  EXPECT_EQ(occurrences(page, "<section"), occurrences(page, "</section>"));
  EXPECT_EQ(occurrences(page, "NaN") + occurrences(page, "nan") +
                occurrences(page, "inf"),
            0u);
}

TEST(Html, EscapesWhatItIsGiven) {
  Report report = reportOf({lines(), heat(2)});
  report.notes.push_back("<script>alert(1)</script>");
  std::string page = html(report);
  EXPECT_NE(page.find("<title>a &amp; b</title>"), std::string::npos);
  EXPECT_NE(page.find("a &lt; b"), std::string::npos);
  EXPECT_NE(page.find("why &quot;so&quot;"), std::string::npos);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
}

TEST(Html, DrawsWhatThereIs) {
  std::string page = html(reportOf({bars()}));
  // A bar for each number, none for what is unknown; two patches of a legend.
  EXPECT_EQ(occurrences(page, "<rect"), 4u + 2u);
  EXPECT_NE(page.find("ib, before: 2.00 KiB"), std::string::npos);
  page = html(reportOf({heat(2)}));
  EXPECT_NE(page.find("from 0, to 1: 7"), std::string::npos);
  // Nothing to draw is no reason to fail.
  LineChart empty;
  empty.title = "empty";
  page = html(reportOf({empty, BarChart(), HeatMap()}));
  EXPECT_EQ(occurrences(page, "<polyline"), 0u);
}

TEST(Html, LongTablesCanBeSearched) {
  Table table;
  table.title = "experts";
  table.columns = {{"expert", ColumnKind::Count}, {"why", ColumnKind::Text}};
  for (int expert = 0; expert < 40; ++expert) {
    table.add({double(expert), std::string("reason")});
  }
  Report report = reportOf({});
  report.tables.push_back(table);
  EXPECT_EQ(occurrences(html(report), "<input type=\"search\""), 1u);
  report.tables[0].rows.resize(3);
  EXPECT_EQ(occurrences(html(report), "<input type=\"search\""), 0u);
}
