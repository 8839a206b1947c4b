//===- Drawing.h - Boxes and lines ------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A drawing is data, as a report is: boxes at places of a grid, and lines
// between them. Renderers turn it into SVG, which needs no other program, or
// DOT, which Graphviz lays out by itself.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_REPORT_DRAWING_H
#define MOE_REPORT_DRAWING_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace moe::report {

struct Box {
  /// What DOT calls it.
  std::string name;
  /// One text a line.
  std::vector<std::string> lines;
  /// `#rrggbb`
  std::string fill;
  /// The middle, in columns and rows of the grid; columns may be fractional.
  double column = 0;
  double row = 0;
  /// In columns.
  double width = 1;
};

struct Line {
  /// Indices of boxes.
  uint32_t from = 0;
  uint32_t to = 0;
  std::string label;
  std::string color;
  /// Leaves and arrives below the boxes, where both are in one row.
  bool isBelow = false;
  /// In pixels.
  double width = 1;
};

/// What belongs together, drawn around its boxes.
struct Frame {
  std::string title;
  /// Indices of boxes.
  std::vector<uint32_t> boxes;
};

struct Drawing {
  std::string title;
  std::vector<Box> boxes;
  std::vector<Line> lines;
  /// Colours with what they mean.
  std::vector<std::pair<std::string, std::string>> legend;
  std::vector<Frame> frames;
  /// What DOT calls the graph.
  std::string name = "topology";
};

void renderSvg(const Drawing &drawing, llvm::raw_ostream &os);
void renderDot(const Drawing &drawing, llvm::raw_ostream &os);

} // namespace moe::report

#endif // MOE_REPORT_DRAWING_H
