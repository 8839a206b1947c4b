//===- Tables.cpp - Placements as people read them ------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/Tables.h"
#include "TableCells.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <set>

using namespace moe::placement;
using namespace moe::planning;
using namespace moe::report;
using llvm::formatv;

/// The largest load of a GPU.
static Cell largestLoad(const LayerFigures &figures) {
  return figures.gpuLoad.empty() ? Cell()
                                 : Cell(*llvm::max_element(figures.gpuLoad));
}

/// Slots beyond one an expert, duplicates included.
static int64_t replicasOf(const PlacementData &data) {
  int64_t replicas = 0;
  for (int64_t count : logcnt(data)) {
    replicas += std::max<int64_t>(count - 1, 0);
  }
  return replicas;
}

void moe::placement::dropUnknownColumns(Table &table) {
  for (size_t column = table.columns.size(); column-- > 0;) {
    bool isKnown = llvm::any_of(table.rows, [&](const Row &row) {
      return !std::holds_alternative<std::monostate>(row[column]);
    });
    if (!isKnown) {
      table.columns.erase(table.columns.begin() + column);
      for (Row &row : table.rows) {
        row.erase(row.begin() + column);
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// One placement
//===----------------------------------------------------------------------===//

Table moe::placement::layersTable(const PlacementFile &file) {
  Table table;
  table.title = "layers";
  table.columns = {{"layer", ColumnKind::Count},
                   {"largest load", ColumnKind::Value},
                   {"max / mean", ColumnKind::Number, "", 4},
                   {"mean / max", ColumnKind::Number, "", 4},
                   {"(max - mean) / mean", ColumnKind::Number, "", 4},
                   {"bound of load", ColumnKind::Value},
                   {"gap", ColumnKind::Share},
                   {"replicas", ColumnKind::Count},
                   {"between nodes", ColumnKind::Bytes},
                   {"exchange", ColumnKind::Time},
                   {"experts", ColumnKind::Time},
                   {"both", ColumnKind::Time},
                   {"bound of both", ColumnKind::Time}};
  for (const LayerEntry &entry : file.layers) {
    const LayerFigures &figures = entry.figures;
    table.add({double(entry.layer), largestLoad(figures),
               toCell(figures.maxOverMean), toCell(figures.meanOverMax),
               toCell(figures.excessOverMean), toCell(figures.lowerBoundLoad),
               toCell(figures.gap), double(replicasOf(entry.data)),
               toCell(figures.crossNodeBytes), toCell(figures.exchangeUs),
               toCell(figures.computeUs), toCell(stepTime(figures)),
               toCell(figures.lowerBoundUs)});
  }
  dropUnknownColumns(table);
  if (!file.objective.empty()) {
    table.notes.push_back(
        formatv("gap: of the {0} above what no placement is below",
                file.objective == "time" ? "time of exchange and experts"
                                         : "largest load"));
  }
  return table;
}

/// `5, 6, -`, in slot order.
static std::string listSlots(llvm::ArrayRef<int64_t> experts) {
  std::string text;
  for (int64_t expert : experts) {
    text += text.empty() ? "" : ", ";
    text += expert < 0 ? "-" : std::to_string(expert);
  }
  return text;
}

Table moe::placement::gpusTable(const LayerEntry &entry) {
  Table table;
  table.title =
      formatv("layer {0}: experts of each GPU, in slot order", entry.layer);
  table.columns = {{"GPU", ColumnKind::Count},
                   {"experts", ColumnKind::Text},
                   {"load", ColumnKind::Value},
                   {"over the mean", ColumnKind::Number, "", 4}};
  const std::vector<double> &loads = entry.figures.gpuLoad;
  double mean = 0;
  for (double load : loads) {
    mean += load / double(loads.size());
  }
  for (auto [rank, experts] : llvm::enumerate(entry.data.expertsByRank)) {
    bool isKnown = rank < loads.size();
    table.add({double(rank), listSlots(experts),
               isKnown ? Cell(loads[rank]) : Cell(),
               isKnown ? Cell(loads[rank] / mean) : Cell()});
  }
  if (!entry.boundArgument.empty()) {
    table.notes.push_back("no placement is below the bound: " +
                          entry.boundArgument);
  }
  llvm::append_range(table.notes, entry.notes);
  return table;
}

/// What the placements are for, in one sentence.
static std::string describe(const PlacementFile &file) {
  const ProblemFacts &problem = file.problem;
  std::string text = formatv("{0} experts in {1} slots on {2} GPUs",
                             file.experts(), file.slots(), file.gpus());
  if (problem.nodes > 0) {
    text += formatv(" of {0} nodes", problem.nodes).str();
  }
  text += formatv(", {0} layers", file.layers.size()).str();
  if (!file.objective.empty()) {
    text += "; objective: " + file.objective;
  }
  if (problem.tokens > 0) {
    text += formatv("; {0} tokens a step", problem.tokens).str();
  }
  return text;
}

/// Notes of layers, each once.
static void addLayerNotes(const PlacementFile &file,
                          std::vector<std::string> &notes) {
  std::set<std::string> known(notes.begin(), notes.end());
  for (const LayerEntry &entry : file.layers) {
    for (const std::string &note : entry.notes) {
      if (known.insert(note).second) {
        notes.push_back(note);
      }
    }
  }
}

Report moe::placement::placementReport(const PlacementFile &file,
                                       size_t details) {
  Report report;
  report.title = "placement";
  if (!file.policy.empty()) {
    report.title += " by " + file.policy;
  }
  report.notes.push_back(describe(file));
  llvm::append_range(report.notes, file.notes);
  report.tables.push_back(layersTable(file));
  size_t shown = std::min(details, file.layers.size());
  for (size_t index = 0; index < shown; ++index) {
    report.tables.push_back(gpusTable(file.layers[index]));
  }
  if (shown < file.layers.size()) {
    report.notes.push_back(formatv(
        "experts of each GPU are shown of {0} layers; --format json has all",
        shown));
    addLayerNotes(file, report.notes);
  }
  return report;
}

Report moe::placement::verificationReport(const PlacementFile &counted,
                                          llvm::StringRef path) {
  Report report = placementReport(counted, 1);
  report.title = path.str() + " holds";
  report.notes.insert(
      report.notes.begin(),
      formatv(
          "every expert has a place in each of {0} layers; all figures that "
          "the file states are those that were counted anew",
          counted.layers.size()));
  if (counted.constants.empty()) {
    report.notes.push_back("times are not checked: they need --topology, "
                           "--tokens, and --hidden or --config");
  }
  return report;
}

//===----------------------------------------------------------------------===//
// Several
//===----------------------------------------------------------------------===//

namespace {
/// A figure over all layers.
struct Summary {
  std::optional<double> sum;
  std::optional<double> mean;
  std::optional<double> largest;
};
} // namespace

template <typename Get>
static Summary summarize(const PlacementFile &file, Get get) {
  Summary summary;
  double sum = 0, largest = -1;
  for (const LayerEntry &entry : file.layers) {
    std::optional<double> figure = get(entry.figures);
    if (!figure) {
      return summary;
    }
    sum += *figure;
    largest = std::max(largest, *figure);
  }
  summary.sum = sum;
  summary.mean = sum / double(file.layers.size());
  summary.largest = largest;
  return summary;
}

static Summary summarize(const PlacementFile &file,
                         std::optional<double> LayerFigures::*figure) {
  return summarize(
      file, [=](const LayerFigures &figures) { return figures.*figure; });
}

/// Of each file a sum over the least of them; nothing where that is unknown or
/// 0.
static std::vector<Cell> overLeast(
    llvm::ArrayRef<PlacementFile> files,
    llvm::function_ref<std::optional<double>(const PlacementFile &)> get) {
  std::optional<double> least;
  for (const PlacementFile &file : files) {
    std::optional<double> sum = get(file);
    least = sum && least ? std::min(*sum, *least) : sum ? sum : least;
  }
  std::vector<Cell> ratios;
  for (const PlacementFile &file : files) {
    std::optional<double> sum = get(file);
    ratios.push_back(sum && least && *least > 0 ? Cell(*sum / *least) : Cell());
  }
  return ratios;
}

Table moe::placement::policiesTable(llvm::ArrayRef<PlacementFile> files) {
  auto bytesOf = [](const PlacementFile &file) {
    return summarize(file, &LayerFigures::crossNodeBytes).sum;
  };
  auto timeOf = [](const PlacementFile &file) {
    return summarize(file, stepTime).sum;
  };
  std::vector<Cell> byBytes = overLeast(files, bytesOf);
  std::vector<Cell> byTime = overLeast(files, timeOf);
  Table table;
  table.title = "policies, over all layers";
  table.columns = {
      {"policy", ColumnKind::Text},
      {"mean of max / mean", ColumnKind::Number, "", 4},
      {"worst max / mean", ColumnKind::Number, "", 4},
      {"mean gap", ColumnKind::Share},
      {"worst gap", ColumnKind::Share},
      {"between nodes", ColumnKind::Bytes},
      {"over least", ColumnKind::Number, "", 2, "bytes_over_least"},
      {"exchange", ColumnKind::Time},
      {"experts", ColumnKind::Time},
      {"both", ColumnKind::Time},
      {"over least", ColumnKind::Number, "", 2, "time_over_least"},
      {"bound of both", ColumnKind::Time}};
  for (auto [index, file] : llvm::enumerate(files)) {
    Summary balance = summarize(file, &LayerFigures::maxOverMean);
    Summary gap = summarize(file, &LayerFigures::gap);
    table.add({file.policy, toCell(balance.mean), toCell(balance.largest),
               toCell(gap.mean), toCell(gap.largest), toCell(bytesOf(file)),
               byBytes[index],
               toCell(summarize(file, &LayerFigures::exchangeUs).sum),
               toCell(summarize(file, &LayerFigures::computeUs).sum),
               toCell(timeOf(file)), byTime[index],
               toCell(summarize(file, &LayerFigures::lowerBoundUs).sum)});
  }
  dropUnknownColumns(table);
  table.notes.push_back("bytes and times: dispatch and combine of all layers, "
                        "one step; '-' is unknown");
  return table;
}

/// One figure of every layer, a column a policy.
static Table
layersByPolicy(llvm::ArrayRef<PlacementFile> files, const Column &value,
               std::optional<double> (*get)(const LayerFigures &)) {
  Table table;
  table.title = value.name + " of each layer";
  table.columns = {{"layer", ColumnKind::Count}};
  for (const PlacementFile &file : files) {
    Column column = value;
    column.name = file.policy;
    table.columns.push_back(column);
  }
  for (const LayerEntry &first : files.front().layers) {
    Row row = {double(first.layer)};
    for (const PlacementFile &file : files) {
      const LayerEntry *entry = file.find(first.layer);
      row.push_back(entry ? toCell(get(entry->figures)) : Cell());
    }
    table.add(std::move(row));
  }
  return table;
}

Report moe::placement::comparisonReport(llvm::ArrayRef<PlacementFile> files) {
  Report report;
  report.title = "placements compared";
  report.notes.push_back(describe(files.front()));
  llvm::append_range(report.notes, files.front().notes);
  for (const PlacementFile &file : files) {
    addLayerNotes(file, report.notes);
  }
  report.tables.push_back(policiesTable(files));
  report.tables.push_back(layersByPolicy(
      files, {"max / mean", ColumnKind::Number, "", 4},
      [](const LayerFigures &figures) { return figures.maxOverMean; }));
  bool hasTimes = llvm::any_of(files, [](const PlacementFile &file) {
    return summarize(file, stepTime).sum.has_value();
  });
  if (hasTimes) {
    report.tables.push_back(layersByPolicy(
        files, {"exchange and experts", ColumnKind::Time}, stepTime));
  }
  return report;
}
