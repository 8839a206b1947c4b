// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Dialect/Comm/CommAttributes.h"

#include "mlir/IR/Builders.h"

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
