// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "DecisionRemark.h"
#include "SpecializeBlocks.h"

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/LayerExchange.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Report/Report.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::moe {
#define GEN_PASS_DEF_CHOOSEEXCHANGEPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace planning = ::moe::planning;

static constexpr planning::ExchangeForm forms[] = {
    planning::ExchangeForm::FlatExact, planning::ExchangeForm::FlatBounded};

namespace {
/// What exchanges cost, worked out when it is asked for, and once for layers
/// whose rows travel alike: a cost looks at every pair of ranks.
class ExchangeCosts {
public:
  explicit ExchangeCosts(const PlanFacts &facts)
      : facts(facts), model(facts.devices.topology) {}

  /// Keeps a reference to the layer.
  planning::Microseconds get(const ExchangedLayer &layer,
                             const ExchangeChoice &choice) {
    for (const Entry &entry : known) {
      if (entry.choice == choice && entry.layer->hasTrafficOf(layer)) {
        return entry.cost;
      }
    }
    LayerExchange exchange = makeExchange(facts, layer, choice);
    std::vector<planning::GroupCounts> expected = getExpectedRows(facts, layer);
    planning::Microseconds cost =
        model.exchangeCost(exchange.dispatch, expected).total() +
        model.exchangeCost(exchange.combine, expected).total();
    known.push_back({&layer, choice, cost});
    return cost;
  }

private:
  struct Entry {
    const ExchangedLayer *layer;
    ExchangeChoice choice;
    planning::Microseconds cost;
  };

  const PlanFacts &facts;
  planning::CostModel model;
  std::vector<Entry> known;
};
} // namespace

/// `flat exact: 12.3 us, bound 4096 rows (16.0 MiB)`
static std::string describe(const ExchangedLayer &layer,
                            const ExchangeChoice &choice,
                            planning::Microseconds cost) {
  int64_t rowBytes = layer.shape.inputColumns * layer.shape.inputElementBytes;
  double reserved = static_cast<double>(choice.bound) * rowBytes;
  bool bounded = choice.form == planning::ExchangeForm::FlatBounded;
  return llvm::formatv(
             "{0}: {1} for dispatch and combine, {2} {3} rows ({4}) a rank",
             planning::toString(choice.form).str(),
             ::moe::report::formatTime(cost.value()),
             bounded ? "reserves" : "allows", choice.bound,
             ::moe::report::formatBytes(reserved))
      .str();
}

namespace {
class ChooseExchangePass
    : public mlir::moe::impl::ChooseExchangePassBase<ChooseExchangePass> {
public:
  using ChooseExchangePassBase::ChooseExchangePassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(parseOptions())) {
      return signalPassFailure();
    }
    FailureOr<PlanFacts> facts = PlanFacts::gather(module);
    if (failed(facts) || failed(chooseExchanges(*facts))) {
      return signalPassFailure();
    }
  }

private:
  LogicalResult parseOptions() {
    fixedForm = symbolizeExchangeForm(form);
    if (!fixedForm && form != "auto") {
      return emitOptionError(&getContext(),
                             "expected an exchange form of "
                             "flat_exact, flat_bounded or auto, but "
                             "got '")
             << form << "'";
    }
    if (bound < 0 || bound > std::numeric_limits<int32_t>::max()) {
      return emitOptionError(&getContext(),
                             "expected a bound from 0 to 2147483647, "
                             "but got ")
             << bound.getValue();
    }
    return success();
  }

  LogicalResult chooseExchanges(const PlanFacts &facts) {
    std::vector<ExchangedLayer> exchanged;
    // Layers that share code share the bound, so the largest of them.
    DenseMap<Operation *, int64_t> bounds;
    for (const MoELayer &layer : facts.layers) {
      FailureOr<ExchangedLayer> gathered = ExchangedLayer::gather(layer);
      if (failed(gathered)) {
        return failure();
      }
      int64_t &most = bounds[layer.experts];
      most = std::max(most, bound ? bound : getWorstCaseRows(facts, *gathered));
      exchanged.push_back(std::move(*gathered));
    }
    SmallVector<FlatSymbolRefAttr> choices;
    ExchangeCosts costs(facts);
    for (auto [layer, data] : llvm::zip_equal(facts.layers, exchanged)) {
      FailureOr<FlatSymbolRefAttr> choice =
          chooseLayer(costs, layer, data, bounds[layer.experts]);
      if (failed(choice)) {
        return failure();
      }
      choices.push_back(*choice);
    }
    specializeBlocks(getOperation(), facts.layers, choices);
    return success();
  }

  /// What was written by hand: on the experts, or on a call on the way there.
  FlatSymbolRefAttr findWritten(const MoELayer &layer) {
    ExpertsOp experts = layer.experts;
    FlatSymbolRefAttr written = experts.getExchangeAttr();
    for (const LayerCall &step : layer.path) {
      func::CallOp call = step.call;
      if (auto exchange =
              call->getAttrOfType<FlatSymbolRefAttr>(kExchangeAttrName)) {
        written = exchange;
      }
    }
    return written;
  }

  FailureOr<FlatSymbolRefAttr> chooseLayer(ExchangeCosts &costs,
                                           const MoELayer &layer,
                                           const ExchangedLayer &data,
                                           int64_t rows) {
    ExpertsOp experts = layer.experts;
    std::string where = "layer " + layer.getName();
    if (FlatSymbolRefAttr written = findWritten(layer)) {
      auto op =
          SymbolTable::lookupNearestSymbolFrom<ExchangeOp>(experts, written);
      if (!op) {
        return experts.emitOpError("expected a moe.exchange named ") << written;
      }
      ExchangeChoice kept{toPlanning(op.getForm()),
                          static_cast<int64_t>(op.getBound())};
      emitDecision(experts.getLoc(), "Exchange", where, [&] {
        return "kept @" + op.getSymName().str() + ", " +
               describe(data, kept, costs.get(data, kept));
      });
      return written;
    }
    if (rows > std::numeric_limits<int32_t>::max()) {
      return experts.emitOpError("expected at most 2147483647 rows on a rank, "
                                 "but the worst case is ")
             << rows << "; set the option 'bound'";
    }
    return choose(costs, layer, data, rows);
  }

  /// The cheapest form, or the one that was asked for.
  FlatSymbolRefAttr choose(ExchangeCosts &costs, const MoELayer &layer,
                           const ExchangedLayer &data, int64_t rows) {
    std::string where = "layer " + layer.getName();
    std::vector<ExchangeChoice> candidates;
    for (planning::ExchangeForm candidate : forms) {
      candidates.push_back({candidate, rows});
    }
    size_t best = 0;
    for (size_t index = 0; index < candidates.size(); ++index) {
      bool better = fixedForm ? candidates[index].form == toPlanning(*fixedForm)
                              : costs.get(data, candidates[index]) <
                                    costs.get(data, candidates[best]);
      best = better ? index : best;
    }
    ExpertsOp experts = layer.experts;
    for (size_t index = 0; index < candidates.size(); ++index) {
      auto text = [&] {
        return describe(data, candidates[index],
                        costs.get(data, candidates[index]));
      };
      if (index == best) {
        emitDecision(experts.getLoc(), "Exchange", where, text);
      } else {
        emitRefused(experts.getLoc(), "Exchange", where, text);
      }
    }
    recordPlan(getOperation(), "exchange", form);
    if (bound) {
      recordPlan(getOperation(), "bound",
                 Builder(&getContext()).getI64IntegerAttr(bound));
    }
    return getSymbol(candidates[best]);
  }

  /// The `moe.exchange` of a choice, made when it is the first of its kind.
  FlatSymbolRefAttr getSymbol(const ExchangeChoice &choice) {
    ModuleOp module = getOperation();
    Operation *last = nullptr;
    for (Operation &op : *module.getBody()) {
      if (auto exchange = dyn_cast<ExchangeOp>(op)) {
        ExchangeChoice known{toPlanning(exchange.getForm()),
                             static_cast<int64_t>(exchange.getBound())};
        if (known == choice) {
          return FlatSymbolRefAttr::get(exchange.getSymNameAttr());
        }
      }
      if (isa<ExchangeOp, PlacementOp>(op)) {
        last = &op;
      }
    }
    OpBuilder builder(&getContext());
    auto op = ExchangeOp::create(builder, last->getLoc(), getFreeName(),
                                 toAttribute(choice.form), choice.bound);
    SymbolTable(module).insert(op, std::next(last->getIterator()));
    return FlatSymbolRefAttr::get(op.getSymNameAttr());
  }

  /// `x0`, `x1`, …
  std::string getFreeName() {
    int64_t number = 0;
    while (getOperation().lookupSymbol("x" + std::to_string(number))) {
      ++number;
    }
    return "x" + std::to_string(number);
  }

  /// None where costs decide.
  std::optional<ExchangeForm> fixedForm;
};
} // namespace
