// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/AxisTraffic.h"

#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/RecordedPlan.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

AxisRoles mlir::moe::getDefaultRoles(const planning::Mesh &mesh) {
  AxisRoles roles;
  for (const planning::MeshAxis &axis : mesh.axes()) {
    if (axis.name == "ep") {
      roles.experts.push_back(axis.name);
    }
    if (axis.name == "etp") {
      roles.expertColumns.push_back(axis.name);
    } else if (axis.name == "tp") {
      roles.denseTensor.push_back(axis.name);
    } else if (axis.name == "pp") {
      roles.stages.push_back(axis.name);
    } else {
      roles.tokens.push_back(axis.name);
    }
  }
  return roles;
}

namespace {
/// A role and its name in `moe.plan`.
struct RecordedRole {
  StringLiteral key;
  std::vector<planning::AxisRef> AxisRoles::*axes;
};
} // namespace

static constexpr RecordedRole recordedRoles[] = {
    {"token_axes", &AxisRoles::tokens},
    {"expert_axes", &AxisRoles::experts},
    {"expert_tensor_axes", &AxisRoles::expertColumns},
    {"tensor_axes", &AxisRoles::denseTensor},
    {"stage_axes", &AxisRoles::stages}};

/// The key of `moe.plan` for what a step is.
static constexpr StringLiteral stepKey = "step";

void AxisRoles::record(ModuleOp module) const {
  for (const RecordedRole &role : recordedRoles) {
    if (!(this->*role.axes).empty()) {
      recordPlan(module, role.key,
                 toAttribute(module.getContext(), this->*role.axes));
    }
  }
}

AxisRoles AxisRoles::getRecorded(ModuleOp module, const planning::Mesh &mesh) {
  AxisRoles roles;
  bool isRecorded = false;
  auto plan = module->getAttrOfType<DictionaryAttr>(kPlanAttrName);
  for (const RecordedRole &role : recordedRoles) {
    auto axes =
        plan ? plan.getAs<comm::AxisListAttr>(role.key) : comm::AxisListAttr();
    if (axes) {
      roles.*role.axes = toPlanning(axes);
      isRecorded = true;
    }
  }
  return isRecorded ? roles : getDefaultRoles(mesh);
}

std::map<std::string, std::string> AxisRoles::toOptions() const {
  std::map<std::string, std::string> options;
  for (const RecordedRole &role : recordedRoles) {
    std::string names;
    for (const planning::AxisRef &axis : this->*role.axes) {
      names += (names.empty() ? "" : ",") + axis.toString();
    }
    options[toOptionName(role.key)] = names.empty() ? "none" : names;
  }
  return options;
}

namespace {
/// The layers of one shape.
struct ShapeGroup {
  ExpertShape shape;
  int64_t layers = 0;
};

/// Writes the records of a mesh.
class TrafficRecords {
public:
  TrafficRecords(const planning::Mesh &mesh, const AxisRoles &roles,
                 int64_t tokens)
      : mesh(mesh), roles(roles),
        deviceTokens(llvm::divideCeil(tokens, mesh.groupSize(roles.tokens))) {}

  /// `suffix` tells the layers from those of other shapes.
  void addLayers(const ShapeGroup &group, StringRef suffix) {
    using planning::CollectiveKind;
    const ExpertShape &shape = group.shape;
    double rows = static_cast<double>(deviceTokens) * shape.choices;
    double sent = rows * shape.inputColumns * shape.inputElementBytes;
    double returned = rows * shape.outputColumns * shape.outputElementBytes;
    // Sums are rounded to the model's dtype before they are gathered; columns
    // that must come back whole are gathered row by row.
    double gathered = returned;
    if (shape.returnsColumns) {
      gathered = static_cast<double>(deviceTokens) * shape.outputColumns *
                 shape.inputElementBytes;
      returned /= mesh.groupSize(roles.expertColumns);
    }
    add(roles.experts, CollectiveKind::AllToAll, sent, group.layers,
        "dispatch" + suffix.str());
    add(roles.experts, CollectiveKind::AllToAll, returned, group.layers,
        "combine" + suffix.str());
    add(roles.expertColumns, CollectiveKind::AllGather,
        rows * shape.innerColumns * shape.inputElementBytes, group.layers,
        "inner gather" + suffix.str());
    add(roles.expertColumns, CollectiveKind::AllGather, gathered, group.layers,
        "output gather" + suffix.str());
  }

  /// The dense parts' tensor parallelism.
  void addTensorParallel(ArrayRef<ShapeGroup> groups) {
    for (const ShapeGroup &group : groups) {
      add(roles.denseTensor, planning::CollectiveKind::AllReduce,
          static_cast<double>(deviceTokens) * group.shape.inputColumns *
              group.shape.inputElementBytes,
          2 * group.layers, "tensor all-reduce",
          planning::AxisTraffic::Origin::Modelled);
    }
  }

  /// Rows that go on to the next stage, once a step.
  void addStages(const ShapeGroup &group) {
    add(roles.stages, planning::CollectiveKind::Send,
        static_cast<double>(deviceTokens) * group.shape.inputColumns *
            group.shape.inputElementBytes,
        1, "stage send", planning::AxisTraffic::Origin::Modelled);
  }

  /// The way back sends what the way there has received.
  void addBackward() {
    for (size_t index = 0, count = records.size(); index < count; ++index) {
      planning::AxisTraffic record = records[index];
      record.label += ", backward";
      record.origin = planning::AxisTraffic::Origin::Modelled;
      records.push_back(std::move(record));
    }
  }

  /// Gradients of `parameters` bytes of a device, over the axes on which they
  /// are replicated.
  void addGradients(const std::vector<planning::AxisRef> &axes,
                    double parameters, StringRef label) {
    add(axes, planning::CollectiveKind::AllReduce, parameters, 1, label.str(),
        planning::AxisTraffic::Origin::Modelled);
  }

  std::vector<planning::AxisTraffic> records;

private:
  void add(const std::vector<planning::AxisRef> &axes,
           planning::CollectiveKind kind, double bytes, double count,
           std::string label,
           planning::AxisTraffic::Origin origin =
               planning::AxisTraffic::Origin::Graph) {
    if (mesh.groupSize(axes) > 1) {
      records.push_back({axes, kind, planning::Bytes(bytes), count, origin,
                         std::move(label)});
    }
  }

  const planning::Mesh &mesh;
  const AxisRoles &roles;
  int64_t deviceTokens;
};
} // namespace

void mlir::moe::recordStep(ModuleOp module, StepKind step) {
  if (step == StepKind::Training) {
    recordPlan(module, stepKey, "training");
  }
}

StepKind mlir::moe::getStep(ModuleOp module) {
  auto plan = module->getAttrOfType<DictionaryAttr>(kPlanAttrName);
  auto step = plan ? plan.getAs<StringAttr>(stepKey) : StringAttr();
  return step && step.getValue() == "training" ? StepKind::Training
                                               : StepKind::Inference;
}

/// Adds the all-reduces of the weights' gradients, which have their dtype.
static void addGradients(ModuleOp module, const planning::Mesh &mesh,
                         const AxisRoles &roles, TrafficRecords &traffic) {
  double experts = 0, dense = 0;
  for (WeightOp weight : module.getOps<WeightOp>()) {
    auto type = cast<ShapedType>(weight.getType());
    double bytes = static_cast<double>(type.getNumElements()) *
                   type.getElementTypeBitWidth() / 8;
    (isa<WeightsType>(type) ? experts : dense) += bytes;
  }
  auto parts = [&](ArrayRef<planning::AxisRef> axes) {
    return static_cast<double>(mesh.groupSize(axes));
  };
  experts /=
      parts(roles.experts) * parts(roles.expertColumns) * parts(roles.stages);
  dense /= parts(roles.denseTensor) * parts(roles.stages);
  std::vector<planning::AxisRef> replicated = roles.tokens;
  llvm::erase_if(replicated, [&](const planning::AxisRef &axis) {
    return llvm::any_of(roles.experts, [&](const planning::AxisRef &other) {
      return axis.toString() == other.toString();
    });
  });
  traffic.addGradients(replicated, experts, "expert gradients");
  traffic.addGradients(roles.tokens, dense, "dense gradients");
}

std::vector<planning::AxisTraffic>
mlir::moe::collectAxisTraffic(ModuleOp module, const planning::Mesh &mesh,
                              const AxisRoles &roles, ArrayRef<MoELayer> layers,
                              int64_t tokens) {
  std::vector<ShapeGroup> groups;
  for (const MoELayer &layer : layers) {
    ExpertShape shape = layer.getShape();
    auto group = llvm::find_if(
        groups, [&](const ShapeGroup &entry) { return entry.shape == shape; });
    if (group == groups.end()) {
      group = groups.insert(groups.end(), {shape, 0});
    }
    ++group->layers;
  }
  TrafficRecords traffic(mesh, roles, tokens);
  for (const ShapeGroup &group : groups) {
    std::string suffix =
        groups.size() == 1
            ? std::string()
            : llvm::formatv(" of {0} experts, {1} columns", group.shape.experts,
                            group.shape.inputColumns)
                  .str();
    traffic.addLayers(group, suffix);
  }
  traffic.addTensorParallel(groups);
  if (!groups.empty()) {
    traffic.addStages(groups.front());
  }
  if (getStep(module) == StepKind::Training) {
    traffic.addBackward();
    addGradients(module, mesh, roles, traffic);
  }
  return std::move(traffic.records);
}
