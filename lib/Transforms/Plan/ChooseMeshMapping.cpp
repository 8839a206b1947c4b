// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DecisionRemark.h"

#include "moe/Analysis/AxisTraffic.h"
#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Report/Report.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CHOOSEMESHMAPPINGPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;
using llvm::formatv;

/// The refused alternatives that are worth a remark each.
static constexpr size_t maxRefusedRemarks = 8;

/// Overrides a role by an option: no names leave it, `none` empties it.
static void overrideRole(ArrayRef<std::string> names,
                         std::vector<planning::AxisRef> &role) {
  if (names.size() == 1 && names.front() == "none") {
    role.clear();
  } else if (!names.empty()) {
    role.assign(names.begin(), names.end());
  }
}

namespace {
/// The axes of one role, and the option that sets it.
struct Role {
  StringRef option;
  const std::vector<planning::AxisRef> &axes;
};
} // namespace

/// Fails when an axis has both roles.
static llvm::Error verifyApart(const planning::Mesh &mesh, const Role &one,
                               const Role &other) {
  for (const planning::AxisRef &axis : one.axes) {
    for (const planning::AxisRef &taken : other.axes) {
      if (llvm::Error overlap = mesh.verifyAxes({axis, taken})) {
        llvm::consumeError(std::move(overlap));
        return llvm::createStringError(formatv(
            "expected mesh axis '{0}' in one of {1} and {2}, but got it in "
            "both; {1} without it can be given",
            axis.toString(), one.option, other.option));
      }
    }
  }
  return llvm::Error::success();
}

/// Fails unless the axes exist and no axis has two roles that exclude each
/// other.
static llvm::Error verifyRoles(const planning::Mesh &mesh,
                               const AxisRoles &roles) {
  const Role columns = {"expert-tensor-axes", roles.expertColumns};
  const Role others[] = {{"token-axes", roles.tokens},
                         {"expert-axes", roles.experts},
                         {"stage-axes", roles.stages},
                         {"tensor-axes", roles.denseTensor},
                         columns};
  for (const Role &role : others) {
    if (llvm::Error error = mesh.verifyAxes(role.axes)) {
      return llvm::createStringError(
          formatv("{0}: {1}", role.option, llvm::toString(std::move(error))));
    }
  }
  // Experts' columns are what dense tensor parallelism may be folded into.
  for (const Role &role : llvm::ArrayRef(others).take_front(3)) {
    if (llvm::Error error = verifyApart(mesh, role, columns)) {
      return error;
    }
  }
  return llvm::Error::success();
}

/// Makes `comm.mesh` after the topology, or at the top of the module.
static comm::MeshOp createMesh(ModuleOp module, const planning::Mesh &mesh,
                               comm::TopologyOp topology) {
  OpBuilder builder(module.getContext());
  FlatSymbolRefAttr on;
  if (topology) {
    builder.setInsertionPointAfter(topology);
    on = FlatSymbolRefAttr::get(topology.getSymNameAttr());
  } else {
    builder.setInsertionPointToStart(module.getBody());
  }
  auto op = comm::MeshOp::create(builder, module.getLoc(), "mesh",
                                 toAttribute(module.getContext(), mesh), on,
                                 DenseI64ArrayAttr());
  SymbolTable(module).insert(op);
  return op;
}

/// Writes shardings of tokens on the arguments and results of a root function.
static void shardTokens(func::FuncOp root, comm::MeshOp mesh,
                        comm::AxisListAttr axes) {
  MLIRContext *context = root.getContext();
  auto symbol = FlatSymbolRefAttr::get(mesh.getSymNameAttr());
  auto shard = [&](Type type) {
    SmallVector<comm::AxisListAttr> dims(cast<ShapedType>(type).getRank(),
                                         comm::AxisListAttr::get(context, {}));
    dims.front() = axes;
    return comm::ShardingAttr::get(context, symbol, dims);
  };
  for (auto [index, type] : llvm::enumerate(root.getArgumentTypes())) {
    if (isTokenwise(root, type) &&
        !root.getArgAttr(index, comm::kShardingAttrName)) {
      root.setArgAttr(index, comm::kShardingAttrName, shard(type));
    }
  }
  for (auto [index, type] : llvm::enumerate(root.getResultTypes())) {
    if (isTokenwise(root, type) &&
        !root.getResultAttr(index, comm::kShardingAttrName)) {
      root.setResultAttr(index, comm::kShardingAttrName, shard(type));
    }
  }
}

/// `[{…}, {…}]` on the only result of an operation that has none yet.
static void shardResult(Operation *op, comm::MeshOp mesh,
                        ArrayRef<comm::AxisListAttr> dims) {
  if (op->hasAttr(comm::kResultShardingsAttrName)) {
    return;
  }
  auto sharding = comm::ShardingAttr::get(
      op->getContext(), FlatSymbolRefAttr::get(mesh.getSymNameAttr()), dims);
  op->setAttr(comm::kResultShardingsAttrName,
              ArrayAttr::get(op->getContext(), {sharding}));
}

/// Splits the columns of a layer's matrices, and of what its experts return
/// where that can be split: rows travel home as narrow as they are made. Fails
/// when a matrix does not divide.
static LogicalResult shardColumns(const MoELayer &layer, comm::MeshOp mesh,
                                  comm::AxisListAttr tokens,
                                  comm::AxisListAttr columns) {
  auto whole = comm::AxisListAttr::get(mesh.getContext(), {});
  int64_t parts = mesh.getAxisListSize(columns);
  for (UseWeightOp weight : layer.weights) {
    int64_t outer = cast<WeightsType>(weight.getResult().getType()).getOuter();
    if (outer % parts != 0) {
      return weight.emitOpError("expected columns that the ")
             << parts << " ranks of the expert tensor axes divide, but got "
             << outer;
    }
    shardResult(weight, mesh, {whole, whole, columns});
  }
  if (layer.getShape().returnsColumns) {
    shardResult(layer.experts, mesh, {tokens, columns});
  }
  return success();
}

/// Says what was decided and what was not.
static void emitRemarks(comm::MeshOp mesh,
                        ArrayRef<planning::AxisTraffic> traffic,
                        const planning::MeshMapping &mapping) {
  StringRef name = "MeshMapping", where = mesh.getSymName();
  auto describe = [&](const planning::MappingAlternative &alternative) {
    std::string text =
        llvm::formatv("{0}: {1}", alternative.layout,
                      ::moe::report::formatTime(alternative.cost.value()));
    for (auto [record, cost] : llvm::zip_equal(traffic, alternative.costs)) {
      bool modelled = record.origin == planning::AxisTraffic::Origin::Modelled;
      text += llvm::formatv("; {0}{1} {2}", record.label,
                            modelled ? " (modelled, not in this graph)" : "",
                            ::moe::report::formatTime(cost.value()));
    }
    return text;
  };
  emitDecision(mesh.getLoc(), name, where,
               [&] { return describe(mapping.chosen); });
  for (const planning::MappingAlternative &other :
       ArrayRef(mapping.refused).take_front(maxRefusedRemarks)) {
    emitRefused(mesh.getLoc(), name, where, [&] { return describe(other); });
  }
}

namespace {
class ChooseMeshMappingPass
    : public mlir::moe::impl::ChooseMeshMappingPassBase<ChooseMeshMappingPass> {
public:
  using ChooseMeshMappingPassBase::ChooseMeshMappingPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<comm::MeshOp> mesh = findMesh(module);
    FailureOr<SmallVector<MoELayer>> layers = collectLayers(module);
    if (failed(mesh) || failed(layers) ||
        failed(chooseMapping(module, *mesh, *layers))) {
      signalPassFailure();
    }
  }

private:
  /// The axes: of the mesh that is there, else of the option.
  FailureOr<planning::Mesh> getAxes(ModuleOp module, comm::MeshOp op) {
    if (!op && mesh.empty()) {
      return emitError(module.getLoc(),
                       "expected a mesh: the module has no comm.mesh, "
                       "and the option 'mesh' (such as mesh=dp=2,ep=4) "
                       "is not given");
    }
    llvm::Expected<planning::Mesh> axes =
        op ? toPlanning(op) : planning::Mesh::parse(mesh);
    if (!axes) {
      return emitOptionError(&getContext(), "option 'mesh': ")
             << llvm::toString(axes.takeError());
    }
    if (op && !mesh.empty()) {
      llvm::Expected<planning::Mesh> asked = planning::Mesh::parse(mesh);
      if (!asked) {
        return emitOptionError(&getContext(), "option 'mesh': ")
               << llvm::toString(asked.takeError());
      }
      if (axes->toString() != asked->toString()) {
        return op.emitOpError("expected the mesh of the option, ")
               << asked->toString() << ", but the module has "
               << axes->toString();
      }
    }
    return std::move(*axes);
  }

  /// What each axis is for. Fails when an option names an axis that the mesh
  /// lacks.
  FailureOr<AxisRoles> getRoles(ModuleOp module, const planning::Mesh &axes) {
    AxisRoles roles = getDefaultRoles(axes);
    overrideRole(*tokenAxes, roles.tokens);
    overrideRole(*expertAxes, roles.experts);
    overrideRole(*expertTensorAxes, roles.expertColumns);
    overrideRole(*tensorAxes, roles.denseTensor);
    overrideRole(*stageAxes, roles.stages);
    if (llvm::Error error = verifyRoles(axes, roles)) {
      return emitOptionError(&getContext(), llvm::toString(std::move(error)));
    }
    return roles;
  }

  /// Reports a mesh that does not fit the devices where it was asked for: in
  /// the module, or else by the option.
  LogicalResult reportMapping(comm::MeshOp op, llvm::Error error) {
    std::string message = llvm::toString(std::move(error));
    return op ? op.emitOpError(message)
              : emitOptionError(&getContext(), "option 'mesh': " + message);
  }

  LogicalResult chooseMapping(ModuleOp module, comm::MeshOp op,
                              ArrayRef<MoELayer> layers) {
    FailureOr<planning::Mesh> axes = getAxes(module, op);
    if (failed(axes)) {
      return failure();
    }
    FailureOr<AxisRoles> roles = getRoles(module, *axes);
    FailureOr<int64_t> tokens = getMaxTokens(module);
    FailureOr<DeviceFacts> devices = gatherDevices(module, axes->deviceCount());
    if (failed(roles) || failed(tokens) || failed(devices)) {
      return failure();
    }
    if (step != "inference" && step != "training") {
      return emitOptionError(
                 &getContext(),
                 "expected a step of inference or training, but got '")
             << step << "'";
    }
    if (step == "training") {
      recordStep(module, StepKind::Training);
    }
    std::vector<planning::AxisTraffic> traffic =
        collectAxisTraffic(module, *axes, *roles, layers, *tokens);
    llvm::Expected<planning::MeshMapping> mapping =
        planning::chooseMeshMapping(*axes, devices->topology, traffic);
    if (!mapping) {
      return reportMapping(op, mapping.takeError());
    }
    op = op ? op : createMesh(module, *axes, devices->op);
    if (devices->op && !op.getOrder()) {
      op.setTopologyAttr(FlatSymbolRefAttr::get(devices->op.getSymNameAttr()));
      op.setOrder(mapping->deviceOrder);
      emitRemarks(op, traffic, *mapping);
    }
    recordPlan(module, "mesh", axes->toString());
    recordPlan(module, "topology",
               devices->isDefault() ? "default (one uniform tier)"
                                    : devices->op.getSymName());
    roles->record(module);
    return assignRoles(module, op, layers, *roles);
  }

  /// Writes what each axis is for.
  LogicalResult assignRoles(ModuleOp module, comm::MeshOp op,
                            ArrayRef<MoELayer> layers, const AxisRoles &roles) {
    MLIRContext *context = module.getContext();
    comm::AxisListAttr tokens = toAttribute(context, roles.tokens);
    for (func::FuncOp root : getRootFunctions(module)) {
      shardTokens(root, op, tokens);
    }
    module.walk([&](ExpertsOp experts) {
      if (!experts.getAxes()) {
        experts.setAxesAttr(toAttribute(context, roles.experts));
        experts.setMeshAttr(FlatSymbolRefAttr::get(op.getSymNameAttr()));
      }
    });
    if (roles.expertColumns.empty()) {
      return success();
    }
    for (const MoELayer &layer : layers) {
      if (failed(shardColumns(layer, op, tokens,
                              toAttribute(context, roles.expertColumns)))) {
        return failure();
      }
    }
    return success();
  }
};
} // namespace
