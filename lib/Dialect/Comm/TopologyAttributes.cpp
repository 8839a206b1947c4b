// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/CommAttributes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::comm;

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
