//===- Drawing.cpp - Boxes and lines --------------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Report/Drawing.h"
#include "SvgCanvas.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>

using namespace moe::report;

/// Pixels.
static constexpr double columnWidth = 132;
static constexpr double rowHeight = 104;
static constexpr double boxWidth = 116;
static constexpr double lineHeight = 15;
static constexpr double margin = 24;
static constexpr double titleHeight = 72;
/// The deepest arcs between boxes of one row, above and below it.
static constexpr double deepestAbove = 44;
static constexpr double deepestBelow = 150;

/// A number as SVG wants it, without trailing zeros.
static std::string number(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.1f", value);
  llvm::StringRef trimmed = text;
  trimmed.consume_back(".0");
  return trimmed.str();
}

namespace {
/// Where a box is, in pixels.
struct Place {
  double x = 0;
  double y = 0;
  double halfWidth = 0;
  double halfHeight = 0;
};
} // namespace

static Place placeOf(const Box &box) {
  double height = lineHeight * static_cast<double>(box.lines.size()) + 12;
  return {margin + (box.column + 0.5) * columnWidth,
          titleHeight + margin + (box.row + 0.5) * rowHeight,
          (box.width * columnWidth - (columnWidth - boxWidth)) / 2, height / 2};
}

static void writeText(double x, double y, llvm::StringRef anchor,
                      llvm::StringRef style, llvm::StringRef text,
                      llvm::raw_ostream &os) {
  os << "<text x=\"" << number(x) << "\" y=\"" << number(y)
     << "\" text-anchor=\"" << anchor << "\"" << style << ">"
     << escapeHtml(text) << "</text>\n";
}

static void writeBox(const Box &box, llvm::raw_ostream &os) {
  Place place = placeOf(box);
  os << "<rect x=\"" << number(place.x - place.halfWidth) << "\" y=\""
     << number(place.y - place.halfHeight) << "\" width=\""
     << number(2 * place.halfWidth) << "\" height=\""
     << number(2 * place.halfHeight) << "\" rx=\"5\" fill=\"" << box.fill
     << "\" stroke=\"#444444\"/>\n";
  double y = place.y - place.halfHeight + 6 + lineHeight * 0.75;
  for (size_t index = 0; index < box.lines.size(); ++index) {
    writeText(place.x, y + lineHeight * static_cast<double>(index), "middle",
              index == 0 ? " font-weight=\"bold\"" : "", box.lines[index], os);
  }
}

/// Where a line towards `other` leaves a box: in its middle, or right below or
/// above the other one where it is wide.
static double leave(const Place &box, const Place &other) {
  double reach = box.halfWidth - boxWidth / 2;
  return std::clamp(other.x, box.x - reach, box.x + reach);
}

/// How far an arc is from the row of its ends; deeper the further apart they
/// are, so that arcs do not hide each other.
static double arcDepth(const Line &line, const Place &from, const Place &to) {
  double depth = 14 + 0.12 * std::abs(to.x - from.x);
  return std::min(depth, line.isBelow ? deepestBelow : deepestAbove);
}

/// The frame's box, in pixels.
static Place placeOf(const Drawing &drawing, const Frame &frame) {
  constexpr double around = 8, above = 24;
  double left = INFINITY, right = 0, top = INFINITY, bottom = 0;
  for (uint32_t box : frame.boxes) {
    Place place = placeOf(drawing.boxes[box]);
    left = std::min(left, place.x - place.halfWidth);
    right = std::max(right, place.x + place.halfWidth);
    top = std::min(top, place.y - place.halfHeight);
    bottom = std::max(bottom, place.y + place.halfHeight);
  }
  left -= around, right += around, top -= above, bottom += around;
  return {(left + right) / 2, (top + bottom) / 2, (right - left) / 2,
          (bottom - top) / 2};
}

static void writeFrame(const Drawing &drawing, const Frame &frame,
                       llvm::raw_ostream &os) {
  Place place = placeOf(drawing, frame);
  double left = place.x - place.halfWidth, top = place.y - place.halfHeight;
  os << "<rect x=\"" << number(left) << "\" y=\"" << number(top)
     << "\" width=\"" << number(2 * place.halfWidth) << "\" height=\""
     << number(2 * place.halfHeight)
     << "\" rx=\"7\" fill=\"none\" stroke=\"#aaaaaa\"/>\n";
  writeText(left + 8, top + 16, "start", " font-weight=\"bold\"", frame.title,
            os);
}

static void writeLine(const Drawing &drawing, const Line &line,
                      llvm::raw_ostream &os) {
  Place from = placeOf(drawing.boxes[line.from]);
  Place to = placeOf(drawing.boxes[line.to]);
  os << "<path fill=\"none\" stroke=\"" << line.color << "\"";
  if (line.width != 1) {
    os << " stroke-width=\"" << number(line.width) << "\"";
  }
  os << " d=\"";
  double labelX = 0, labelY = 0;
  if (from.y == to.y) {
    // An arc below or above the row, deeper the further apart the ends are.
    double side = line.isBelow ? 1 : -1;
    double y = from.y + side * from.halfHeight;
    double endY = to.y + side * to.halfHeight;
    double depth = y + side * arcDepth(line, from, to);
    os << "M " << number(from.x) << " " << number(y) << " C " << number(from.x)
       << " " << number(depth) << " " << number(to.x) << " " << number(depth)
       << " " << number(to.x) << " " << number(endY);
    labelX = (from.x + to.x) / 2;
    labelY = y + 0.75 * (depth - y) + (line.isBelow ? 11 : -3);
  } else {
    const Place &upper = from.y < to.y ? from : to;
    const Place &lower = from.y < to.y ? to : from;
    double upperX = leave(upper, lower), lowerX = leave(lower, upper);
    double upperY = upper.y + upper.halfHeight;
    double lowerY = lower.y - lower.halfHeight;
    os << "M " << number(upperX) << " " << number(upperY) << " L "
       << number(lowerX) << " " << number(lowerY);
    // Nearer to the narrower end, where fewer lines meet.
    labelX = upperX + 0.7 * (lowerX - upperX);
    labelY = upperY + 0.7 * (lowerY - upperY) + 4;
  }
  os << "\"/>\n";
  if (!line.label.empty()) {
    writeText(labelX, labelY, "middle",
              " font-size=\"10\" fill=\"#333333\" stroke=\"#ffffff\" "
              "stroke-width=\"3\" paint-order=\"stroke\"",
              line.label, os);
  }
}

void moe::report::renderSvg(const Drawing &drawing, llvm::raw_ostream &os) {
  double right = 4 * columnWidth, bottom = 0;
  for (const Box &box : drawing.boxes) {
    Place place = placeOf(box);
    right = std::max(right, place.x + place.halfWidth);
    bottom = std::max(bottom, place.y + place.halfHeight);
  }
  for (const Line &line : drawing.lines) {
    Place from = placeOf(drawing.boxes[line.from]);
    Place to = placeOf(drawing.boxes[line.to]);
    if (line.isBelow && from.y == to.y) {
      bottom =
          std::max(bottom, from.y + from.halfHeight + arcDepth(line, from, to));
    }
  }
  double legendY = bottom + 40;
  double width = right + margin;
  double height = legendY + margin;
  os << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << number(width)
     << "\" height=\"" << number(height) << "\" viewBox=\"0 0 " << number(width)
     << " " << number(height)
     << "\" font-family=\"sans-serif\" font-size=\"12\">\n"
     << "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  writeText(margin, margin + 8, "start",
            " font-size=\"16\" font-weight=\"bold\"", drawing.title, os);
  for (const Frame &frame : drawing.frames) {
    writeFrame(drawing, frame, os);
  }
  for (const Line &line : drawing.lines) {
    writeLine(drawing, line, os);
  }
  for (const Box &box : drawing.boxes) {
    writeBox(box, os);
  }
  double x = margin;
  for (const auto &[color, meaning] : drawing.legend) {
    os << "<rect x=\"" << number(x) << "\" y=\"" << number(legendY - 9)
       << "\" width=\"18\" height=\"4\" fill=\"" << color << "\"/>\n";
    writeText(x + 24, legendY - 3, "start", "", meaning, os);
    x += 48 + 7.0 * static_cast<double>(meaning.size());
  }
  os << "</svg>\n";
}

/// A string of DOT.
static std::string quote(llvm::StringRef text) {
  std::string quoted = "\"";
  for (char c : text) {
    quoted += c == '"' || c == '\\' ? std::string("\\") + c
              : c == '\n'           ? "\\n"
                                    : std::string(1, c);
  }
  return quoted + "\"";
}

void moe::report::renderDot(const Drawing &drawing, llvm::raw_ostream &os) {
  os << "graph " << drawing.name << " {\n"
     << "  label = " << quote(drawing.title) << ";\n"
     << "  node [shape = box, style = filled, fontname = \"sans-serif\"];\n"
     << "  edge [fontname = \"sans-serif\", fontsize = 10];\n";
  for (const Box &box : drawing.boxes) {
    std::string label;
    for (const std::string &line : box.lines) {
      label += (label.empty() ? "" : "\n") + line;
    }
    os << "  " << quote(box.name) << " [label = " << quote(label)
       << ", fillcolor = " << quote(box.fill) << "];\n";
  }
  for (const Line &line : drawing.lines) {
    os << "  " << quote(drawing.boxes[line.from].name) << " -- "
       << quote(drawing.boxes[line.to].name)
       << " [label = " << quote(line.label)
       << ", color = " << quote(line.color);
    if (line.width != 1) {
      os << ", penwidth = " << number(line.width);
    }
    os << "];\n";
  }
  for (auto [index, frame] : llvm::enumerate(drawing.frames)) {
    os << "  subgraph cluster_" << index
       << " {\n    label = " << quote(frame.title) << ";\n";
    for (uint32_t box : frame.boxes) {
      os << "    " << quote(drawing.boxes[box].name) << ";\n";
    }
    os << "  }\n";
  }
  os << "}\n";
}
