// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Analysis/PlanFacts.h"
#include "moe/Transforms/Plan/Passes.h"

namespace mlir::moe {
#define GEN_PASS_DEF_VERIFYPLACEDPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// What concerns the operation alone, whichever layers reach it.
static LogicalResult verifyExperts(ExpertsOp experts, comm::MeshOp mesh) {
  // C2
  if (!experts.getAxes() ||
      experts.getMeshAttr().getAttr() != mesh.getSymNameAttr()) {
    return experts.emitOpError("expected axes of mesh @")
           << mesh.getSymName() << "; run moe-choose-mesh-mapping";
  }
  // C3
  if (!experts.getExchangeAttr()) {
    return experts.emitOpError("expected an exchange; run moe-choose-exchange");
  }
  return success();
}

/// What concerns the handles of one layer.
static LogicalResult verifyLayer(const MoELayer &layer) {
  ExpertsOp experts = layer.experts;
  UsePlacementOp handle = layer.placement;
  // C4
  if (!handle) {
    return experts.emitOpError("expected 'placed by' a moe.use_placement");
  }
  if (!handle.getPlacementAttr()) {
    InFlightDiagnostic diagnostic =
        handle.emitOpError("expected a placement for layer ")
        << layer.getName() << "; run moe-choose-placement";
    diagnostic.attachNote(experts.getLoc()) << "used here";
    return diagnostic;
  }
  auto placement = SymbolTable::lookupNearestSymbolFrom<PlacementOp>(
      handle, handle.getPlacementAttr());
  // C5
  if (placement.getAxes() != *experts.getAxes() ||
      placement.getMeshAttr() != experts.getMeshAttr()) {
    InFlightDiagnostic diagnostic =
        placement.emitOpError("expected a placement over the axes of the "
                              "experts of layer ")
        << layer.getName() << ", " << *experts.getAxes() << ", but got "
        << placement.getAxes();
    diagnostic.attachNote(experts.getLoc()) << "the experts are here";
    return diagnostic;
  }
  for (UseWeightOp weight : layer.weights) {
    // C6
    int64_t slots = cast<WeightsType>(weight.getResult().getType()).getSlots();
    if (slots != static_cast<int64_t>(placement.getExperts())) {
      InFlightDiagnostic diagnostic = weight.emitOpError("expected weights of ")
                                      << placement.getExperts()
                                      << " experts, but got " << slots;
      diagnostic.attachNote(placement.getLoc()) << "the placement is here";
      return diagnostic;
    }
    // C7
    if (weight.getPlacementAttr() != handle.getPlacementAttr()) {
      InFlightDiagnostic diagnostic =
          weight.emitOpError("expected weights placed by ")
          << handle.getPlacementAttr() << " as the experts of layer "
          << layer.getName();
      diagnostic.attachNote(handle.getLoc()) << "their placement is here";
      return diagnostic;
    }
  }
  return success();
}

/// C8
static LogicalResult verifyTokens(func::FuncOp root, comm::MeshOp mesh) {
  auto verify = [&](Type type, Attribute attribute, StringRef what,
                    unsigned index) -> LogicalResult {
    auto sharding = dyn_cast_or_null<comm::ShardingAttr>(attribute);
    if (!isTokenwise(root, type) ||
        (sharding && sharding.getMesh().getAttr() == mesh.getSymNameAttr())) {
      return success();
    }
    return emitError(root.getLoc(), "expected '")
           << comm::kShardingAttrName << "' over mesh @" << mesh.getSymName()
           << " on " << what << " " << index << " of '" << root.getSymName()
           << "', which counts tokens";
  };
  for (auto [index, type] : llvm::enumerate(root.getArgumentTypes())) {
    Attribute attribute = root.getArgAttr(index, comm::kShardingAttrName);
    if (failed(verify(type, attribute, "argument", index))) {
      return failure();
    }
  }
  for (auto [index, type] : llvm::enumerate(root.getResultTypes())) {
    Attribute attribute = root.getResultAttr(index, comm::kShardingAttrName);
    if (failed(verify(type, attribute, "result", index))) {
      return failure();
    }
  }
  return success();
}

namespace {
class VerifyPlacedPass
    : public mlir::moe::impl::VerifyPlacedPassBase<VerifyPlacedPass> {
public:
  void runOnOperation() override {
    if (failed(verify(getOperation()))) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }

private:
  static LogicalResult verify(ModuleOp module) {
    // C1
    FailureOr<comm::MeshOp> mesh = findMesh(module);
    if (failed(mesh)) {
      return failure();
    }
    if (!*mesh) {
      return emitError(module.getLoc(), "expected a comm.mesh; run "
                                        "moe-choose-mesh-mapping");
    }
    FailureOr<SmallVector<MoELayer>> layers = collectLayers(module);
    if (failed(layers)) {
      return failure();
    }
    WalkResult experts = module.walk(
        [&](ExpertsOp op) -> WalkResult { return verifyExperts(op, *mesh); });
    if (experts.wasInterrupted()) {
      return failure();
    }
    for (const MoELayer &layer : *layers) {
      if (failed(verifyLayer(layer))) {
        return failure();
      }
    }
    for (func::FuncOp root : getRootFunctions(module)) {
      if (failed(verifyTokens(root, *mesh))) {
        return failure();
      }
    }
    return success();
  }
};
} // namespace
