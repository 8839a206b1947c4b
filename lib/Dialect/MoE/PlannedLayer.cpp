// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::moe;

PlannedLayerAttr PlannedLayerAttr::get(Attribute name) {
  return get(name.getContext(), name, /*number=*/-1, {}, {}, {}, {});
}

// A number or a string.
static ParseResult parseName(AsmParser &parser, Attribute &name) {
  int64_t number = 0;
  OptionalParseResult isNumber = parser.parseOptionalInteger(number);
  if (isNumber.has_value()) {
    name = parser.getBuilder().getI64IntegerAttr(number);
    return *isNumber;
  }
  std::string text;
  if (parser.parseString(&text)) {
    return failure();
  }
  name = parser.getBuilder().getStringAttr(text);
  return success();
}

static ParseResult parseSizes(AsmParser &parser, StringRef keyword,
                              SmallVector<int64_t> &sizes) {
  return failure(
      parser.parseKeyword(keyword) ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parser.parseInteger(sizes.emplace_back());
      }));
}

Attribute PlannedLayerAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  Attribute name;
  FlatSymbolRefAttr exchange;
  FlatSymbolRefAttr placement;
  SmallVector<int64_t> sends;
  SmallVector<int64_t> returns;
  if (parser.parseLess() || parseName(parser, name)) {
    return {};
  }
  auto named = dyn_cast<IntegerAttr>(name);
  int64_t number = named ? named.getInt() : 0;
  if (succeeded(parser.parseOptionalGreater())) {
    return get(name);
  }
  if (succeeded(parser.parseOptionalKeyword("number")) &&
      parser.parseInteger(number)) {
    return {};
  }
  if (parser.parseKeyword("by") || parser.parseAttribute(exchange) ||
      (succeeded(parser.parseOptionalKeyword("at")) &&
       parser.parseAttribute(placement)) ||
      parseSizes(parser, "sends", sends) ||
      parseSizes(parser, "returns", returns) || parser.parseGreater()) {
    return {};
  }
  auto emitError = [&] { return parser.emitError(loc); };
  return getChecked(emitError, parser.getContext(), name, number, exchange,
                    placement, ArrayRef(sends), ArrayRef(returns));
}

void PlannedLayerAttr::print(AsmPrinter &printer) const {
  printer << "<";
  auto named = dyn_cast<IntegerAttr>(getName());
  if (named) {
    printer << named.getInt();
  } else {
    printer << getName();
  }
  if (getExchange()) {
    if (!named || named.getInt() != getNumber()) {
      printer << " number " << getNumber();
    }
    printer << " by " << getExchange();
    if (getPlacement()) {
      printer << " at " << getPlacement();
    }
    printer << " sends [";
    llvm::interleaveComma(getSends(), printer);
    printer << "] returns [";
    llvm::interleaveComma(getReturns(), printer);
    printer << "]";
  }
  printer << ">";
}

LogicalResult PlannedLayerAttr::verify(
    function_ref<InFlightDiagnostic()> emitError, Attribute name,
    int64_t number, FlatSymbolRefAttr exchange, FlatSymbolRefAttr placement,
    ArrayRef<int64_t> sends, ArrayRef<int64_t> returns) {
  auto isPositive = [](int64_t bytes) { return bytes > 0; };
  if (!llvm::all_of(sends, isPositive) || !llvm::all_of(returns, isPositive)) {
    return emitError() << "expected positive numbers of bytes a row";
  }
  if (exchange && number < 0) {
    return emitError() << "expected the number of a layer, but got " << number;
  }
  return success();
}
