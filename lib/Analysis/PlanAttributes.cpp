// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/PlanAttributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/FormatVariadic.h"

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

planning::PlacementData mlir::moe::toPlacementData(PlacementOp placement) {
  planning::PlacementData data;
  data.expertCount = placement.getExperts();
  std::map<int64_t, std::vector<int64_t>> replicas;
  int64_t slot = 0;
  for (auto rank : placement.getSlots().getAsRange<DenseI64ArrayAttr>()) {
    data.expertsByRank.push_back(rank.asArrayRef().vec());
    for (int64_t expert : rank.asArrayRef()) {
      if (expert >= 0) {
        replicas[expert].push_back(slot);
      }
      ++slot;
    }
  }
  for (const auto &[expert, slots] : replicas) {
    if (slots.size() == 1) {
      continue;
    }
    std::vector<int64_t> table;
    for (size_t source = 0; source < data.expertsByRank.size(); ++source) {
      for (int64_t token = 0; token < planning::Placement::tokenClasses;
           ++token) {
        table.push_back(slots[token % slots.size()]);
      }
    }
    data.replicaTables[expert] = planning::ReplicaTable(table);
  }
  return data;
}

llvm::Expected<planning::Placement>
mlir::moe::toPlanning(PlacementOp placement) {
  return planning::Placement::create(toPlacementData(placement));
}

ArrayAttr mlir::moe::toAttribute(MLIRContext *context,
                                 const planning::Placement &placement) {
  Builder builder(context);
  SmallVector<Attribute> ranks;
  for (const std::vector<int64_t> &experts : placement.data().expertsByRank) {
    ranks.push_back(builder.getDenseI64ArrayAttr(experts));
  }
  return builder.getArrayAttr(ranks);
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

llvm::Expected<planning::ExpertShares>
mlir::moe::getShares(ModuleOp module, int64_t layer, int64_t experts) {
  auto loads = module->getAttrOfType<DictionaryAttr>(kLoadsAttrName);
  auto known = loads ? loads.getAs<DenseF64ArrayAttr>(std::to_string(layer))
                     : DenseF64ArrayAttr();
  if (!known) {
    return planning::ExpertShares{std::vector<double>(experts, 1.0 / experts),
                                  /*isAssumedUniform=*/true};
  }
  if (static_cast<int64_t>(known.size()) != experts) {
    return llvm::createStringError(
        llvm::formatv("layer {0}: expected loads of {1} experts, but got {2}",
                      layer, experts, known.size())
            .str());
  }
  return planning::ExpertShares{known.asArrayRef().vec(),
                                /*isAssumedUniform=*/false};
}

void mlir::moe::setShares(ModuleOp module, int64_t layer,
                          ArrayRef<double> shares) {
  Builder builder(module.getContext());
  NamedAttrList loads(module->getAttrOfType<DictionaryAttr>(kLoadsAttrName));
  loads.set(std::to_string(layer), builder.getDenseF64ArrayAttr(shares));
  module->setAttr(kLoadsAttrName, loads.getDictionary(module.getContext()));
}

void mlir::moe::recordPlan(ModuleOp module, StringRef key, const Twine &value) {
  NamedAttrList plan(module->getAttrOfType<DictionaryAttr>(kPlanAttrName));
  plan.set(key, StringAttr::get(module.getContext(), value));
  module->setAttr(kPlanAttrName, plan.getDictionary(module.getContext()));
}
