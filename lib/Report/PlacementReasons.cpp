//===- PlacementReasons.cpp - Why experts are where they are --------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Alternatives.h"
#include "moe/Report/PlanReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace moe::report;
using namespace moe::planning;
using llvm::formatv;

/// Beyond so many steps, alternatives are not timed: a page is to be quick.
static constexpr double mostTimedSteps = 2e8;

namespace {
/// The reasons of one layer.
class LayerReasons {
public:
  LayerReasons(const PlacedModel &model, const PlacedLayer &layer);

  /// Why an expert is where it is, in sentences.
  std::string reasonOf(int64_t expert) const;
  std::string devicesOf(int64_t expert) const;
  /// What the best other places would come to.
  std::string otherPlacesOf(int64_t expert) const;

private:
  std::string loadText(int64_t expert) const;
  std::string placeText(int64_t expert, const ServingSlot &slot) const;
  std::string elsewhereText(int64_t expert, const Alternative &other) const;
  std::string timeText(int64_t expert, const Alternative &other) const;

  const PlacedModel &model;
  const PlacedLayer &layer;
  PlacedTraffic traffic;
  std::vector<double> loads;
  Alternatives alternatives;
  double heaviest;
  /// Dispatch and combine; none where alternatives are not timed.
  std::optional<Microseconds> exchange;
};
} // namespace

LayerReasons::LayerReasons(const PlacedModel &model, const PlacedLayer &layer)
    : model(model), layer(layer), traffic(model, layer.placement, layer.loads),
      loads(relativeLoads(layer.placement, layer.loads)),
      alternatives(layer, traffic, loads), heaviest(*llvm::max_element(loads)) {
  double ranks = double(loads.size());
  double experts = double(layer.placement.expertCount());
  double steps = experts * ranks * (ranks + experts * Placement::tokenClasses);
  if (model.topology && model.tokens > 0 && steps < mostTimedSteps) {
    exchange = traffic.cost().total;
  }
}

std::string LayerReasons::devicesOf(int64_t expert) const {
  std::string devices;
  for (const ServingSlot &slot : traffic.slotsOf(expert)) {
    devices += formatv("{0}{1}", devices.empty() ? "" : ", ",
                       traffic.deviceOf(slot.rank));
  }
  return devices;
}

std::string LayerReasons::loadText(int64_t expert) const {
  double alone = layer.loads.shares[expert] * double(loads.size());
  std::vector<ServingSlot> slots = traffic.slotsOf(expert);
  std::string text = formatv("It gets {0:F2} of a device's mean load", alone);
  if (slots.size() == 1) {
    return text + ", in one place.";
  }
  double largest = 0;
  for (const ServingSlot &slot : slots) {
    largest = std::max(largest, slot.part * alone);
  }
  return text + formatv(", shared by {0} places, at most {1:F2} each.",
                        slots.size(), largest)
                    .str();
}

/// `device 5 holds it beside experts 3, 44 and carries 1.02 of the mean`
std::string LayerReasons::placeText(int64_t expert,
                                    const ServingSlot &slot) const {
  std::vector<int64_t> others;
  for (int32_t other : layer.placement.tablesFor(slot.rank).hostedExperts) {
    if (other >= 0 && other != expert) {
      others.push_back(other);
    }
  }
  constexpr size_t most = 12;
  std::string with =
      others.empty()         ? "alone"
      : others.size() > most ? formatv("beside {0} others", others.size()).str()
      : others.size() == 1
          ? formatv("beside expert {0}", others.front()).str()
          : formatv("beside experts {0}", formatNumbers(others)).str();
  return formatv("device {0} holds it {1} and carries {2:F3} of the mean",
                 traffic.deviceOf(slot.rank), with, loads[slot.rank]);
}

/// `, the exchange 3.10 us longer`
std::string LayerReasons::timeText(int64_t expert,
                                   const Alternative &other) const {
  if (!exchange) {
    return "";
  }
  Placement changed = placedElsewhere(layer.placement, expert, other);
  Microseconds then = PlacedTraffic(model, changed, layer.loads).cost().total;
  double more = (then - *exchange).value();
  // Less is rounding.
  constexpr double least = 1e-3;
  if (std::abs(more) < least * exchange->value()) {
    return ", the exchange as long as now";
  }
  return formatv(", the exchange {0} {1}", formatTime(std::abs(more)),
                 more > 0 ? "longer" : "shorter");
}

std::string LayerReasons::elsewhereText(int64_t expert,
                                        const Alternative &other) const {
  std::string what =
      layer.placement.slotsOf(expert).size() == 1
          ? std::string("It")
          : formatv("Its place on device {0}", traffic.deviceOf(other.fromRank))
                .str();
  std::string where =
      other.partner < 0 ? formatv("in a free slot of device {0}",
                                  traffic.deviceOf(other.toRank))
                              .str()
                        : formatv("swapped with expert {0} of device {1}",
                                  other.partner, traffic.deviceOf(other.toRank))
                              .str();
  return formatv("{0} {1}: {2:F3}{3}", what, where, other.largest,
                 timeText(expert, other));
}

std::string LayerReasons::otherPlacesOf(int64_t expert) const {
  std::vector<std::string> refused;
  constexpr size_t most = 2;
  for (const Alternative &other : alternatives.elsewhere(expert, most)) {
    refused.push_back(elsewhereText(expert, other));
  }
  for (const ServingSlot &slot : traffic.slotsOf(expert)) {
    if (std::optional<double> then = alternatives.without(expert, slot.rank)) {
      refused.push_back(formatv("Without its place on device {0}, the others "
                                "serving all: {1:F3}",
                                traffic.deviceOf(slot.rank), *then));
      break;
    }
  }
  return refused.empty() ? "None: it is everywhere."
                         : formatv("The heaviest device is at {0:F3}. {1}.",
                                   heaviest, llvm::join(refused, ". "))
                               .str();
}

std::string LayerReasons::reasonOf(int64_t expert) const {
  std::vector<std::string> places;
  for (const ServingSlot &slot : traffic.slotsOf(expert)) {
    places.push_back(placeText(expert, slot));
  }
  std::string where = llvm::join(places, "; ");
  where.front() = 'D';
  std::string text = loadText(expert) + " " + where + ".";
  if (model.topology) {
    text += " " + traffic.sourcesText(expert) + ".";
  }
  return text;
}

namespace {
/// A bound, and the layers that it is of.
struct SharedBound {
  std::string text;
  std::string layers;
};
} // namespace

/// What no placement of the layers is below, one note for those of which the
/// same is true.
static std::vector<std::string>
describeBounds(llvm::ArrayRef<const PlacedLayer *> layers) {
  std::vector<SharedBound> bounds;
  for (const PlacedLayer *layer : layers) {
    if (!layer->bound) {
      continue;
    }
    std::string text =
        formatv("no placement's heaviest device is below {0:F3}: {1}",
                layer->bound->maxOverMean, layer->bound->argument);
    auto same = llvm::find_if(
        bounds, [&](const SharedBound &bound) { return bound.text == text; });
    if (same == bounds.end()) {
      bounds.push_back({std::move(text), layer->name});
    } else {
      same->layers += ", " + layer->name;
    }
  }
  std::vector<std::string> notes;
  for (const SharedBound &bound : bounds) {
    notes.push_back(bound.layers + ": " + bound.text);
  }
  return notes;
}

Table moe::report::reasonTable(const PlacedModel &model,
                               llvm::ArrayRef<const PlacedLayer *> layers) {
  Table table;
  table.name = "reasons";
  table.title = "why each expert is where it is";
  table.columns = {
      {"expert", ColumnKind::Count},
      {"layer", ColumnKind::Text},
      {"share of rows", ColumnKind::Share},
      {"over the mean expert", ColumnKind::Number, "", 2},
      {"places", ColumnKind::Count},
      {"devices", ColumnKind::Text},
      {"why", ColumnKind::Text},
      {"other places, and what they would cost", ColumnKind::Text}};
  table.notes.push_back("loads are over the mean load of a device; other "
                        "places: the heaviest device's load then, and how much "
                        "longer dispatch and combine take");
  llvm::append_range(table.notes, describeBounds(layers));
  for (const PlacedLayer *layer : layers) {
    LayerReasons reasons(model, *layer);
    int64_t experts = layer->placement.expertCount();
    for (int64_t expert = 0; expert < experts; ++expert) {
      double share = layer->loads.shares[expert];
      table.add({double(expert), layer->name, share, share * double(experts),
                 double(layer->placement.slotsOf(expert).size()),
                 reasons.devicesOf(expert), reasons.reasonOf(expert),
                 reasons.otherPlacesOf(expert)});
    }
  }
  return table;
}
