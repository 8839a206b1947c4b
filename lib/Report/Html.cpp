//===- Html.cpp - A report as one page ------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SvgCanvas.h"
#include "moe/Report/Report.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::report;
using llvm::formatv;

/// Nothing is loaded from anywhere, so the page works from a file.
static constexpr llvm::StringRef style = R"(
body { margin: 2rem auto; max-width: 74rem; padding: 0 1rem; color: #1a1a1a;
  background: #fff; font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .4rem; }
h1::first-letter, h2::first-letter { text-transform: uppercase; }
p.note { margin: .25rem 0; color: #333; max-width: 52rem; }
nav { margin: .8rem 0 1rem; }
nav p { margin: .2rem 0; }
nav a { margin-right: 1rem; color: #0b5394; white-space: nowrap; }
.wide { overflow-x: auto; }
.tall { overflow: auto; max-height: 32rem; border: 1px solid #ccc; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right;
  vertical-align: top; }
th { background: #f1f3f5; position: sticky; top: 0; vertical-align: bottom; }
th.text, td.text { text-align: left; }
td.number, td.short { white-space: nowrap; }
td.text:not(.short) { min-width: 16rem; }
tbody tr:hover { background: #f6f9fc; }
input { font: inherit; padding: .2rem .5rem; margin: .3rem 0; width: 18rem; }
svg { font: 12px system-ui, "Segoe UI", sans-serif; display: block;
  max-width: 100%; height: auto; }
svg text { fill: #1a1a1a; }
svg .name { font-weight: 600; }
svg .grid { stroke: #e2e2e2; }
svg .axis { stroke: #555; }
)";

/// Keeps the rows of a long table that hold what is typed.
static constexpr llvm::StringRef script = R"(
for (const field of document.querySelectorAll('input[data-table]')) {
  const rows = document.querySelectorAll('#' + field.dataset.table + ' tbody tr');
  field.addEventListener('input', () => {
    const wanted = field.value.trim().toLowerCase();
    for (const row of rows) {
      const first = row.cells[0].textContent.trim().toLowerCase();
      const shown = /^[0-9]+$/.test(wanted) ? first === wanted
                                           : row.textContent.toLowerCase().includes(wanted);
      row.hidden = wanted !== '' && !shown;
    }
  });
}
)";

/// Longer tables scroll and can be searched.
static constexpr size_t longTable = 24;

/// Texts up to this length stay on one line.
static constexpr size_t shortText = 20;

static void writeNotes(llvm::ArrayRef<std::string> notes,
                       llvm::raw_ostream &os) {
  for (const std::string &note : notes) {
    os << "<p class=\"note\">" << escapeHtml(note) << "</p>\n";
  }
}

static void writeRows(const Table &table, llvm::raw_ostream &os) {
  if (table.isRecord) {
    writeRows(toLines(table), os);
    return;
  }
  auto styleOf = [](const Column &column) {
    return column.kind == ColumnKind::Text ? "text" : "number";
  };
  os << "<table>\n<thead><tr>";
  for (const Column &column : table.columns) {
    std::string unit =
        column.unit.empty() ? "" : " [" + escapeHtml(column.unit) + "]";
    os << formatv("<th class=\"{0}\">{1}{2}</th>", styleOf(column),
                  escapeHtml(column.name), unit);
  }
  os << "</tr></thead>\n<tbody>\n";
  for (const Row &row : table.rows) {
    os << "<tr>";
    for (auto [cell, column] : llvm::zip(row, table.columns)) {
      std::string text = formatCell(cell, column);
      bool isShort = text.size() <= shortText;
      os << formatv("<td class=\"{0}{1}\">{2}</td>", styleOf(column),
                    isShort ? " short" : "", escapeHtml(text));
    }
    os << "</tr>\n";
  }
  os << "</tbody></table>\n";
}

static void writeTable(const Table &table, size_t number,
                       llvm::raw_ostream &os) {
  os << formatv("<section id=\"table{0}\"><h2>{1}</h2>\n", number,
                escapeHtml(table.title));
  writeNotes(table.notes, os);
  bool isLong = table.rows.size() > longTable;
  if (isLong) {
    os << formatv("<input type=\"search\" data-table=\"table{0}\" "
                  "placeholder=\"find in {1} rows, by {2}\">\n",
                  number, table.rows.size(),
                  escapeHtml(table.columns.front().name));
  }
  os << (isLong ? "<div class=\"tall\">\n" : "<div class=\"wide\">\n");
  writeRows(table, os);
  os << "</div></section>\n";
}

static void draw(const Figure &figure, llvm::raw_ostream &os) {
  if (const LineChart *lines = std::get_if<LineChart>(&figure)) {
    drawLines(*lines, os);
  } else if (const BarChart *bars = std::get_if<BarChart>(&figure)) {
    drawBars(*bars, os);
  } else {
    drawHeatMap(std::get<HeatMap>(figure), os);
  }
}

namespace {
/// A link of the table of contents.
struct Entry {
  std::string anchor;
  std::string title;
};
} // namespace

static void writeLink(llvm::StringRef anchor, llvm::StringRef text,
                      llvm::raw_ostream &os) {
  os << "<a href=\"#" << anchor << "\">" << escapeHtml(text) << "</a> ";
}

/// Neighbours that say the same of several things, such as `layer 3: loads` and
/// `layer 4: loads`, are one line.
static void writeEntries(llvm::ArrayRef<Entry> entries, llvm::raw_ostream &os) {
  auto subject = [&](size_t index) {
    return index < entries.size()
               ? llvm::StringRef(entries[index].title).split(": ")
               : std::pair<llvm::StringRef, llvm::StringRef>();
  };
  os << "<p>";
  for (size_t index = 0; index < entries.size();) {
    llvm::StringRef what = subject(index).second;
    if (what.empty() || subject(index + 1).second != what) {
      writeLink(entries[index].anchor, entries[index].title, os);
      ++index;
      continue;
    }
    os << "</p>\n<p>" << escapeHtml(what) << ": ";
    for (; subject(index).second == what; ++index) {
      writeLink(entries[index].anchor, subject(index).first, os);
    }
    os << "</p>\n<p>";
  }
  os << "</p>\n";
}

static void writeContents(const Report &report, llvm::raw_ostream &os) {
  std::vector<Entry> tables, figures;
  for (auto [number, table] : llvm::enumerate(report.tables)) {
    tables.push_back({formatv("table{0}", number), table.title});
  }
  for (auto [number, figure] : llvm::enumerate(report.figures)) {
    figures.push_back({formatv("figure{0}", number), titleOf(figure)});
  }
  os << "<nav>";
  writeEntries(tables, os);
  writeEntries(figures, os);
  os << "</nav>\n";
}

void moe::report::renderHtml(const Report &report, llvm::raw_ostream &os) {
  os << "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
     << "<meta name=\"viewport\" content=\"width=device-width\">\n"
     << "<title>" << escapeHtml(report.title) << "</title>\n"
     << "<style>" << style << "</style></head>\n<body>\n"
     << "<h1>" << escapeHtml(report.title) << "</h1>\n";
  writeNotes(report.notes, os);
  writeContents(report, os);
  size_t leading = std::min(report.leadingTables, report.tables.size());
  for (size_t number = 0; number < leading; ++number) {
    writeTable(report.tables[number], number, os);
  }
  for (auto [number, figure] : llvm::enumerate(report.figures)) {
    os << formatv("<section id=\"figure{0}\"><h2>{1}</h2>\n", number,
                  escapeHtml(titleOf(figure)));
    writeNotes(notesOf(figure), os);
    os << "<div class=\"wide\">\n";
    draw(figure, os);
    os << "</div></section>\n";
  }
  for (size_t number = leading; number < report.tables.size(); ++number) {
    writeTable(report.tables[number], number, os);
  }
  os << "<script>" << script << "</script>\n</body>\n</html>\n";
}
