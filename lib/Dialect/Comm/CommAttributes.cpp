// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/CommAttributes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::comm;

AxisRefAttr AxisRefAttr::get(MLIRContext *context, StringRef name) {
  return get(context, StringAttr::get(context, name), 0, 0);
}

bool AxisRefAttr::overlaps(AxisRefAttr other) const {
  if (getName() != other.getName()) {
    return false;
  }
  if (!isSubAxis() || !other.isSubAxis()) {
    return true;
  }
  // Parts are independent where one is read from what the other leaves.
  return other.getPreSize() % (getPreSize() * getSize()) != 0 &&
         getPreSize() % (other.getPreSize() * other.getSize()) != 0;
}

// `"ep"` or `"ep":(2)4`.
static FailureOr<AxisRefAttr> parseAxisRef(AsmParser &parser) {
  std::string name;
  int64_t preSize = 0;
  int64_t size = 0;
  if (parser.parseString(&name)) {
    return failure();
  }
  if (succeeded(parser.parseOptionalColon())) {
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseLParen() || parser.parseInteger(preSize) ||
        parser.parseRParen() || parser.parseInteger(size)) {
      return failure();
    }
    if (preSize < 1 || size < 2 || preSize > kMaxCount / size) {
      return parser.emitError(loc, "expected a positive size before a sub-axis "
                                   "and a sub-axis of at least 2, together at "
                                   "most ")
             << kMaxCount << ", but got (" << preSize << ")" << size;
    }
  }
  MLIRContext *context = parser.getContext();
  return AxisRefAttr::get(context, StringAttr::get(context, name), preSize,
                          size);
}

static void printAxisRef(AsmPrinter &printer, AxisRefAttr axis) {
  printer.printString(axis.getName().getValue());
  if (axis.isSubAxis()) {
    printer << ":(" << axis.getPreSize() << ")" << axis.getSize();
  }
}

ParseResult mlir::comm::parseAxes(AsmParser &parser, AxisListAttr &axes) {
  SmallVector<AxisRefAttr> refs;
  auto parseOne = [&]() -> ParseResult {
    FailureOr<AxisRefAttr> axis = parseAxisRef(parser);
    if (failed(axis)) {
      return failure();
    }
    refs.push_back(*axis);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Braces, parseOne)) {
    return failure();
  }
  axes = AxisListAttr::get(parser.getContext(), refs);
  return success();
}

void mlir::comm::printAxes(AsmPrinter &printer, AxisListAttr axes) {
  printer << "{";
  llvm::interleave(
      axes.getAxes(), [&](AxisRefAttr axis) { printAxisRef(printer, axis); },
      [&] { printer << ","; });
  printer << "}";
}

Attribute AxisRefAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess()) {
    return {};
  }
  FailureOr<AxisRefAttr> axis = parseAxisRef(parser);
  if (failed(axis) || parser.parseGreater()) {
    return {};
  }
  return *axis;
}

void AxisRefAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printAxisRef(printer, *this);
  printer << ">";
}

Attribute AxisListAttr::parse(AsmParser &parser, Type) {
  AxisListAttr axes;
  if (parser.parseLess() || parseAxes(parser, axes) || parser.parseGreater()) {
    return {};
  }
  return axes;
}

void AxisListAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printAxes(printer, *this);
  printer << ">";
}

Attribute MeshAxisAttr::parse(AsmParser &parser, Type) {
  std::string name;
  int64_t size = 0;
  if (parser.parseLess() || parser.parseString(&name) || parser.parseEqual() ||
      parser.parseInteger(size) || parser.parseGreater()) {
    return {};
  }
  MLIRContext *context = parser.getContext();
  return get(context, StringAttr::get(context, name), size);
}

void MeshAxisAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printString(getName().getValue());
  printer << "=" << getSize() << ">";
}

bool ShardingAttr::isReplicated() const {
  return llvm::all_of(getDims(),
                      [](AxisListAttr axes) { return axes.empty(); });
}

Attribute ShardingAttr::parse(AsmParser &parser, Type) {
  FlatSymbolRefAttr mesh;
  SmallVector<AxisListAttr> dims;
  auto parseDim = [&]() -> ParseResult {
    return parseAxes(parser, dims.emplace_back());
  };
  if (parser.parseLess() || parser.parseAttribute(mesh) ||
      parser.parseComma() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseDim) ||
      parser.parseGreater()) {
    return {};
  }
  return get(parser.getContext(), mesh, dims);
}

void ShardingAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printAttributeWithoutType(getMesh());
  printer << ", [";
  llvm::interleaveComma(getDims(), printer,
                        [&](AxisListAttr axes) { printAxes(printer, axes); });
  printer << "]>";
}

// `name: 4 x 370.8 GB/s 1.5 us` without the surrounding brackets.
static FailureOr<TierAttr> parseTier(AsmParser &parser) {
  StringRef name;
  int64_t size = 0;
  double rate = 0;
  double latency = 0;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&name) || parser.parseColon() ||
      parser.parseInteger(size) || parser.parseKeyword("x") ||
      parser.parseFloat(rate) || parser.parseKeyword("GB") ||
      parser.parseSlash() || parser.parseKeyword("s") ||
      parser.parseFloat(latency) || parser.parseKeyword("us")) {
    return failure();
  }
  Builder builder(parser.getContext());
  auto emitError = [&] { return parser.emitError(loc); };
  TierAttr tier = TierAttr::getChecked(
      emitError, parser.getContext(), builder.getStringAttr(name), size,
      builder.getF64FloatAttr(rate), builder.getF64FloatAttr(latency));
  if (!tier) {
    return failure();
  }
  return tier;
}

// The shortest decimal that reads back as the same number: 50.0, 370.8.
static void printDecimal(AsmPrinter &printer, FloatAttr attr) {
  double value = attr.getValueAsDouble();
  std::string digits;
  for (unsigned places = 1; places <= 17; ++places) {
    digits = llvm::formatv("{0}", llvm::format("%.*f", places, value)).str();
    if (std::strtod(digits.c_str(), nullptr) == value) {
      break;
    }
  }
  printer << digits;
}

static void printTier(AsmPrinter &printer, TierAttr tier) {
  printer << tier.getName().getValue() << ": " << tier.getSize() << " x ";
  printDecimal(printer, tier.getGigabytesPerSecond());
  printer << " GB/s ";
  printDecimal(printer, tier.getLatencyMicroseconds());
  printer << " us";
}

Attribute TierAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess()) {
    return {};
  }
  FailureOr<TierAttr> tier = parseTier(parser);
  if (failed(tier) || parser.parseGreater()) {
    return {};
  }
  return *tier;
}

void TierAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printTier(printer, *this);
  printer << ">";
}

LogicalResult TierAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               StringAttr name, int64_t size, FloatAttr rate,
                               FloatAttr latency) {
  if (size < 1) {
    return emitError() << "expected tier '" << name.getValue()
                       << "' to join at least one part, but got " << size;
  }
  if (!(rate.getValueAsDouble() > 0) || !rate.getValue().isFinite()) {
    return emitError() << "expected tier '" << name.getValue()
                       << "' to have a positive bandwidth, but got "
                       << rate.getValueAsDouble() << " GB/s";
  }
  if (!(latency.getValueAsDouble() >= 0) || !latency.getValue().isFinite()) {
    return emitError() << "expected tier '" << name.getValue()
                       << "' to have a latency of at least 0, but got "
                       << latency.getValueAsDouble() << " us";
  }
  return success();
}

ParseResult mlir::comm::parseTiers(OpAsmParser &parser, ArrayAttr &tiers) {
  SmallVector<Attribute> list;
  auto parseOne = [&]() -> ParseResult {
    FailureOr<TierAttr> tier = parseTier(parser);
    if (failed(tier)) {
      return failure();
    }
    list.push_back(*tier);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne)) {
    return failure();
  }
  tiers = parser.getBuilder().getArrayAttr(list);
  return success();
}

void mlir::comm::printTiers(OpAsmPrinter &printer, Operation *,
                            ArrayAttr tiers) {
  printer << "[";
  llvm::interleaveComma(tiers.getAsRange<TierAttr>(), printer,
                        [&](TierAttr tier) { printTier(printer, tier); });
  printer << "]";
}

ParseResult mlir::comm::parseMeshAxes(OpAsmParser &parser, ArrayAttr &axes) {
  SmallVector<Attribute> list;
  auto parseOne = [&]() -> ParseResult {
    std::string name;
    int64_t size = 0;
    if (parser.parseString(&name) || parser.parseEqual() ||
        parser.parseInteger(size)) {
      return failure();
    }
    list.push_back(MeshAxisAttr::get(
        parser.getContext(), parser.getBuilder().getStringAttr(name), size));
    return success();
  };
  if (parser.parseLess() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne) ||
      parser.parseGreater()) {
    return failure();
  }
  axes = parser.getBuilder().getArrayAttr(list);
  return success();
}

void mlir::comm::printMeshAxes(OpAsmPrinter &printer, Operation *,
                               ArrayAttr axes) {
  printer << "<[";
  llvm::interleaveComma(axes.getAsRange<MeshAxisAttr>(), printer,
                        [&](MeshAxisAttr axis) {
                          printer.printString(axis.getName().getValue());
                          printer << "=" << axis.getSize();
                        });
  printer << "]>";
}
