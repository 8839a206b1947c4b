// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlacementSyntax.h"

#include "moe/Dialect/Comm/BytecodeVersion.h"
#include "moe/Dialect/MoE/MoE.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;
// NOLINTBEGIN(misc-unused-using-decls): what TableGen writes calls them.
using mlir::comm::parseAxes;
using mlir::comm::printAxes;
// NOLINTEND(misc-unused-using-decls)

// `over {"ep"}` where it is optional: the clause's own keyword decides.
static ParseResult parseOptionalAxes(OpAsmParser &parser,
                                     comm::AxisListAttr &axes) {
  return comm::parseAxes(parser, axes);
}
static void printOptionalAxes(OpAsmPrinter &printer, Operation *op,
                              comm::AxisListAttr axes) {
  comm::printAxes(printer, op, axes);
}

#include "moe/Dialect/MoE/MoEDialect.cpp.inc"
#include "moe/Dialect/MoE/MoEEnums.cpp.inc"
#include "moe/Dialect/MoE/MoEInterfaces.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "moe/Dialect/MoE/MoEAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "moe/Dialect/MoE/MoETypes.cpp.inc"
#define GET_OP_CLASSES
#include "moe/Dialect/MoE/MoEOps.cpp.inc"

void MoEDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "moe/Dialect/MoE/MoEAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "moe/Dialect/MoE/MoETypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "moe/Dialect/MoE/MoEOps.cpp.inc"
      >();
  addInterface<comm::BytecodeVersion>(/*current=*/uint64_t(2));
}

//===----------------------------------------------------------------------===//
// Types and attributes
//===----------------------------------------------------------------------===//

Type WeightsType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater()) {
    return {};
  }
  auto emitError = [&] { return parser.emitError(loc); };
  return getChecked(emitError, parser.getContext(), shape, element);
}

void WeightsType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printDimensionList(getShape());
  printer << "x" << getElementType() << ">";
}

LogicalResult WeightsType::verify(function_ref<InFlightDiagnostic()> emitError,
                                  ArrayRef<int64_t> shape, Type element) {
  if (shape.size() != 3) {
    return emitError() << "expected slots x K x N x dtype, but got "
                       << shape.size() << " extents";
  }
  if (llvm::any_of(shape, [](int64_t extent) { return extent < 1; })) {
    return emitError() << "expected positive extents, but got " << shape[0]
                       << " x " << shape[1] << " x " << shape[2];
  }
  if (!isa<Float32Type, BFloat16Type, Float16Type>(element) &&
      !(isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8)) {
    return emitError() << "expected a dtype of f32, bf16, f16 or an 8-bit "
                          "float, but got "
                       << element;
  }
  return success();
}

LogicalResult
PlacementRefType::verify(function_ref<InFlightDiagnostic()> emitError,
                         int64_t experts) {
  if (experts < 1 || experts > comm::kMaxCount) {
    return emitError() << "expected 1 to " << comm::kMaxCount
                       << " experts, but got " << experts;
  }
  return success();
}

LogicalResult LayoutType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t ranks, int64_t slots) {
  if (ranks < 1 || slots < 1 || ranks > comm::kMaxCount / slots) {
    return emitError() << "expected positive ranks and slots, together at most "
                       << comm::kMaxCount << ", but got " << ranks << " and "
                       << slots;
  }
  return success();
}

ShapedType WeightsType::cloneWith(std::optional<ArrayRef<int64_t>> shape,
                                  Type elementType) const {
  return get(getContext(), shape.value_or(getShape()), elementType);
}

LogicalResult
GroupLimitAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                       int64_t groups, int64_t keep, GroupScore score,
                       int64_t top, MaskValue mask) {
  if (groups < 1 || keep < 1 || keep > groups || top < 1) {
    return emitError() << "expected 1 <= keep <= groups and top >= 1, but got "
                       << "groups " << groups << ", keep " << keep << ", top "
                       << top;
  }
  return success();
}

Attribute CapacityGroupAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  FailureOr<CapacityScope> scope;
  int64_t size = 0;
  if (parser.parseLess() ||
      failed(scope = FieldParser<CapacityScope>::parse(parser))) {
    return {};
  }
  OptionalParseResult sized = parser.parseOptionalInteger(size);
  if ((sized.has_value() && failed(*sized)) || parser.parseGreater()) {
    return {};
  }
  auto emitError = [&] { return parser.emitError(loc); };
  return getChecked(emitError, parser.getContext(), *scope, size);
}

void CapacityGroupAttr::print(AsmPrinter &printer) const {
  printer << "<" << stringifyCapacityScope(getScope());
  if (getSize() != 0) {
    printer << " " << getSize();
  }
  printer << ">";
}

LogicalResult
CapacityGroupAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                          CapacityScope scope, int64_t size) {
  bool sized = scope != CapacityScope::All;
  if (sized != (size > 0)) {
    return emitError() << "expected a positive size with tokens and sequence "
                       << "and none with all, but got " << size;
  }
  return success();
}

LogicalResult CapacityAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t count, FloatAttr factor,
                                   CapacityRounding rounding,
                                   int64_t multipleOf, int64_t minimum) {
  if ((count > 0) == static_cast<bool>(factor)) {
    return emitError() << "expected either a positive count or a factor";
  }
  bool isPositive = !factor || (factor.getValueAsDouble() > 0 &&
                                factor.getValue().isFinite());
  if (count < 0 || multipleOf < 1 || minimum < 0 || !isPositive) {
    return emitError() << "expected a finite, positive factor, multiple_of >= "
                          "1 and minimum >= 0";
  }
  return success();
}
