// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DecisionRemark.h"

#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/FormatVariadic.h"

#include <numeric>

namespace mlir::moe {
#define GEN_PASS_DEF_CHOOSEPLACEMENTPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

namespace {
/// A way to place experts.
struct PlacementPolicy {
  StringRef name;
  planning::Placement (*place)(int64_t experts, int64_t ranks);
};
} // namespace

static constexpr PlacementPolicy policies[] = {
    {"contiguous", planning::Placement::contiguous},
    {"round_robin", planning::Placement::roundRobin}};

/// Policies of the command line's contract that have no solver here yet.
static constexpr StringLiteral plannedPolicies[] = {"eplb", "joint",
                                                    "exhaustive"};

static std::string listPolicies() {
  return llvm::join(
      llvm::map_range(
          policies, [](const PlacementPolicy &policy) { return policy.name; }),
      ", ");
}

static FailureOr<PlacementPolicy> findPolicy(ModuleOp module, StringRef name) {
  const PlacementPolicy *policy =
      llvm::find_if(policies, [&](const PlacementPolicy &candidate) {
        return candidate.name == name;
      });
  if (policy != std::end(policies)) {
    return *policy;
  }
  if (llvm::is_contained(plannedPolicies, name)) {
    return emitError(module.getLoc(), "placement policy '")
           << name << "' is not available yet; available: " << listPolicies();
  }
  return emitError(module.getLoc(), "expected a placement policy of ")
         << listPolicies() << ", but got '" << name << "'";
}

/// `largest load 1.125 of the mean, 3 slots a rank`
static std::string describe(const planning::Placement &placement,
                            const planning::ExpertShares &loads) {
  std::vector<double> ranks = placement.rankLoads(loads.shares);
  double sum = std::accumulate(ranks.begin(), ranks.end(), 0.0);
  double most = *llvm::max_element(ranks);
  return llvm::formatv("{0} experts on {1} ranks, {2} slots a rank, largest "
                       "load {3:F3} of the mean{4}",
                       placement.expertCount(), placement.rankCount(),
                       placement.localSlots(), most * ranks.size() / sum,
                       loads.isAssumedUniform ? " (uniform loads assumed)" : "")
      .str();
}

/// Places the weights of a layer where its experts are. Fails when they are
/// placed elsewhere.
static LogicalResult placeWeights(const MoELayer &layer,
                                  FlatSymbolRefAttr symbol) {
  for (UseWeightOp weight : layer.weights) {
    FlatSymbolRefAttr before = weight.getPlacementAttr();
    if (before && before != symbol) {
      InFlightDiagnostic diagnostic =
          weight.emitOpError("expected weights placed by ")
          << symbol << " as their experts are, but got " << before;
      UsePlacementOp handle = layer.placement;
      diagnostic.attachNote(handle.getLoc()) << "the experts' placement";
      return diagnostic;
    }
    weight.setPlacementAttr(symbol);
  }
  return success();
}

namespace {
class ChoosePlacementPass
    : public mlir::moe::impl::ChoosePlacementPassBase<ChoosePlacementPass> {
public:
  using ChoosePlacementPassBase::ChoosePlacementPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<PlacementPolicy> chosen = findPolicy(module, policy);
    FailureOr<PlanFacts> facts = PlanFacts::gather(module);
    if (failed(chosen) || failed(facts)) {
      return signalPassFailure();
    }
    SymbolTable symbols(module);
    for (const MoELayer &layer : facts->layers) {
      if (failed(placeLayer(layer, *chosen, *facts, symbols))) {
        return signalPassFailure();
      }
    }
  }

private:
  /// Gives one layer a placement, or keeps the one that it has.
  LogicalResult placeLayer(const MoELayer &layer, const PlacementPolicy &chosen,
                           const PlanFacts &facts, SymbolTable &symbols) {
    UsePlacementOp handle = layer.placement;
    if (!handle) {
      ExpertsOp experts = layer.experts;
      return experts.emitOpError("expected 'placed by' a moe.use_placement");
    }
    int64_t experts = handle.getResult().getType().getExperts();
    llvm::Expected<planning::ExpertShares> loads =
        getShares(getOperation(), layer.getNumber(), experts);
    if (!loads) {
      return handle.emitOpError() << llvm::toString(loads.takeError());
    }
    if (!handle.getPlacementAttr()) {
      if (failed(createPlacement(layer, chosen, *loads, facts, symbols))) {
        return failure();
      }
    } else if (failed(keepPlacement(layer, *loads, symbols))) {
      return failure();
    }
    return placeWeights(layer, handle.getPlacementAttr());
  }

  LogicalResult createPlacement(const MoELayer &layer,
                                const PlacementPolicy &chosen,
                                const planning::ExpertShares &loads,
                                const PlanFacts &facts, SymbolTable &symbols) {
    ExpertsOp experts = layer.experts;
    if (!experts.getAxes()) {
      return experts.emitOpError(
          "expected axes; run moe-choose-mesh-mapping before");
    }
    UsePlacementOp handle = layer.placement;
    int64_t expertCount = handle.getResult().getType().getExperts();
    int64_t ranks = facts.mesh.groupSize(toPlanning(*experts.getAxes()));
    planning::Placement placement = chosen.place(expertCount, ranks);
    OpBuilder builder(&getContext());
    PlacementAttributes attributes = toAttributes(&getContext(), placement);
    auto op = PlacementOp::create(
        builder, handle.getLoc(), "p" + std::to_string(handle.getLayer()),
        expertCount, *experts.getAxes(), *experts.getMesh(), attributes.slots,
        attributes.replicas, builder.getStringAttr(chosen.name));
    symbols.insert(op, getInsertionPoint());
    handle.setPlacementAttr(FlatSymbolRefAttr::get(op.getSymNameAttr()));
    recordPlan(getOperation(), "placement", chosen.name);

    std::string where = "layer " + layer.getName();
    emitDecision(handle.getLoc(), "Placement", where, [&] {
      return (chosen.name + ": " + describe(placement, loads)).str();
    });
    for (const PlacementPolicy &other : policies) {
      if (other.name != chosen.name) {
        emitRefused(handle.getLoc(), "Placement", where, [&] {
          planning::Placement refused = other.place(expertCount, ranks);
          return (other.name + ": " + describe(refused, loads)).str();
        });
      }
    }
    return success();
  }

  LogicalResult keepPlacement(const MoELayer &layer,
                              const planning::ExpertShares &loads,
                              SymbolTable &symbols) {
    UsePlacementOp handle = layer.placement;
    auto op = symbols.lookup<PlacementOp>(handle.getPlacementAttr().getValue());
    llvm::Expected<planning::Placement> placement = toPlanning(op);
    if (!placement) {
      return op.emitOpError() << llvm::toString(placement.takeError());
    }
    emitDecision(handle.getLoc(), "Placement", "layer " + layer.getName(), [&] {
      return "kept @" + op.getSymName().str() + ": " +
             describe(*placement, loads);
    });
    return success();
  }

  /// Placements stand in the order of their layers, before the first function.
  Block::iterator getInsertionPoint() {
    Block *body = getOperation().getBody();
    for (Operation &op : *body) {
      if (isa<func::FuncOp>(op)) {
        return op.getIterator();
      }
    }
    return body->end();
  }
};
} // namespace
