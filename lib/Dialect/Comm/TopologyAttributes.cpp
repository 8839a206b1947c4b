// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/CommAttributes.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::comm;

// `370.8 GB/s`.
static ParseResult parseRate(AsmParser &parser, double &rate) {
  return failure(parser.parseFloat(rate) || parser.parseKeyword("GB") ||
                 parser.parseSlash() || parser.parseKeyword("s"));
}

/// Parses the keyword of an enumeration; `symbolize` reads it.
template <typename Kind>
static ParseResult parseKind(AsmParser &parser, StringRef what, Kind &kind,
                             std::optional<Kind> (*symbolize)(StringRef)) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef word;
  if (parser.parseKeyword(&word)) {
    return failure();
  }
  std::optional<Kind> found = symbolize(word);
  if (!found) {
    return parser.emitError(loc, "expected a kind of ")
           << what << ", but got '" << word << "'";
  }
  kind = *found;
  return success();
}

// `name: 4 x 370.8 GB/s 1.5 us shared_by 2 ring` without the surrounding
// brackets.
static FailureOr<TierAttr> parseTier(AsmParser &parser) {
  StringRef name;
  int64_t size = 0;
  double rate = 0;
  double latency = 0;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&name) || parser.parseColon() ||
      parser.parseInteger(size) || parser.parseKeyword("x") ||
      parseRate(parser, rate) || parser.parseFloat(latency) ||
      parser.parseKeyword("us")) {
    return failure();
  }
  int64_t sharedBy = 1;
  if (succeeded(parser.parseOptionalKeyword("shared_by")) &&
      parser.parseInteger(sharedBy)) {
    return failure();
  }
  TierShape shape = TierShape::Switch;
  for (TierShape other :
       {TierShape::Switch, TierShape::Ring, TierShape::FullyConnected}) {
    if (succeeded(parser.parseOptionalKeyword(stringifyTierShape(other)))) {
      shape = other;
    }
  }
  Builder builder(parser.getContext());
  auto emitError = [&] { return parser.emitError(loc); };
  TierAttr tier = TierAttr::getChecked(
      emitError, parser.getContext(), builder.getStringAttr(name), size,
      builder.getF64FloatAttr(rate), builder.getF64FloatAttr(latency), sharedBy,
      shape);
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
  if (tier.getSharedBy() != 1) {
    printer << " shared_by " << tier.getSharedBy();
  }
  if (tier.getShape() != TierShape::Switch) {
    printer << " " << stringifyTierShape(tier.getShape());
  }
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
                               FloatAttr latency, int64_t sharedBy, TierShape) {
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
  if (sharedBy < 1) {
    return emitError() << "expected tier '" << name.getValue()
                       << "' to be shared by at least one device, but got "
                       << sharedBy;
  }
  return success();
}

void mlir::comm::printTiers(OpAsmPrinter &printer, Operation *,
                            ArrayAttr tiers) {
  printer << "[";
  llvm::interleaveComma(tiers.getAsRange<TierAttr>(), printer,
                        [&](TierAttr tier) { printTier(printer, tier); });
  printer << "]";
}

/// Whether a name can stand in the assembly without quotes.
static bool isBareName(StringRef name) {
  return !name.empty() && (llvm::isAlpha(name[0]) || name[0] == '_') &&
         llvm::all_of(name, [](char c) {
           return llvm::isAlnum(c) || c == '_' || c == '$' || c == '.';
         });
}

// `gpu0: gpu bus "…" model "…" numa 0 host 1 speed 25.0 GB/s indirect`.
static FailureOr<VertexAttr> parseVertex(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  VertexKind kind = VertexKind::GPU;
  if (parser.parseKeyword(&name) || parser.parseColon() ||
      parseKind<VertexKind>(parser, "vertex", kind, symbolizeVertexKind)) {
    return failure();
  }
  Builder builder(parser.getContext());
  auto parseText = [&](StringRef keyword, StringAttr &attr) -> ParseResult {
    std::string text;
    if (failed(parser.parseOptionalKeyword(keyword))) {
      return success();
    }
    if (parser.parseString(&text)) {
      return failure();
    }
    attr = builder.getStringAttr(text);
    return success();
  };
  auto parseNumber = [&](StringRef keyword,
                         std::optional<int64_t> &number) -> ParseResult {
    if (failed(parser.parseOptionalKeyword(keyword))) {
      return success();
    }
    return parser.parseInteger(number.emplace());
  };
  StringAttr bus, model;
  std::optional<int64_t> numa, host;
  if (parseText("bus", bus) || parseText("model", model) ||
      parseNumber("numa", numa) || parseNumber("host", host)) {
    return failure();
  }
  FloatAttr speed;
  if (succeeded(parser.parseOptionalKeyword("speed"))) {
    double rate = 0;
    if (parseRate(parser, rate)) {
      return failure();
    }
    speed = builder.getF64FloatAttr(rate);
  }
  bool indirect = succeeded(parser.parseOptionalKeyword("indirect"));
  auto emitError = [&] { return parser.emitError(loc); };
  VertexAttr vertex = VertexAttr::getChecked(
      emitError, parser.getContext(), builder.getStringAttr(name), kind, bus,
      model, numa ? builder.getI64IntegerAttr(*numa) : IntegerAttr(),
      host.value_or(0), speed, indirect);
  if (!vertex) {
    return failure();
  }
  return vertex;
}

static void printVertex(AsmPrinter &printer, VertexAttr vertex) {
  printer << vertex.getName().getValue() << ": "
          << stringifyVertexKind(vertex.getKind());
  if (vertex.getBus()) {
    printer << " bus " << vertex.getBus();
  }
  if (vertex.getModel()) {
    printer << " model " << vertex.getModel();
  }
  if (vertex.getNuma()) {
    printer << " numa " << vertex.getNuma().getInt();
  }
  if (vertex.getHost() != 0) {
    printer << " host " << vertex.getHost();
  }
  if (vertex.getGigabytesPerSecond()) {
    printer << " speed ";
    printDecimal(printer, vertex.getGigabytesPerSecond());
    printer << " GB/s";
  }
  if (vertex.getIndirect()) {
    printer << " indirect";
  }
}

Attribute VertexAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess()) {
    return {};
  }
  FailureOr<VertexAttr> vertex = parseVertex(parser);
  if (failed(vertex) || parser.parseGreater()) {
    return {};
  }
  return *vertex;
}

void VertexAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printVertex(printer, *this);
  printer << ">";
}

LogicalResult VertexAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringAttr name, VertexKind, StringAttr,
                                 StringAttr, IntegerAttr, int64_t host,
                                 FloatAttr speed, bool) {
  if (!isBareName(name.getValue())) {
    return emitError() << "expected a vertex to have a name of letters, digits "
                          "and '_', but got "
                       << name;
  }
  if (host < 0) {
    return emitError() << "expected vertex " << name
                       << " to be of a host of at least 0, but got " << host;
  }
  if (speed && !(speed.getValueAsDouble() > 0)) {
    return emitError() << "expected vertex " << name
                       << " to have a positive speed, but got "
                       << speed.getValueAsDouble() << " GB/s";
  }
  return success();
}

// `gpu0 to cpu0: pcie 24.0 GB/s back 12.0 GB/s`.
static FailureOr<LinkAttr> parseLink(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef from, to;
  LinkKind kind = LinkKind::PCIe;
  double rate = 0;
  if (parser.parseKeyword(&from) || parser.parseKeyword("to") ||
      parser.parseKeyword(&to) || parser.parseColon() ||
      parseKind<LinkKind>(parser, "link", kind, symbolizeLinkKind) ||
      parseRate(parser, rate)) {
    return failure();
  }
  double back = rate;
  if (succeeded(parser.parseOptionalKeyword("back")) &&
      parseRate(parser, back)) {
    return failure();
  }
  Builder builder(parser.getContext());
  auto emitError = [&] { return parser.emitError(loc); };
  LinkAttr link = LinkAttr::getChecked(
      emitError, parser.getContext(), builder.getStringAttr(from),
      builder.getStringAttr(to), kind, builder.getF64FloatAttr(rate),
      builder.getF64FloatAttr(back));
  if (!link) {
    return failure();
  }
  return link;
}

static void printLink(AsmPrinter &printer, LinkAttr link) {
  printer << link.getFrom().getValue() << " to " << link.getTo().getValue()
          << ": " << stringifyLinkKind(link.getKind()) << " ";
  printDecimal(printer, link.getGigabytesPerSecond());
  printer << " GB/s";
  if (link.getBackGigabytesPerSecond() != link.getGigabytesPerSecond()) {
    printer << " back ";
    printDecimal(printer, link.getBackGigabytesPerSecond());
    printer << " GB/s";
  }
}

Attribute LinkAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess()) {
    return {};
  }
  FailureOr<LinkAttr> link = parseLink(parser);
  if (failed(link) || parser.parseGreater()) {
    return {};
  }
  return *link;
}

void LinkAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printLink(printer, *this);
  printer << ">";
}

LogicalResult LinkAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               StringAttr from, StringAttr to, LinkKind,
                               FloatAttr rate, FloatAttr back) {
  if (from == to) {
    return emitError() << "expected a link between two vertices, but got "
                       << from << " twice";
  }
  for (FloatAttr way : {rate, back}) {
    if (!(way.getValueAsDouble() > 0)) {
      return emitError() << "expected the link from " << from << " to " << to
                         << " to have a positive bandwidth, but got "
                         << way.getValueAsDouble() << " GB/s";
    }
  }
  return success();
}

/// A list in brackets of what `parseOne` reads.
template <typename AttrType>
static ParseResult parseList(OpAsmParser &parser, ArrayAttr &attrs,
                             FailureOr<AttrType> (*parseOne)(AsmParser &)) {
  SmallVector<Attribute> list;
  auto parseEntry = [&]() -> ParseResult {
    FailureOr<AttrType> attr = parseOne(parser);
    if (failed(attr)) {
      return failure();
    }
    list.push_back(*attr);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     parseEntry)) {
    return failure();
  }
  attrs = parser.getBuilder().getArrayAttr(list);
  return success();
}

/// A list in brackets, one entry a line.
template <typename AttrType>
static void printLines(OpAsmPrinter &printer, ArrayAttr attrs,
                       void (*printOne)(AsmPrinter &, AttrType)) {
  printer << "[";
  printer.increaseIndent();
  llvm::interleave(
      attrs.getAsRange<AttrType>(),
      [&](AttrType attr) {
        printer.printNewline();
        printOne(printer, attr);
      },
      [&] { printer << ","; });
  printer.decreaseIndent();
  if (!attrs.empty()) {
    printer.printNewline();
  }
  printer << "]";
}

ParseResult mlir::comm::parseTiers(OpAsmParser &parser, ArrayAttr &tiers) {
  return parseList<TierAttr>(parser, tiers, parseTier);
}

ParseResult mlir::comm::parseVertices(OpAsmParser &parser,
                                      ArrayAttr &vertices) {
  return parseList<VertexAttr>(parser, vertices, parseVertex);
}
void mlir::comm::printVertices(OpAsmPrinter &printer, Operation *,
                               ArrayAttr vertices) {
  printLines<VertexAttr>(printer, vertices, printVertex);
}

ParseResult mlir::comm::parseLinks(OpAsmParser &parser, ArrayAttr &links) {
  return parseList<LinkAttr>(parser, links, parseLink);
}
void mlir::comm::printLinks(OpAsmPrinter &printer, Operation *,
                            ArrayAttr links) {
  printLines<LinkAttr>(printer, links, printLink);
}

static FailureOr<StringAttr> parseSentence(AsmParser &parser) {
  std::string text;
  if (parser.parseString(&text)) {
    return failure();
  }
  return parser.getBuilder().getStringAttr(text);
}
static void printSentence(AsmPrinter &printer, StringAttr sentence) {
  printer << sentence;
}

ParseResult mlir::comm::parseSentences(OpAsmParser &parser,
                                       ArrayAttr &sentences) {
  return parseList<StringAttr>(parser, sentences, parseSentence);
}
void mlir::comm::printSentences(OpAsmPrinter &printer, Operation *,
                                ArrayAttr sentences) {
  printLines<StringAttr>(printer, sentences, printSentence);
}
