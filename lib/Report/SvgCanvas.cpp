//===- SvgCanvas.cpp - Shapes and texts of an inline SVG ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SvgCanvas.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>

using namespace moe::report;
using llvm::formatv;
using llvm::StringRef;

std::string moe::report::escapeHtml(StringRef text) {
  std::string escaped;
  llvm::raw_string_ostream os(escaped);
  llvm::printHTMLEscaped(text, os);
  return escaped;
}

StringRef moe::report::seriesColor(size_t index) {
  // Told apart also by those who see no red and green.
  static constexpr StringRef colors[] = {"#0b5394", "#c2570c", "#1b7f5c",
                                         "#8e3b8e", "#8a6d00", "#b3261e",
                                         "#00778a", "#4a4a4a"};
  return colors[index % std::size(colors)];
}

std::string moe::report::heatColor(double part) {
  part = std::clamp(part, 0.0, 1.0);
  // Nearly white, light blue, dark blue: ever darker, so also in print.
  constexpr double stops[3][3] = {{237, 243, 250}, {88, 148, 205}, {8, 37, 88}};
  int first = part < 0.5 ? 0 : 1;
  double within = 2 * part - first;
  std::string color = "#";
  for (int channel = 0; channel < 3; ++channel) {
    double value = stops[first][channel] +
                   within * (stops[first + 1][channel] - stops[first][channel]);
    color += formatv("{0:x-2}", static_cast<unsigned>(std::lround(value)));
  }
  return color;
}

//===----------------------------------------------------------------------===//
// Canvas
//===----------------------------------------------------------------------===//

/// Coordinates need no more than a tenth of a pixel.
static std::string pixels(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.1f", value);
  StringRef number = text;
  number.consume_back(".0");
  return number.str();
}

SvgCanvas::SvgCanvas(double width, double height, StringRef title,
                     llvm::raw_ostream &os)
    : os(os) {
  os << formatv("<svg viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
                "role=\"img\" aria-label=\"{2}\">\n",
                pixels(width), pixels(height), escapeHtml(title));
}

SvgCanvas::~SvgCanvas() { os << "</svg>\n"; }

void SvgCanvas::text(double x, double y, StringRef text, Anchor anchor,
                     StringRef style) {
  static constexpr StringRef anchors[] = {"start", "middle", "end"};
  os << formatv("<text x=\"{0}\" y=\"{1}\" text-anchor=\"{2}\"", pixels(x),
                pixels(y), anchors[static_cast<int>(anchor)]);
  if (!style.empty()) {
    os << " class=\"" << style << '"';
  }
  os << '>' << escapeHtml(text) << "</text>\n";
}

void SvgCanvas::uprightText(double x, double y, StringRef text) {
  os << formatv("<text transform=\"translate({0} {1}) rotate(-90)\" "
                "text-anchor=\"middle\">{2}</text>\n",
                pixels(x), pixels(y), escapeHtml(text));
}

void SvgCanvas::line(double x1, double y1, double x2, double y2,
                     StringRef style) {
  os << formatv("<line x1=\"{0}\" y1=\"{1}\" x2=\"{2}\" y2=\"{3}\" "
                "class=\"{4}\"/>\n",
                pixels(x1), pixels(y1), pixels(x2), pixels(y2), style);
}

void SvgCanvas::rectangle(double x, double y, double width, double height,
                          StringRef color, StringRef label) {
  os << formatv("<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" "
                "fill=\"{4}\"",
                pixels(x), pixels(y), pixels(width), pixels(height), color);
  if (label.empty()) {
    os << "/>\n";
  } else {
    os << "><title>" << escapeHtml(label) << "</title></rect>\n";
  }
}

void SvgCanvas::polyline(llvm::ArrayRef<Point> points, StringRef color) {
  os << "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" << color
     << "\" points=\"";
  for (const Point &point : points) {
    os << pixels(point.x) << ',' << pixels(point.y) << ' ';
  }
  os << "\"/>\n";
}

void SvgCanvas::circle(double x, double y, StringRef color, StringRef label) {
  os << formatv("<circle cx=\"{0}\" cy=\"{1}\" r=\"3\" fill=\"{2}\"><title>{3}"
                "</title></circle>\n",
                pixels(x), pixels(y), color, escapeHtml(label));
}

void SvgCanvas::legend(double x, double y, llvm::ArrayRef<std::string> names) {
  constexpr double patch = 12, letter = 7.2, gap = 22;
  for (size_t index = 0; index < names.size(); ++index) {
    rectangle(x, y - 10, patch, patch, seriesColor(index));
    text(x + patch + 5, y, names[index]);
    x += patch + 5 + letter * names[index].size() + gap;
  }
}

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

Scale::Scale(double low, double high, double begin, double end,
             bool isLogarithmic)
    : low(low), high(high), begin(begin), end(end),
      isLogarithmic(isLogarithmic) {}

double Scale::at(double value) const {
  double part = isLogarithmic ? std::log(value / low) / std::log(high / low)
                              : (value - low) / (high - low);
  return begin + part * (end - begin);
}

/// 1, 2 or 5 times a power of ten, at least `value`.
static double roundStep(double value) {
  double power = std::pow(10, std::floor(std::log10(value)));
  for (double digit : {1.0, 2.0, 5.0}) {
    if (digit * power >= value * (1 - 1e-9)) {
      return digit * power;
    }
  }
  return 10 * power;
}

std::vector<double> Scale::ticks() const {
  std::vector<double> values;
  if (!isLogarithmic) {
    constexpr double most = 6;
    double step = roundStep((high - low) / most);
    auto index = static_cast<int64_t>(std::ceil(low / step - 1e-9));
    for (; index * step <= high * (1 + 1e-9); ++index) {
      values.push_back(index * step);
    }
    return values;
  }
  // Powers of ten where there are three of them, else of two.
  double base = high / low >= 1000 ? 10 : 2;
  auto exponent =
      static_cast<int>(std::ceil(std::log(low) / std::log(base) - 1e-9));
  for (; std::pow(base, exponent) <= high * (1 + 1e-9); ++exponent) {
    values.push_back(std::pow(base, exponent));
  }
  return values;
}

std::string moe::report::formatTick(double value, const Column &column) {
  // `10.00 ms` to `10 ms`.
  std::string text = formatCell(value, column);
  size_t point = text.find('.');
  if (point == std::string::npos) {
    return text;
  }
  size_t end = text.find_first_not_of("0123456789", point + 1);
  end = end == std::string::npos ? text.size() : end;
  size_t last = text.find_last_not_of('0', end - 1);
  return text.erase(last == point ? point : last + 1,
                    end - (last == point ? point : last + 1));
}

double moe::report::roundUp(double value) {
  if (!(value > 0)) {
    return 1;
  }
  double step = roundStep(value / 6);
  return std::ceil(value / step - 1e-9) * step;
}
