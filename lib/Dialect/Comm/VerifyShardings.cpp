// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifies the shardings and axes that are written on functions and operations,
// so that passes can trust them.

#include "moe/Dialect/Comm/Comm.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/Twine.h"

using namespace mlir;
using namespace mlir::comm;

// On functions errors do not print the operation: it would be the whole body.
static InFlightDiagnostic emitAt(Operation *op, const Twine &where) {
  return emitError(op->getLoc()) << where << ": ";
}

// One sharding on a value of type `type`; `where` says on which.
static LogicalResult verifyWritten(Operation *op, const Twine &where,
                                   Attribute attribute, Type type) {
  auto sharding = dyn_cast<ShardingAttr>(attribute);
  if (!sharding) {
    return emitAt(op, where)
           << "expected a #comm.sharding, but got " << attribute;
  }
  return verifySharding([&] { return emitAt(op, where); }, op, sharding, type);
}

// Axes of the mesh of the module that `op` is in.
static LogicalResult verifyAxes(Operation *op, const Twine &where,
                                Attribute attribute) {
  auto axes = dyn_cast<AxisListAttr>(attribute);
  if (!axes) {
    return emitAt(op, where) << "expected a #comm.axes, but got " << attribute;
  }
  Operation *table = SymbolTable::getNearestSymbolTable(op->getParentOp());
  auto meshes = table->getRegion(0).getOps<MeshOp>();
  if (meshes.empty()) {
    return emitAt(op, where) << "expected a mesh in the module";
  }
  return verifyMeshAxes(
      [&] { return emitAt(op, where); }, op,
      FlatSymbolRefAttr::get((*meshes.begin()).getSymNameAttr()), axes);
}

// What is written on an argument or a result; `which` says on which.
static LogicalResult verifyOnValue(FunctionOpInterface function,
                                   const Twine &which, NamedAttribute attribute,
                                   Type type) {
  std::string where = ("'" + attribute.getName().getValue() + "' on " + which +
                       " of '" + function.getName() + "'")
                          .str();
  if (attribute.getName() == kShardingAttrName) {
    return verifyWritten(function, where, attribute.getValue(), type);
  }
  if (attribute.getName() == kVariesOverAttrName) {
    return verifyAxes(function, where, attribute.getValue());
  }
  return success();
}

LogicalResult CommDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                    unsigned index,
                                                    NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  return function ? verifyOnValue(function, "argument " + Twine(index),
                                  attribute, function.getArgumentTypes()[index])
                  : success();
}

LogicalResult CommDialect::verifyRegionResultAttribute(
    Operation *op, unsigned, unsigned index, NamedAttribute attribute) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  return function ? verifyOnValue(function, "result " + Twine(index), attribute,
                                  function.getResultTypes()[index])
                  : success();
}

// One entry a value, a sharding or unit.
static LogicalResult verifyEntries(Operation *op, NamedAttribute attribute,
                                   TypeRange types) {
  std::string where = ("'" + attribute.getName().getValue() + "'").str();
  auto entries = dyn_cast<ArrayAttr>(attribute.getValue());
  if (!entries || entries.size() != types.size()) {
    return emitAt(op, where) << "expected a list of " << types.size()
                             << " entries, but got " << attribute.getValue();
  }
  for (auto [index, entry] : llvm::enumerate(entries)) {
    if (!isa<UnitAttr>(entry) &&
        failed(verifyWritten(op, where + ", entry " + Twine(index), entry,
                             types[index]))) {
      return failure();
    }
  }
  return success();
}

// `[[operand dims …] …, [result dims …] …]`: factors from -1 (whole) on. There
// cannot be more factors than dimensions.
static LogicalResult verifyRule(FunctionOpInterface function,
                                Attribute attribute) {
  SmallVector<Type> types(function.getArgumentTypes());
  llvm::append_range(types, function.getResultTypes());
  int64_t factors = 0;
  for (Type type : types) {
    auto shaped = dyn_cast<ShapedType>(type);
    factors += shaped && shaped.hasRank() ? shaped.getRank() : 0;
  }
  std::string where =
      ("'" + kShardingRuleAttrName + "' of '" + function.getName() + "'").str();
  auto values = dyn_cast<ArrayAttr>(attribute);
  if (!values || values.size() != types.size()) {
    return emitAt(function, where)
           << "expected lists of factors for " << types.size()
           << " values, but got " << attribute;
  }
  auto isFactor = [&](Attribute dim) {
    auto factor = dyn_cast<IntegerAttr>(dim);
    return factor && factor.getInt() >= -1 && factor.getInt() < factors;
  };
  for (auto [index, entry] : llvm::enumerate(values)) {
    auto dims = dyn_cast<ArrayAttr>(entry);
    if (!dims || !llvm::all_of(dims, isFactor)) {
      return emitAt(function, where)
             << "expected entry " << index << " to be a list of factors from "
             << "-1 to " << factors - 1 << ", but got " << entry;
    }
    auto shaped = dyn_cast<ShapedType>(types[index]);
    if (shaped && static_cast<int64_t>(dims.size()) != shaped.getRank()) {
      return emitAt(function, where)
             << "expected entry " << index << " to have " << shaped.getRank()
             << " dimensions, but got " << dims.size();
    }
  }
  return success();
}

// One positive number for each factor of the function's rule.
static LogicalResult verifyGranules(FunctionOpInterface function,
                                    Attribute attribute) {
  int64_t factors = 0;
  if (auto rule = function->getAttrOfType<ArrayAttr>(kShardingRuleAttrName)) {
    rule.walk([&](IntegerAttr factor) {
      factors = std::max(factors, factor.getInt() + 1);
    });
  }
  auto granules = dyn_cast<DenseI64ArrayAttr>(attribute);
  if (granules && granules.size() == factors &&
      llvm::all_of(granules.asArrayRef(),
                   [](int64_t granule) { return granule > 0; })) {
    return success();
  }
  return emitAt(function, ("'" + kShardingGranulesAttrName + "' of '" +
                           function.getName() + "'")
                              .str())
         << "expected a positive number for each of the " << factors
         << " factors of its rule, but got " << attribute;
}

LogicalResult CommDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  if (attribute.getName() == kResultShardingsAttrName) {
    return verifyEntries(op, attribute, op->getResultTypes());
  }
  if (attribute.getName() == kArgumentShardingsAttrName) {
    SmallVector<Type> types;
    if (op->getNumRegions() > 0 && !op->getRegion(0).empty()) {
      llvm::append_range(types, op->getRegion(0).getArgumentTypes());
    }
    return verifyEntries(op, attribute, types);
  }
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (function && attribute.getName() == kShardingRuleAttrName) {
    return verifyRule(function, attribute.getValue());
  }
  if (function && attribute.getName() == kShardingGranulesAttrName) {
    return verifyGranules(function, attribute.getValue());
  }
  return success();
}
