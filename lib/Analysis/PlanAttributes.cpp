// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/PlanAttributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

planning::AxisRef mlir::moe::toPlanning(comm::AxisRefAttr axis) {
  StringRef name = axis.getName().getValue();
  return axis.isSubAxis()
             ? planning::AxisRef(name, axis.getPreSize(), axis.getSize())
             : planning::AxisRef(name);
}

std::vector<planning::AxisRef> mlir::moe::toPlanning(comm::AxisListAttr axes) {
  std::vector<planning::AxisRef> refs;
  for (comm::AxisRefAttr axis : axes.getAxes()) {
    refs.push_back(toPlanning(axis));
  }
  return refs;
}

comm::AxisListAttr mlir::moe::toAttribute(MLIRContext *context,
                                          ArrayRef<planning::AxisRef> axes) {
  SmallVector<comm::AxisRefAttr> refs;
  for (const planning::AxisRef &axis : axes) {
    // The attribute has zeros where the whole axis is meant.
    bool whole = axis.size == 0;
    refs.push_back(comm::AxisRefAttr::get(context,
                                          StringAttr::get(context, axis.axis),
                                          whole ? 0 : axis.preSize, axis.size));
  }
  return comm::AxisListAttr::get(context, refs);
}

llvm::Expected<planning::Mesh> mlir::moe::toPlanning(comm::MeshOp mesh) {
  std::vector<planning::MeshAxis> axes;
  for (comm::MeshAxisAttr axis :
       mesh.getAxes().getAsRange<comm::MeshAxisAttr>()) {
    axes.push_back({axis.getName().str(), axis.getSize()});
  }
  std::optional<ArrayRef<int64_t>> order = mesh.getOrder();
  return planning::Mesh::create(std::move(axes),
                                order ? order->vec() : std::vector<int64_t>());
}

ArrayAttr mlir::moe::toAttribute(MLIRContext *context,
                                 const planning::Mesh &mesh) {
  Builder builder(context);
  SmallVector<Attribute> axes;
  for (const planning::MeshAxis &axis : mesh.axes()) {
    axes.push_back(comm::MeshAxisAttr::get(
        context, builder.getStringAttr(axis.name), axis.size));
  }
  return builder.getArrayAttr(axes);
}

planning::ExchangeForm mlir::moe::toPlanning(ExchangeForm form) {
  switch (form) {
  case ExchangeForm::FlatExact:
    return planning::ExchangeForm::FlatExact;
  case ExchangeForm::FlatBounded:
    return planning::ExchangeForm::FlatBounded;
  }
  llvm_unreachable("unknown form");
}

ExchangeForm mlir::moe::toAttribute(planning::ExchangeForm form) {
  switch (form) {
  case planning::ExchangeForm::FlatExact:
    return ExchangeForm::FlatExact;
  case planning::ExchangeForm::FlatBounded:
    return ExchangeForm::FlatBounded;
  }
  llvm_unreachable("unknown form");
}

void mlir::moe::recordPlan(ModuleOp module, StringRef key, const Twine &value) {
  recordPlan(module, key, StringAttr::get(module.getContext(), value));
}

void mlir::moe::recordPlan(ModuleOp module, StringRef key, Attribute value) {
  NamedAttrList plan(module->getAttrOfType<DictionaryAttr>(kPlanAttrName));
  plan.set(key, value);
  module->setAttr(kPlanAttrName, plan.getDictionary(module.getContext()));
}
