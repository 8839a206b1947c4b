//===- LoadProfile.cpp - How much work each expert gets -------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Planning/LoadProfile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include <cmath>
#include <numeric>
#include <set>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

/// The most experts that a file may name in a layer.
static constexpr int64_t maxExperts = int64_t(1) << 20;

llvm::Error LoadProfile::addLayer(int64_t layer, std::vector<double> loads) {
  for (auto [expert, load] : llvm::enumerate(loads)) {
    if (!std::isfinite(load) || load < 0) {
      return createStringError(
          formatv("layer {0}, expert {1}: expected a finite load of at least "
                  "0, but got {2}",
                  layer, expert, load)
              .str());
    }
  }
  double sum = std::accumulate(loads.begin(), loads.end(), 0.0);
  if (!(sum > 0) || !std::isfinite(sum)) {
    return createStringError(
        formatv(
            "layer {0}: expected a finite sum of loads above 0, but got {1}",
            layer, sum)
            .str());
  }
  loadsByLayer[layer] = std::move(loads);
  return llvm::Error::success();
}

/// The lists of loads in a parsed document, or null.
static const llvm::json::Array *findLoads(const llvm::json::Value &root) {
  if (const llvm::json::Object *object = root.getAsObject()) {
    return object->getArray("loads");
  }
  return root.getAsArray();
}

llvm::Expected<LoadProfile> LoadProfile::fromJson(llvm::StringRef text) {
  llvm::Expected<llvm::json::Value> root = llvm::json::parse(text);
  if (!root) {
    return root.takeError();
  }
  const llvm::json::Array *layers = findLoads(*root);
  if (!layers || layers->empty()) {
    return createStringError("expected loads as [[...], ...] (layers x "
                             "experts) or {\"loads\": [[...], ...]}");
  }
  LoadProfile profile;
  for (auto [layer, row] : llvm::enumerate(*layers)) {
    const llvm::json::Array *values = row.getAsArray();
    if (!values) {
      return createStringError(
          formatv("layer {0}: expected a list of loads", layer).str());
    }
    std::vector<double> loads;
    for (auto [expert, value] : llvm::enumerate(*values)) {
      std::optional<double> number = value.getAsNumber();
      if (!number) {
        return createStringError(
            formatv("layer {0}, expert {1}: expected a number", layer, expert)
                .str());
      }
      loads.push_back(*number);
    }
    size_t experts = layers->front().getAsArray()->size();
    if (loads.size() != experts) {
      return createStringError(
          formatv("layer {0}: expected {1} loads as in layer 0, but got {2}",
                  layer, experts, loads.size())
              .str());
    }
    if (llvm::Error error = profile.addLayer(layer, std::move(loads))) {
      return std::move(error);
    }
  }
  return profile;
}

namespace {
/// Where the columns that matter are; -1 is a column that the file lacks.
struct CsvColumns {
  int model = -1;
  int domain = -1;
  int layer = -1;
  int expert = -1;
  int count = -1;

  bool isComplete() const { return layer >= 0 && expert >= 0 && count >= 0; }
};

/// One line of the file, as far as it matters.
struct CsvRow {
  llvm::StringRef model;
  llvm::StringRef domain;
  int64_t layer = 0;
  int64_t expert = 0;
  double count = 0;
};

/// Loads summed over the selected rows, while a file is read.
struct CsvSums {
  std::map<int64_t, std::map<int64_t, double>> loads;
  std::set<std::tuple<std::string, std::string, int64_t, int64_t>> seen;
  std::set<std::string> models;
  std::set<std::string> domains;
  int64_t experts = 0;
};
} // namespace

static CsvColumns readHeader(llvm::StringRef line) {
  CsvColumns columns;
  llvm::SmallVector<llvm::StringRef> names;
  line.split(names, ',');
  for (auto [index, name] : llvm::enumerate(names)) {
    name = name.trim();
    int *column = name == "model"    ? &columns.model
                  : name == "domain" ? &columns.domain
                  : name == "layer"  ? &columns.layer
                  : name == "expert" ? &columns.expert
                  : name == "count"  ? &columns.count
                                     : nullptr;
    if (column) {
      *column = index;
    }
  }
  return columns;
}

/// Reads a whole number of at least 0 and below `limit`.
static bool readIndex(llvm::StringRef text, int64_t limit, int64_t &value) {
  return !text.getAsInteger(10, value) && value >= 0 && value < limit;
}

static llvm::Expected<CsvRow> readRow(llvm::StringRef line, int64_t number,
                                      const CsvColumns &columns) {
  llvm::SmallVector<llvm::StringRef> cells;
  line.split(cells, ',');
  auto cell = [&](int column) {
    return column >= 0 && column < static_cast<int>(cells.size())
               ? cells[column].trim()
               : llvm::StringRef();
  };
  CsvRow row;
  row.model = cell(columns.model);
  row.domain = cell(columns.domain);
  if (!readIndex(cell(columns.layer), maxExperts, row.layer)) {
    return createStringError(
        formatv("line {0}: expected a layer, but got '{1}'", number,
                cell(columns.layer))
            .str());
  }
  if (!readIndex(cell(columns.expert), maxExperts, row.expert)) {
    return createStringError(
        formatv("line {0}: expected an expert, but got '{1}'", number,
                cell(columns.expert))
            .str());
  }
  if (cell(columns.count).getAsDouble(row.count)) {
    return createStringError(
        formatv("line {0}: expected a count, but got '{1}'", number,
                cell(columns.count))
            .str());
  }
  return row;
}

/// Fails when a selected name is in no row, and lists those that are.
static llvm::Error verifyName(llvm::StringRef what, const std::string &name,
                              const std::set<std::string> &known) {
  if (name.empty() || known.count(name)) {
    return llvm::Error::success();
  }
  return createStringError(formatv("no {0} '{1}' among the loads; known: {2}",
                                   what, name, llvm::join(known, ", "))
                               .str());
}

static llvm::Error addRow(const CsvRow &row, int64_t number,
                          const LoadSelection &selection, CsvSums &sums) {
  sums.models.insert(row.model.str());
  bool isModel = selection.model.empty() || row.model == selection.model;
  if (isModel) {
    sums.domains.insert(row.domain.str());
  }
  if (!isModel ||
      (!selection.domain.empty() && row.domain != selection.domain)) {
    return llvm::Error::success();
  }
  if (!sums.seen
           .insert({row.model.str(), row.domain.str(), row.layer, row.expert})
           .second) {
    return createStringError(
        formatv("line {0}: layer {1}, expert {2} is there twice", number,
                row.layer, row.expert)
            .str());
  }
  sums.loads[row.layer][row.expert] += row.count;
  sums.experts = std::max(sums.experts, row.expert + 1);
  return llvm::Error::success();
}

llvm::Expected<LoadProfile>
LoadProfile::fromCsv(llvm::StringRef text, const LoadSelection &selection) {
  auto [header, rest] = text.split('\n');
  CsvColumns columns = readHeader(header);
  if (!columns.isComplete()) {
    return createStringError(
        formatv("line 1: expected a header with the columns 'layer', 'expert' "
                "and 'count', but got '{0}'",
                header.trim())
            .str());
  }
  CsvSums sums;
  for (int64_t number = 2; !rest.empty(); ++number) {
    llvm::StringRef line;
    std::tie(line, rest) = rest.split('\n');
    if (line.trim().empty()) {
      continue;
    }
    llvm::Expected<CsvRow> row = readRow(line, number, columns);
    if (!row) {
      return row.takeError();
    }
    if (llvm::Error error = addRow(*row, number, selection, sums)) {
      return std::move(error);
    }
  }
  if (llvm::Error error = verifyName("model", selection.model, sums.models)) {
    return std::move(error);
  }
  if (llvm::Error error =
          verifyName("domain", selection.domain, sums.domains)) {
    return std::move(error);
  }
  if (sums.loads.empty()) {
    return createStringError("expected at least one line of loads");
  }
  LoadProfile profile;
  for (const auto &[layer, counts] : sums.loads) {
    std::vector<double> loads(sums.experts);
    for (const auto &[expert, count] : counts) {
      loads[expert] = count;
    }
    if (llvm::Error error = profile.addLayer(layer, std::move(loads))) {
      return std::move(error);
    }
  }
  return profile;
}

std::vector<int64_t> LoadProfile::layers() const {
  auto known = llvm::make_first_range(loadsByLayer);
  return std::vector<int64_t>(known.begin(), known.end());
}

llvm::Expected<ExpertShares> LoadProfile::sharesOf(int64_t layer,
                                                   int64_t experts) const {
  auto found = loadsByLayer.find(layer);
  if (found == loadsByLayer.end()) {
    return ExpertShares{std::vector<double>(experts, 1.0 / experts), true};
  }
  const std::vector<double> &loads = found->second;
  if (static_cast<int64_t>(loads.size()) != experts) {
    return createStringError(
        formatv("layer {0}: expected loads of {1} experts, but got {2}", layer,
                experts, loads.size())
            .str());
  }
  double sum = std::accumulate(loads.begin(), loads.end(), 0.0);
  ExpertShares result;
  for (double load : loads) {
    result.shares.push_back(load / sum);
  }
  return result;
}
