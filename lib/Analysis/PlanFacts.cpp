// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/PlanFacts.h"

#include "moe/Analysis/PlanAttributes.h"

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

template <typename OpType>
static FailureOr<OpType> findOnly(ModuleOp module, StringRef what) {
  OpType found;
  for (OpType op : module.getOps<OpType>()) {
    if (found) {
      InFlightDiagnostic diagnostic = op.emitOpError("expected one ")
                                      << what << ", but got another";
      diagnostic.attachNote(found.getLoc()) << "the first is here";
      return diagnostic;
    }
    found = op;
  }
  return found;
}

FailureOr<comm::TopologyOp> mlir::moe::findTopology(ModuleOp module) {
  return findOnly<comm::TopologyOp>(module, "topology");
}

FailureOr<comm::MeshOp> mlir::moe::findMesh(ModuleOp module) {
  return findOnly<comm::MeshOp>(module, "mesh");
}

FailureOr<DeviceFacts> mlir::moe::gatherDevices(ModuleOp module,
                                                int64_t devices) {
  FailureOr<comm::TopologyOp> op = findTopology(module);
  if (failed(op)) {
    return failure();
  }
  if (!*op) {
    planning::CostConstants constants;
    return DeviceFacts{
        planning::Topology::uniform(
            devices, "default",
            planning::GigabytesPerSecond(
                constants[planning::ConstantId::DefaultTierBandwidth]),
            planning::Microseconds(
                constants[planning::ConstantId::DefaultTierLatency])),
        comm::TopologyOp()};
  }
  llvm::Expected<planning::Topology> topology = toPlanning(*op);
  if (!topology) {
    return (*op).emitOpError() << llvm::toString(topology.takeError());
  }
  return DeviceFacts{std::move(*topology), *op};
}

static RankedTensorType getTokenTensor(func::FuncOp function) {
  for (Type type : function.getArgumentTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (tensor && tensor.getRank() > 0) {
      return tensor;
    }
  }
  return {};
}

bool mlir::moe::isTokenwise(func::FuncOp function, Type type) {
  RankedTensorType tokens = getTokenTensor(function);
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tokens && tensor && tensor.getRank() > 0 &&
         tensor.getDimSize(0) == tokens.getDimSize(0);
}

FailureOr<int64_t> mlir::moe::getMaxTokens(ModuleOp module) {
  if (auto tokens = module->getAttrOfType<IntegerAttr>(kMaxTokensAttrName)) {
    return tokens.getInt();
  }
  for (func::FuncOp root : getRootFunctions(module)) {
    RankedTensorType tensor = getTokenTensor(root);
    if (tensor && !tensor.isDynamicDim(0)) {
      return tensor.getDimSize(0);
    }
  }
  return emitError(module.getLoc(), "expected '")
         << kMaxTokensAttrName
         << "' on a module whose number of tokens is dynamic";
}

static std::vector<planning::AxisRef> findTokenAxes(ModuleOp module) {
  for (func::FuncOp root : getRootFunctions(module)) {
    for (unsigned index = 0; index < root.getNumArguments(); ++index) {
      auto sharding = root.getArgAttrOfType<comm::ShardingAttr>(
          index, comm::kShardingAttrName);
      if (sharding && isTokenwise(root, root.getArgumentTypes()[index])) {
        return toPlanning(sharding.getDims().front());
      }
    }
  }
  return {};
}

FailureOr<PlanFacts> PlanFacts::gather(ModuleOp module) {
  FailureOr<comm::MeshOp> meshOp = findMesh(module);
  if (failed(meshOp)) {
    return failure();
  }
  if (!*meshOp) {
    return emitError(module.getLoc(),
                     "expected a comm.mesh; run "
                     "moe-choose-mesh-mapping with its option 'mesh'");
  }
  llvm::Expected<planning::Mesh> mesh = toPlanning(*meshOp);
  if (!mesh) {
    return (*meshOp).emitOpError() << llvm::toString(mesh.takeError());
  }
  FailureOr<DeviceFacts> devices = gatherDevices(module, mesh->deviceCount());
  FailureOr<int64_t> tokens = getMaxTokens(module);
  FailureOr<SmallVector<MoELayer>> layers = collectLayers(module);
  if (failed(devices) || failed(tokens) || failed(layers)) {
    return failure();
  }
  if (llvm::Error error = mesh->verifyOn(devices->topology)) {
    return (*meshOp).emitOpError() << llvm::toString(std::move(error));
  }
  std::vector<planning::AxisRef> tokenAxes = findTokenAxes(module);
  if (llvm::Error error = mesh->verifyAxes(tokenAxes)) {
    return (*meshOp).emitOpError() << llvm::toString(std::move(error));
  }
  return PlanFacts{std::move(*devices),  *meshOp,
                   std::move(*mesh),     *tokens,
                   std::move(tokenAxes), std::move(*layers)};
}
