// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DecisionRemark.h"
#include "DescribePlacement.h"

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/LayerDeployment.h"
#include "moe/Analysis/MemoryDemand.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Planning/PlacementSolver.h"
#include "moe/Planning/RankDistance.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CHOOSEPLACEMENTPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

/// What remarks compare the chosen policy with. The oracle is not among them:
/// it looks at every placement.
static constexpr planning::PlacementPolicy alternatives[] = {
    planning::PlacementPolicy::Contiguous,
    planning::PlacementPolicy::RoundRobin, planning::PlacementPolicy::Eplb,
    planning::PlacementPolicy::Joint};

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

/// Leaves out links where they decide nothing, for of thousands of ranks they
/// take longer than all else, and returns what decides.
static planning::Objective reduce(planning::PlacementProblem &problem,
                                  planning::PlacementPolicy policy,
                                  planning::Objective objective) {
  bool looksAtTime = policy == planning::PlacementPolicy::Joint ||
                     policy == planning::PlacementPolicy::Exhaustive;
  if (!looksAtTime || objective == planning::Objective::Load) {
    objective = planning::Objective::Load;
    problem.deployment = nullptr;
  }
  return objective;
}

static llvm::Expected<planning::PlacementResult>
solve(planning::PlacementProblem problem, planning::PlacementPolicy policy,
      planning::Objective objective) {
  objective = reduce(problem, policy, objective);
  return planning::place(policy, problem, objective);
}

/// Whether two layers of a module ask for the same. Groups over the same axes
/// are the same devices.
static bool areEqual(const planning::PlacementProblem &left,
                     const planning::PlacementProblem &right) {
  auto getFields = [](const planning::PlacementProblem &problem) {
    const planning::Deployment &on = *problem.deployment;
    return std::tuple(problem.expertGroups, on.choices, on.dispatchRowBytes,
                      on.combineRowBytes, on.work.flopsPerRow.value(),
                      on.work.weightBytes.value(), on.work.bytesPerRow.value());
  };
  return left.loads == right.loads &&
         left.loadsBySource == right.loadsBySource &&
         left.slotsByRank == right.slotsByRank &&
         getFields(left) == getFields(right) &&
         llvm::equal(
             left.deployment->axes, right.deployment->axes,
             [](const planning::AxisRef &a, const planning::AxisRef &b) {
               return a.toString() == b.toString();
             });
}

/// Slots that hold nothing, or a replica that serves nobody, need not be
/// written.
static PlacementAttributes dropIdleSlots(PlacementAttributes attributes) {
  Builder builder(attributes.slots.getContext());
  DenseMap<int64_t, ReplicaTableAttr> tables;
  SmallVector<Attribute> shared, ranks;
  if (attributes.replicas) {
    for (auto table : attributes.replicas.getAsRange<ReplicaTableAttr>()) {
      tables[table.getExpert()] = table;
      // All serve one rank: that is the only one.
      if (!llvm::all_equal(table.getHosts())) {
        shared.push_back(table);
      }
    }
  }
  for (auto [rank, list] :
       llvm::enumerate(attributes.slots.getAsRange<DenseI64ArrayAttr>())) {
    SmallVector<int64_t> experts;
    for (int64_t expert : list.asArrayRef()) {
      ReplicaTableAttr table = tables.lookup(expert);
      if (expert >= 0 &&
          (!table || llvm::is_contained(table.getHosts(), rank))) {
        experts.push_back(expert);
      }
    }
    ranks.push_back(builder.getDenseI64ArrayAttr(experts));
  }
  return {builder.getArrayAttr(ranks),
          shared.empty() ? ArrayAttr() : builder.getArrayAttr(shared)};
}

/// What a layer must have for a placement.
static LogicalResult verifyPlaceable(const MoELayer &layer) {
  ExpertsOp experts = layer.experts;
  if (!layer.placement) {
    return experts.emitOpError("expected 'placed by' a moe.use_placement");
  }
  if (!experts.getAxes()) {
    return experts.emitOpError(
        "expected axes; run moe-choose-mesh-mapping before");
  }
  return success();
}

namespace {
/// One layer on its way to a placement.
struct PlacedLayer {
  const MoELayer &layer;
  planning::PlacementProblem problem;
  bool isAssumedUniform = false;
  std::string where;

  UsePlacementOp handle() const { return layer.placement; }

  /// A placement with all its figures, for remarks.
  std::string describe(const planning::PlacementResult &result,
                       planning::Objective objective) const {
    llvm::Expected<planning::PlacementResult> measured =
        planning::measurePlacement(problem, result.data, objective);
    if (!measured) {
      return llvm::toString(measured.takeError());
    }
    measured->notes = result.notes;
    if (isAssumedUniform) {
      measured->notes.push_back("uniform loads assumed");
    }
    return mlir::moe::describe(problem, *measured);
  }
};

struct SolvedProblem {
  planning::PlacementProblem problem;
  planning::PlacementResult result;
};

class ChoosePlacementPass
    : public mlir::moe::impl::ChoosePlacementPassBase<ChoosePlacementPass> {
public:
  using ChoosePlacementPassBase::ChoosePlacementPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<PlanFacts> facts = PlanFacts::gather(module);
    if (failed(facts) || failed(parseOptions(*facts))) {
      return signalPassFailure();
    }
    for (const MoELayer &layer : facts->layers) {
      if (failed(verifyPlaceable(layer))) {
        return signalPassFailure();
      }
    }
    std::optional<planning::ExpertMemory> memory;
    if (spec.memory && !facts->layers.empty()) {
      memory = gatherExpertMemory(module, *facts, *spec.memory);
    }
    std::vector<PlacedLayer> layers;
    for (const MoELayer &layer : facts->layers) {
      FailureOr<LayerProblem> gathered = gatherProblem(*facts, layer, spec);
      if (failed(gathered)) {
        return signalPassFailure();
      }
      layers.push_back({layer, std::move(gathered->problem),
                        gathered->isAssumedUniform,
                        "layer " + layer.getName()});
    }
    solveAhead(layers, memory);
    SymbolTable symbols(module);
    for (PlacedLayer &layer : layers) {
      if (failed(placeLayer(layer, *facts, memory, symbols))) {
        return signalPassFailure();
      }
    }
    if (failed(checkMemory(*facts))) {
      signalPassFailure();
    }
  }

private:
  LogicalResult parseOptions(const PlanFacts &facts) {
    auto fail = [&](const Twine &message) -> LogicalResult {
      return emitOptionError(&getContext(), message);
    };
    std::optional<planning::PlacementPolicy> parsed =
        planning::parsePlacementPolicy(policy);
    if (!parsed) {
      return fail("expected a placement policy of contiguous, round_robin, "
                  "eplb, joint or exhaustive, but got '" +
                  policy + "'");
    }
    chosen = *parsed;
    if (objective != "auto" && objective != "load" && objective != "time") {
      return fail("expected an objective of load, time or auto, but got '" +
                  objective + "'");
    }
    bool isTime =
        objective == "auto" ? !facts.devices.isDefault() : objective == "time";
    goal = isTime ? planning::Objective::Time : planning::Objective::Load;
    if (replicas < 0 || replicas > planning::Placement::maxExperts) {
      return fail("expected 0 to " + Twine(planning::Placement::maxExperts) +
                  " replicas, but got " + Twine(replicas.getValue()));
    }
    if (!(memoryGib >= 0)) {
      return fail("expected device memory of at least 0 GiB");
    }
    spec.replicas = replicas;
    spec.expertGroups = expertGroups;
    if (memoryGib > 0) {
      spec.memory = planning::Bytes(memoryGib * planning::bytesPerGiB);
    }
    return success();
  }

  /// Solves what layers without a placement ask for, all at a time, each
  /// different problem once. What fails is left to the layer that says so.
  void solveAhead(ArrayRef<PlacedLayer> layers,
                  const std::optional<planning::ExpertMemory> &memory) {
    std::vector<planning::PlacementProblem> problems;
    for (const PlacedLayer &layer : layers) {
      planning::PlacementProblem problem = layer.problem;
      if (layer.handle().getPlacementAttr() ||
          llvm::any_of(problems, [&](const planning::PlacementProblem &other) {
            return areEqual(other, problem);
          })) {
        continue;
      }
      problems.push_back(std::move(problem));
    }
    std::vector<planning::PlacementProblem> reduced;
    planning::Objective objective = goal;
    for (planning::PlacementProblem &problem : problems) {
      if (memory) {
        llvm::consumeError(planning::limitSlots(problem, *memory));
      }
      reduced.push_back(problem);
      objective = reduce(reduced.back(), chosen, goal);
    }
    SmallVector<const planning::PlacementProblem *> asked;
    for (const planning::PlacementProblem &problem : reduced) {
      asked.push_back(&problem);
    }
    for (auto [problem, result] : llvm::zip_equal(
             problems, planning::placeAll(chosen, asked, objective))) {
      if (result) {
        solved.push_back({std::move(problem), std::move(*result)});
      } else {
        llvm::consumeError(result.takeError());
      }
    }
  }

  /// Gives one layer a placement, or keeps the one that it has.
  LogicalResult placeLayer(PlacedLayer &placed, const PlanFacts &facts,
                           const std::optional<planning::ExpertMemory> &memory,
                           SymbolTable &symbols) {
    UsePlacementOp handle = placed.layer.placement;
    bool isKept = static_cast<bool>(handle.getPlacementAttr());
    if (failed(isKept ? keepPlacement(placed, memory, symbols)
                      : createPlacement(placed, memory, facts, symbols))) {
      return failure();
    }
    return placeWeights(placed.layer, handle.getPlacementAttr());
  }

  LogicalResult
  createPlacement(PlacedLayer &placed,
                  const std::optional<planning::ExpertMemory> &memory,
                  const PlanFacts &facts, SymbolTable &symbols) {
    UsePlacementOp handle = placed.handle();
    auto fail = [&](llvm::Error error) -> LogicalResult {
      return handle.emitOpError(placed.where)
             << ": " << llvm::toString(std::move(error));
    };
    if (memory) {
      if (llvm::Error error = planning::limitSlots(placed.problem, *memory)) {
        return fail(std::move(error));
      }
    }
    llvm::Expected<planning::PlacementResult> result = solveOnce(placed);
    if (!result) {
      return fail(result.takeError());
    }
    llvm::Expected<planning::Placement> placement =
        planning::executablePlacement(placed.problem, result->data);
    if (!placement) {
      return fail(placement.takeError());
    }
    ExpertsOp experts = placed.layer.experts;
    planning::RankDistance distance(facts.mesh, toPlanning(*experts.getAxes()),
                                    facts.devices.topology);
    PlacementAttributes attributes =
        dropIdleSlots(toAttributes(&getContext(), *placement, distance));
    OpBuilder builder(&getContext());
    auto op = PlacementOp::create(
        builder, handle.getLoc(), "p" + std::to_string(handle.getLayer()),
        placement->expertCount(), *experts.getAxes(), *experts.getMesh(),
        attributes.slots, attributes.replicas,
        builder.getStringAttr(planning::toString(chosen)));
    symbols.insert(op, getInsertionPoint());
    handle.setPlacementAttr(FlatSymbolRefAttr::get(op.getSymNameAttr()));
    record();
    emitRemarks(placed, *result);
    return success();
  }

  /// What placements were chosen by.
  void record() {
    ModuleOp module = getOperation();
    Builder builder(&getContext());
    recordPlan(module, "placement", planning::toString(chosen));
    if (objective != "auto") {
      recordPlan(module, "objective", objective);
    }
    if (replicas) {
      recordPlan(module, "replicas", builder.getI64IntegerAttr(replicas));
    }
    if (expertGroups != 1) {
      recordPlan(module, "expert_groups",
                 builder.getI64IntegerAttr(expertGroups));
    }
    if (memoryGib > 0) {
      recordPlan(module, "memory_gib", builder.getF64FloatAttr(memoryGib));
    }
  }

  /// Layers of one shape and equal loads, as all are where nothing is known of
  /// them, are solved once.
  llvm::Expected<planning::PlacementResult>
  solveOnce(const PlacedLayer &placed) {
    for (const SolvedProblem &known : solved) {
      if (areEqual(known.problem, placed.problem)) {
        return known.result;
      }
    }
    llvm::Expected<planning::PlacementResult> result =
        solve(placed.problem, chosen, goal);
    if (result) {
      solved.push_back({placed.problem, *result});
    }
    return result;
  }

  void emitRemarks(const PlacedLayer &placed,
                   const planning::PlacementResult &result) {
    Location loc = placed.handle().getLoc();
    StringRef name = "Placement";
    emitDecision(loc, name, placed.where, [&] {
      return (planning::toString(chosen) + ": " + placed.describe(result, goal))
          .str();
    });
    for (planning::PlacementPolicy other : alternatives) {
      if (other == chosen) {
        continue;
      }
      emitRefused(loc, name, placed.where, [&] {
        std::string policyName = planning::toString(other).str();
        llvm::Expected<planning::PlacementResult> refused =
            solve(placed.problem, other, goal);
        return policyName + ": " +
               (refused ? placed.describe(*refused, goal)
                        : llvm::toString(refused.takeError()));
      });
    }
  }

  /// Costs the placement that is there.
  LogicalResult
  keepPlacement(PlacedLayer &placed,
                const std::optional<planning::ExpertMemory> &memory,
                SymbolTable &symbols) {
    UsePlacementOp handle = placed.handle();
    auto op = symbols.lookup<PlacementOp>(handle.getPlacementAttr().getValue());
    llvm::Expected<planning::Placement> placement = toPlanning(op);
    if (!placement) {
      return op.emitOpError() << llvm::toString(placement.takeError());
    }
    if (placement->rankCount() != placed.problem.ranks()) {
      return op.emitOpError("expected slots of ")
             << placed.problem.ranks() << " ranks, those of the experts of "
             << placed.where << ", but got " << placement->rankCount();
    }
    // Bounds are those of its own slots.
    for (auto [rank, slots] : llvm::enumerate(placed.problem.slotsByRank)) {
      slots = placement->slotsOn(rank);
      if (memory && slots > memory->slotsOn(rank)) {
        return op.emitOpError("expected at most ")
               << memory->slotsOn(rank) << " slots on rank " << rank
               << ", which its memory has room for, but got " << slots;
      }
    }
    emitDecision(handle.getLoc(), "Placement", placed.where, [&] {
      planning::PlacementResult result;
      result.data = placement->data();
      return "kept @" + op.getSymName().str() + ": " +
             placed.describe(result, goal);
    });
    return success();
  }

  /// Says whether all that the module holds fits: a remark where it does, else
  /// a warning, since a plan may be made for devices that are yet to come.
  LogicalResult checkMemory(const PlanFacts &facts) {
    std::optional<DeviceMemory> memory =
        getDeviceMemory(facts.devices, memoryGib);
    if (!memory || facts.layers.empty()) {
      return success();
    }
    ModuleOp module = getOperation();
    FailureOr<MemoryDemand> demand = MemoryDemand::gather(module, facts);
    if (failed(demand)) {
      return failure();
    }
    MemoryFit fit = demand->fit(memory->usable);
    std::string text = fit.text + " (usable: " + memory->basis + ")";
    if (!fit.fits) {
      emitWarning(module.getLoc()) << "memory: " << text;
    }
    emitDecision(module.getLoc(), "Memory", "all layers", [&] { return text; });
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

  planning::PlacementPolicy chosen = planning::PlacementPolicy::Contiguous;
  planning::Objective goal = planning::Objective::Load;
  PlacementSpec spec;
  std::vector<SolvedProblem> solved;
};
} // namespace
