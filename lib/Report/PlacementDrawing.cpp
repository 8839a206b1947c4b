//===- PlacementDrawing.cpp - Devices with their experts ------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlacedTraffic.h"
#include "SvgCanvas.h"
#include "moe/Report/PlanDrawing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>
#include <numeric>

using namespace moe::report;
using namespace moe::planning;
using llvm::formatv;

/// Boxes side by side, and letters and lines that one has room for.
static constexpr size_t boxesInRow = 8;
static constexpr double boxWidth = 1.3;
static constexpr size_t lettersInLine = 22;
static constexpr size_t mostLines = 7;
/// Of the drawing's rows: of a line of text, and around boxes and frames.
static constexpr double lineRows = 15.0 / 104, aroundBoxes = 26.0 / 104,
                        aroundFrames = 52.0 / 104;

/// Black text is to be read on every box.
static std::string fillOf(double load, double most) {
  return heatColor(0.5 * load / most);
}

/// `experts 0-7, 12*`, a line for each that a box has room for.
static std::vector<std::string> listExperts(const Placement &placement,
                                            int64_t rank) {
  Numbers alone, shared;
  for (int32_t expert : placement.tablesFor(rank).hostedExperts) {
    if (expert >= 0) {
      bool isReplica = placement.slotsOf(expert).size() > 1;
      (isReplica ? shared : alone).push_back(expert);
    }
  }
  std::vector<std::string> words;
  llvm::SmallVector<llvm::StringRef> parts;
  std::string ranges = alone.empty() ? "" : formatNumbers(alone);
  llvm::StringRef(ranges).split(parts, ", ", -1, /*KeepEmpty=*/false);
  for (llvm::StringRef part : parts) {
    words.push_back(part.str());
  }
  for (int64_t expert : shared) {
    words.push_back(std::to_string(expert) + "*");
  }
  std::vector<std::string> lines;
  std::vector<size_t> wordsInLine;
  for (auto [index, word] : llvm::enumerate(words)) {
    std::string text = word + (index + 1 < words.size() ? "," : "");
    if (lines.empty() ||
        lines.back().size() + 1 + text.size() > lettersInLine) {
      lines.push_back(std::move(text));
      wordsInLine.push_back(1);
    } else {
      lines.back() += " " + text;
      ++wordsInLine.back();
    }
  }
  if (lines.size() > mostLines) {
    lines.resize(mostLines - 1);
    size_t shown = std::accumulate(
        wordsInLine.begin(), wordsInLine.begin() + lines.size(), size_t(0));
    lines.push_back(formatv("… and {0} more", words.size() - shown));
  }
  if (lines.empty()) {
    lines.push_back("no expert");
  }
  return lines;
}

namespace {
/// Draws layers below each other.
class PlacementDrawer {
public:
  PlacementDrawer(const PlacedModel &model, Drawing &drawing, double most)
      : model(model), drawing(drawing), most(most) {}

  void add(const PlacedLayer &layer, llvm::StringRef name);

private:
  void addNode(const PlacedLayer &layer, llvm::StringRef name,
               llvm::ArrayRef<int64_t> ranks);

  const PlacedModel &model;
  Drawing &drawing;
  double most;
  /// Where the next node begins, in rows.
  double top = -0.7;
};
} // namespace

static int64_t nodeOf(const PlacedModel &model, int64_t device) {
  const Topology *topology = model.topology;
  return topology ? topology->positionOf(device) / nodeSize(*topology) : 0;
}

void PlacementDrawer::addNode(const PlacedLayer &layer, llvm::StringRef name,
                              llvm::ArrayRef<int64_t> ranks) {
  PlacedTraffic traffic(model, layer.placement, layer.loads);
  std::vector<double> loads = relativeLoads(layer.placement, layer.loads);
  Frame frame;
  frame.title = name.str();
  top += aroundFrames;
  for (size_t first = 0; first < ranks.size(); first += boxesInRow) {
    llvm::ArrayRef<int64_t> row = ranks.slice(first).take_front(boxesInRow);
    size_t lines = 0, begin = drawing.boxes.size();
    for (auto [place, rank] : llvm::enumerate(row)) {
      Box box;
      box.name = formatv("{0} rank {1}", layer.name, rank);
      box.lines = {formatv("device {0}", traffic.deviceOf(rank)),
                   formatv("load {0:F2} of the mean", loads[rank])};
      llvm::append_range(box.lines, listExperts(layer.placement, rank));
      box.fill = fillOf(loads[rank], most);
      box.width = boxWidth;
      box.column = (double(place) + 0.5) * boxWidth - 0.5;
      lines = std::max(lines, box.lines.size());
      frame.boxes.push_back(drawing.boxes.size());
      drawing.boxes.push_back(std::move(box));
    }
    double height = double(lines) * lineRows + aroundBoxes;
    for (size_t index = begin; index < drawing.boxes.size(); ++index) {
      // All of a row begin at the same height.
      Box &box = drawing.boxes[index];
      box.row = top + double(box.lines.size()) * lineRows / 2;
    }
    top += height;
  }
  drawing.frames.push_back(std::move(frame));
}

void PlacementDrawer::add(const PlacedLayer &layer, llvm::StringRef name) {
  std::map<int64_t, std::vector<int64_t>> nodes;
  PlacedTraffic traffic(model, layer.placement, layer.loads);
  for (int64_t rank = 0; rank < layer.placement.rankCount(); ++rank) {
    nodes[nodeOf(model, traffic.deviceOf(rank))].push_back(rank);
  }
  for (const auto &[node, ranks] : nodes) {
    addNode(layer,
            nodes.size() > 1 ? formatv("{0}, node {1}", name, node).str()
                             : name.str(),
            ranks);
  }
}

namespace {
/// Layers that a drawing shows as one.
struct EqualLayers {
  const PlacedLayer *layer;
  int64_t count = 0;
  double largest = 0;
};
} // namespace

static std::vector<EqualLayers> groupEqual(const PlacedModel &model) {
  std::vector<EqualLayers> groups;
  for (const PlacedLayer &layer : model.layers) {
    auto same = llvm::find_if(groups, [&](const EqualLayers &group) {
      return group.layer->placement == layer.placement &&
             group.layer->loads == layer.loads;
    });
    if (same == groups.end()) {
      std::vector<double> loads = relativeLoads(layer.placement, layer.loads);
      same = groups.insert(same, {&layer, 0, *llvm::max_element(loads)});
    }
    same->count += layer.layers;
  }
  return groups;
}

Drawing moe::report::placementDrawing(const PlacedModel &model,
                                      size_t maxBoxes) {
  std::vector<EqualLayers> groups = groupEqual(model);
  size_t all = groups.size();
  size_t ranks = model.layers.front().placement.rankCount();
  size_t shown = std::clamp<size_t>(maxBoxes / ranks, 1, all);
  llvm::stable_sort(groups, [](const EqualLayers &a, const EqualLayers &b) {
    return a.largest > b.largest;
  });
  double most = groups.front().largest;
  groups.resize(shown);
  // In the order of the model.
  llvm::sort(groups, [](const EqualLayers &a, const EqualLayers &b) {
    return a.layer < b.layer;
  });
  Drawing drawing;
  drawing.name = "placement";
  drawing.title = model.title;
  if (shown < all) {
    drawing.title +=
        formatv(": the {0} least balanced of {1} different layers", shown, all);
  }
  PlacementDrawer drawer(model, drawing, most);
  for (const EqualLayers &group : groups) {
    drawer.add(*group.layer, group.count > 1
                                 ? formatv("{0} and {1} equal to it",
                                           group.layer->name, group.count - 1)
                                       .str()
                                 : group.layer->name);
  }
  for (double part : {0.0, 0.5, 1.0}) {
    drawing.legend.emplace_back(fillOf(part * most, most),
                                formatv("load {0:F2}", part * most));
  }
  drawing.legend.emplace_back("#ffffff", "*: one of several replicas");
  return drawing;
}
