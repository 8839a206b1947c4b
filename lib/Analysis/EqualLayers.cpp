// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "EqualLayers.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::moe;
namespace report = ::moe::report;
using llvm::formatv;

PlacementOp EqualLayers::getPlacement() const {
  UsePlacementOp handle = front().placement;
  return SymbolTable::lookupNearestSymbolFrom<PlacementOp>(
      handle, handle.getPlacementAttr());
}

ExchangeOp EqualLayers::getExchange() const {
  ExpertsOp experts = front().experts;
  return experts.getExchangeAttr()
             ? SymbolTable::lookupNearestSymbolFrom<ExchangeOp>(
                   experts, experts.getExchangeAttr())
             : ExchangeOp();
}

std::optional<report::Numbers> EqualLayers::getNumbers() const {
  report::Numbers numbers;
  for (const MoELayer &layer : layers) {
    int64_t number = 0;
    if (StringRef(layer.getName()).getAsInteger(10, number)) {
      return std::nullopt;
    }
    numbers.push_back(number);
  }
  return numbers;
}

static std::string joinNames(ArrayRef<MoELayer> layers) {
  std::string names;
  for (const MoELayer &layer : layers) {
    names += (names.empty() ? "" : ", ") + layer.getName();
  }
  return names;
}

/// `layers 3-60`, `layer encoder.1`
std::string EqualLayers::getTitle() const {
  std::optional<report::Numbers> numbers = getNumbers();
  return (layers.size() == 1 ? "layer " : "layers ") +
         (numbers ? report::formatNumbers(*numbers) : joinNames(layers));
}

std::vector<report::Fact> EqualLayers::describe() const {
  std::optional<report::Numbers> numbers = getNumbers();
  return {{{"layers"},
           numbers ? report::Cell(*numbers) : report::Cell(joinNames(layers))}};
}

/// Whether what is reported of two layers is the same.
static bool areEqual(const EqualLayers &group, const MoELayer &layer,
                     const ExchangedLayer &data) {
  EqualLayers other{{layer}, data};
  PlacementOp left = group.getPlacement(), right = other.getPlacement();
  return left.getSlots() == right.getSlots() &&
         left.getReplicas() == right.getReplicas() &&
         left.getPolicy() == right.getPolicy() &&
         left.getAxes() == right.getAxes() &&
         group.getExchange() == other.getExchange() &&
         group.data.shape == data.shape && group.data.loads == data.loads;
}

static FailureOr<std::vector<EqualLayers>> groupLayers(const PlanFacts &facts) {
  std::vector<EqualLayers> groups;
  for (const MoELayer &layer : facts.layers) {
    FailureOr<ExchangedLayer> data = ExchangedLayer::gather(layer);
    if (failed(data)) {
      return failure();
    }
    auto group = llvm::find_if(groups, [&](const EqualLayers &candidate) {
      return areEqual(candidate, layer, *data);
    });
    if (group == groups.end()) {
      groups.push_back({{layer}, std::move(*data)});
    } else {
      group->layers.push_back(layer);
    }
  }
  return groups;
}

/// What every report says first.
static void addFacts(const PlanFacts &facts, report::Report &report) {
  comm::TopologyOp topology = facts.devices.op;
  report.notes.push_back(formatv("mesh {0}, up to {1} tokens",
                                 facts.mesh.toString(), facts.tokens));
  report.notes.push_back(formatv(
      "topology {0}: {1}",
      facts.devices.isDefault() ? "none given, one uniform tier of defaults"
                                : topology.getSymName(),
      facts.devices.topology.toString()));
}

FailureOr<report::Report> mlir::moe::makeReport(
    ModuleOp module, StringRef title,
    function_ref<LogicalResult(const PlanFacts &, ArrayRef<EqualLayers>,
                               report::Report &)>
        fill) {
  FailureOr<PlanFacts> facts = PlanFacts::gather(module);
  if (failed(facts)) {
    return failure();
  }
  FailureOr<std::vector<EqualLayers>> groups = groupLayers(*facts);
  if (failed(groups)) {
    return failure();
  }
  report::Report result;
  result.title = title;
  addFacts(*facts, result);
  if (failed(fill(*facts, *groups, result))) {
    return failure();
  }
  return result;
}
