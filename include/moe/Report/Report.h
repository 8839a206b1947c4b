//===- Report.h - Tables and figures, for people and scripts ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A report is data: titled tables of typed columns, figures, and notes.
// Renderers turn it into aligned text for people, JSON for scripts, or a page
// of HTML that works without a network; every printed table of the project goes
// through here, so that no tool formats numbers by itself.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_REPORT_H
#define MOE_REPORT_REPORT_H

#include "moe/Report/Figure.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace moe::report {

struct Report {
  std::string title;
  std::vector<Table> tables;
  std::vector<std::string> notes;
  /// Shown before the tables, but for the leading ones.
  std::vector<Figure> figures = {};
  /// So many of the tables are shown before the figures.
  size_t leadingTables = 0;
};

/// Aligned columns, numbers to the right; no line has trailing spaces.
void renderText(const Table &table, llvm::raw_ostream &os);
/// Figures as the tables of their numbers.
void renderText(const Report &report, llvm::raw_ostream &os);

/// {"name", "title", "about": {key: value}, "columns": [{"key", "heading",
/// "unit"}], "rows": [{key: value}], "notes": […]}
llvm::json::Value toJson(const Table &table);
/// {"title", "tables": […], "notes": […]}, and "figures" where there are any.
llvm::json::Value toJson(const Report &report);
/// The same, indented by two, with a newline at the end.
void renderJson(const Report &report, llvm::raw_ostream &os);

/// One page: figures as inline SVG, tables, notes. It loads nothing.
void renderHtml(const Report &report, llvm::raw_ostream &os);

} // namespace moe::report

#endif // MOE_REPORT_REPORT_H
