//===- MigrationReport.cpp - What moved and what it bought ----------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TableCells.h"
#include "moe/PlacementTool/Migration.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::placement;
using namespace moe::planning;
using namespace moe::report;
using llvm::formatv;
namespace json = llvm::json;

static std::optional<double> timeOf(const MigrationPlan &plan) {
  return plan.time ? std::optional<double>(plan.time->value()) : std::nullopt;
}

/// Nothing where nobody knows how large an expert is.
static Cell bytesOf(const PlacementDiff &diff, Bytes bytes) {
  return diff.weightBytes > Bytes() ? Cell(bytes.value()) : Cell();
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static Table layersTable(const PlacementDiff &diff) {
  Table table;
  table.title = "layers";
  table.columns = {{"layer", ColumnKind::Count},
                   {"moves", ColumnKind::Count},
                   {"replicas given up", ColumnKind::Count},
                   {"max / mean before", ColumnKind::Number, "", 4},
                   {"max / mean after", ColumnKind::Number, "", 4},
                   {"bound", ColumnKind::Number, "", 4},
                   {"between nodes before", ColumnKind::Bytes},
                   {"between nodes after", ColumnKind::Bytes},
                   {"step before", ColumnKind::Time},
                   {"step after", ColumnKind::Time},
                   {"weights moved", ColumnKind::Bytes},
                   {"time of the move", ColumnKind::Time}};
  for (auto [layer, before, after] :
       llvm::zip(diff.layers, diff.before.layers, diff.after.layers)) {
    std::optional<double> bound = after.figures.lowerBoundLoad;
    double mean = 0;
    for (double load : after.figures.gpuLoad) {
      mean += load / double(after.figures.gpuLoad.size());
    }
    table.add(
        {double(layer.layer), double(layer.plan.moves.size()),
         double(layer.replicasGivenUp), toCell(before.figures.maxOverMean),
         toCell(after.figures.maxOverMean),
         bound ? Cell(*bound / mean) : Cell(),
         toCell(before.figures.crossNodeBytes),
         toCell(after.figures.crossNodeBytes), toCell(stepTime(before.figures)),
         toCell(stepTime(after.figures)), bytesOf(diff, layer.plan.bytes),
         toCell(timeOf(layer.plan))});
  }
  dropUnknownColumns(table);
  return table;
}

/// The tier that a move crosses, which must be known.
static std::string tierName(const PlacementDiff &diff, const Move &move) {
  return diff.workload.topology->tier(*move.tier).name;
}

/// Which expert from where to where, and over what.
static Table movesTable(const PlacementDiff &diff, size_t most) {
  Table table;
  table.title = "moves";
  table.columns = {
      {"layer", ColumnKind::Count},    {"expert", ColumnKind::Count},
      {"from GPU", ColumnKind::Count}, {"from slot", ColumnKind::Count},
      {"to GPU", ColumnKind::Count},   {"to slot", ColumnKind::Count},
      {"over", ColumnKind::Text},      {"bytes", ColumnKind::Bytes}};
  for (const LayerMigration &layer : diff.layers) {
    for (const Move &move : layer.plan.moves) {
      if (table.rows.size() == most) {
        table.notes.push_back(formatv("{0} of {1} moves are shown; --format "
                                      "json has all",
                                      most, diff.moves()));
        dropUnknownColumns(table);
        return table;
      }
      table.add({double(layer.layer), double(move.expert),
                 double(move.sourceRank), double(move.sourceSlot),
                 double(move.targetRank), double(move.targetSlot),
                 move.tier ? Cell(tierName(diff, move)) : Cell(),
                 bytesOf(diff, move.bytes)});
    }
  }
  dropUnknownColumns(table);
  return table;
}

/// `heaviest GPU: 1.2083 of the mean before, 1.0075 after, on average`
static void noteGain(const PlacementDiff &diff, llvm::StringRef what,
                     std::optional<double> (*get)(const LayerFigures &),
                     std::string (*print)(double),
                     std::vector<std::string> &notes) {
  double before = 0, after = 0;
  for (auto [old, now] : llvm::zip(diff.before.layers, diff.after.layers)) {
    std::optional<double> was = get(old.figures), is = get(now.figures);
    if (!was || !is) {
      return;
    }
    before += *was / double(diff.before.layers.size());
    after += *is / double(diff.before.layers.size());
  }
  notes.push_back(formatv("{0}, mean of the layers: {1} before, {2} after "
                          "({3}{4:F2} %)",
                          what, print(before), print(after),
                          after > before ? "+" : "",
                          before > 0 ? (after / before - 1) * 100 : 0));
}

Report moe::placement::diffReport(const PlacementDiff &diff, size_t mostMoves) {
  Report report;
  report.title =
      formatv("from {0} to {1}",
              diff.before.policy.empty() ? "a placement" : diff.before.policy,
              diff.after.policy.empty() ? "another" : diff.after.policy);
  report.notes.push_back(
      diff.weightBytes > Bytes()
          ? formatv("{0} moves, {1} of weights", diff.moves(),
                    formatBytes(diff.bytes().value()))
                .str()
          : formatv("{0} moves; nothing says how large an expert is (--config, "
                    "or --hidden and --width)",
                    diff.moves())
                .str());
  noteGain(
      diff, "heaviest GPU over the mean",
      [](const LayerFigures &figures) { return figures.maxOverMean; },
      [](double value) { return formatv("{0:F4}", value).str(); },
      report.notes);
  noteGain(
      diff, "rows between nodes",
      [](const LayerFigures &figures) { return figures.crossNodeBytes; },
      [](double value) { return formatBytes(value); }, report.notes);
  noteGain(
      diff, "exchange and experts", stepTime,
      [](double value) { return formatTime(value); }, report.notes);
  llvm::append_range(report.notes, diff.after.notes);
  llvm::append_range(report.notes, diff.notes);
  report.tables.push_back(layersTable(diff));
  if (diff.moves() > 0) {
    report.tables.push_back(movesTable(diff, mostMoves));
  }
  return report;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

json::Value moe::placement::toJson(const PlacementDiff &diff) {
  bool knowsBytes = diff.weightBytes > Bytes();
  json::Array moves;
  std::vector<double> byTier;
  std::optional<double> time = 0;
  for (const LayerMigration &layer : diff.layers) {
    for (const Move &move : layer.plan.moves) {
      moves.push_back(
          json::Object{{"layer", layer.layer},
                       {"expert", move.expert},
                       {"from_gpu", move.sourceRank},
                       {"from_slot", move.sourceSlot},
                       {"to_gpu", move.targetRank},
                       {"to_slot", move.targetSlot},
                       {"tier", move.tier ? json::Value(tierName(diff, move))
                                          : json::Value(nullptr)},
                       {"bytes", knowsBytes ? json::Value(move.bytes.value())
                                            : json::Value(nullptr)}});
    }
    byTier.resize(std::max(byTier.size(), layer.plan.bytesByTier.size()));
    for (auto [tier, bytes] : llvm::enumerate(layer.plan.bytesByTier)) {
      byTier[tier] += bytes.value();
    }
    std::optional<double> own = timeOf(layer.plan);
    time = time && own ? std::optional<double>(*time + *own) : std::nullopt;
  }
  return json::Object{{"moves", std::move(moves)},
                      {"bytes", knowsBytes ? json::Value(diff.bytes().value())
                                           : json::Value(nullptr)},
                      {"bytes_by_tier", json::Array(byTier)},
                      {"time_us", time && knowsBytes ? json::Value(*time)
                                                     : json::Value(nullptr)}};
}
