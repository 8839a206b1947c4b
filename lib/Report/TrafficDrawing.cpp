//===- TrafficDrawing.cpp - What crosses which tier -----------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SvgCanvas.h"
#include "moe/Report/PlanDrawing.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::report;
using namespace moe::planning;
using llvm::formatv;

/// Pixels of the widest line.
static constexpr double widestLine = 16;

namespace {
/// What a part of the cluster sends to the rest and gets from it.
struct Crossing {
  double sent = 0;
  double received = 0;
};

/// One level of the tree: parts of so many devices that a tier joins.
struct Level {
  int64_t devices = 1;
  unsigned tier = 0;
  std::vector<Crossing> parts;
};
} // namespace

/// What crosses the bounds of each part.
static Level measureLevel(const Topology &topology,
                          const DeviceTraffic &traffic, unsigned tier) {
  Level level;
  level.tier = tier;
  level.devices = topology.devicesPerPart(tier);
  level.parts.resize(topology.deviceCount() / level.devices);
  for (int64_t source = 0; source < traffic.devices(); ++source) {
    int64_t from = topology.partOf(source, tier);
    for (int64_t target = 0; target < traffic.devices(); ++target) {
      int64_t to = topology.partOf(target, tier);
      if (from != to) {
        level.parts[from].sent += traffic.from(source, target);
        level.parts[to].received += traffic.from(source, target);
      }
    }
  }
  return level;
}

/// `devices 0-7`, by their places in the cluster.
static std::string nameDevices(const Topology &topology, int64_t first,
                               int64_t count) {
  Numbers devices;
  for (int64_t position = first; position < first + count; ++position) {
    devices.push_back(topology.deviceAt(position));
  }
  return (count == 1 ? "device " : "devices ") + formatNumbers(devices);
}

namespace {
class TrafficTree {
public:
  TrafficTree(const Topology &topology, Drawing &drawing)
      : topology(topology), drawing(drawing) {}

  /// `most` is what most crosses any part.
  void draw(const std::vector<Level> &levels, double most);

private:
  Box makeBox(const Level &level, int64_t part) const;

  const Topology &topology;
  Drawing &drawing;
};
} // namespace

Box TrafficTree::makeBox(const Level &level, int64_t part) const {
  Box box;
  box.name = formatv("{0} {1}", topology.tier(level.tier).name, part);
  box.lines = {nameDevices(topology, part * level.devices, level.devices),
               "out " + formatBytes(level.parts[part].sent),
               "in " + formatBytes(level.parts[part].received)};
  box.fill = "#eef3fa";
  return box;
}

void TrafficTree::draw(const std::vector<Level> &levels, double most) {
  double columns = double(levels.back().parts.size());
  drawing.boxes.push_back({"all",
                           {formatv("all {0} devices", topology.deviceCount()),
                            topology.tier(0).name},
                           "#dddddd",
                           (columns - 1) / 2,
                           0,
                           std::max(columns / 2, 1.0)});
  size_t above = 0;
  int64_t partsAbove = 1;
  for (size_t depth = 0; depth < levels.size(); ++depth) {
    const Level &level = levels[depth];
    int64_t parts = level.parts.size();
    size_t first = drawing.boxes.size();
    for (int64_t part = 0; part < parts; ++part) {
      Box box = makeBox(level, part);
      double wide = columns / double(parts);
      box.column = (double(part) + 0.5) * wide - 0.5;
      box.row = 1.3 * double(depth + 1);
      box.width = std::max(1.0, wide / 2);
      const Crossing &crossing = level.parts[part];
      double amount = crossing.sent + crossing.received;
      Line line;
      line.from = above + part * partsAbove / parts;
      line.to = drawing.boxes.size();
      line.color = seriesColor(level.tier).str();
      line.width = std::max(0.5, widestLine * amount / most);
      drawing.boxes.push_back(std::move(box));
      drawing.lines.push_back(std::move(line));
    }
    above = first;
    partsAbove = parts;
  }
}

Drawing moe::report::trafficDrawing(llvm::StringRef title,
                                    const Topology &topology,
                                    const DeviceTraffic &traffic,
                                    size_t maxBoxes) {
  Drawing drawing;
  drawing.name = "traffic";
  std::vector<Level> levels;
  double most = 1, between = 0;
  for (unsigned tier = 0; tier < topology.tierCount(); ++tier) {
    Level level = measureLevel(topology, traffic, tier);
    double sum = 0;
    for (const Crossing &part : level.parts) {
      most = std::max(most, part.sent + part.received);
      sum += part.sent;
    }
    drawing.legend.emplace_back(
        seriesColor(tier).str(),
        formatv("over {0}{1}: {2}", topology.tier(tier).name,
                tier + 1 < topology.tierCount() ? "" : " or further",
                formatBytes(sum)));
    between = sum;
    // The outermost tier is always drawn.
    if (levels.empty() || level.parts.size() <= maxBoxes) {
      levels.push_back(std::move(level));
    }
  }
  drawing.title =
      formatv("{0}: {1} between devices", title, formatBytes(between));
  TrafficTree(topology, drawing).draw(levels, most);
  return drawing;
}
