//===- ReadCsv.cpp - Loads from comma-separated values --------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/Formats/FileError.h"
#include "moe/Formats/QuotedText.h"
#include "moe/Planning/LoadProfile.h"
#include "moe/Planning/Placement.h"
#include "moe/Planning/Topology.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <set>

using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;
using moe::formats::fileError;
using moe::formats::quoted;

/// The most source ranks that a file may name.
static constexpr int64_t maxRanks = Topology::maxDevices;
/// The most loads that the lines of a file may stand for.
static constexpr int64_t maxLoads = int64_t(1) << 26;

namespace {
/// Where the columns that matter are; -1 is a column that the file lacks.
struct CsvColumns {
  int model = -1;
  int domain = -1;
  int rank = -1;
  int layer = -1;
  int expert = -1;
  int count = -1;

  bool isComplete() const { return layer >= 0 && expert >= 0 && count >= 0; }
};

/// One line of the file, as far as it matters.
struct CsvRow {
  llvm::StringRef model;
  llvm::StringRef domain;
  int64_t rank = 0;
  int64_t layer = 0;
  int64_t expert = 0;
  double count = 0;
};

/// Loads summed over the selected rows, while a file is read.
struct CsvSums {
  /// [layer][source rank][expert]
  std::map<int64_t, std::map<int64_t, std::map<int64_t, double>>> loads;
  std::set<std::tuple<std::string, std::string, int64_t, int64_t, int64_t>>
      seen;
  std::set<std::string> models;
  std::set<std::string> domains;
  int64_t ranks = 0;
  int64_t experts = 0;
};
} // namespace

static llvm::Error failAt(int64_t line, const llvm::Twine &message) {
  return fileError({"", static_cast<unsigned>(line)}, message);
}

static llvm::Expected<CsvColumns> readHeader(llvm::StringRef line) {
  CsvColumns columns;
  llvm::SmallVector<llvm::StringRef> names;
  line.split(names, ',');
  for (auto [index, name] : llvm::enumerate(names)) {
    name = name.trim();
    int *column = name == "model"    ? &columns.model
                  : name == "domain" ? &columns.domain
                  : name == "rank"   ? &columns.rank
                  : name == "layer"  ? &columns.layer
                  : name == "expert" ? &columns.expert
                  : name == "count"  ? &columns.count
                                     : nullptr;
    if (column && *column >= 0) {
      return failAt(1, "expected each column once, but got " + quoted(name) +
                           " twice");
    }
    if (column) {
      *column = index;
    }
  }
  if (!columns.isComplete()) {
    return failAt(1, "expected a header with the columns 'layer', 'expert' and "
                     "'count', but got " +
                         quoted(line.trim()));
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
  if (columns.rank >= 0 && !readIndex(cell(columns.rank), maxRanks, row.rank)) {
    return failAt(number, "expected a source rank, but got " +
                              quoted(cell(columns.rank)));
  }
  if (!readIndex(cell(columns.layer), Placement::maxExperts, row.layer)) {
    return failAt(number,
                  "expected a layer, but got " + quoted(cell(columns.layer)));
  }
  if (!readIndex(cell(columns.expert), Placement::maxExperts, row.expert)) {
    return failAt(number, "expected an expert, but got " +
                              quoted(cell(columns.expert)));
  }
  if (cell(columns.count).getAsDouble(row.count) || !std::isfinite(row.count) ||
      row.count < 0) {
    return failAt(number, "expected a finite count of at least 0, but got " +
                              quoted(cell(columns.count)));
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
           .insert({row.model.str(), row.domain.str(), row.rank, row.layer,
                    row.expert})
           .second) {
    return failAt(number,
                  formatv("expected each expert once, but got layer {0}, "
                          "expert {1} twice",
                          row.layer, row.expert));
  }
  sums.loads[row.layer][row.rank][row.expert] += row.count;
  sums.ranks = std::max(sums.ranks, row.rank + 1);
  sums.experts = std::max(sums.experts, row.expert + 1);
  return llvm::Error::success();
}

/// The sums as a profile.
static llvm::Expected<LoadProfile> addUp(const CsvSums &sums) {
  int64_t cells = sums.loads.size() * sums.ranks;
  if (cells > maxLoads / sums.experts) {
    return createStringError(
        formatv("expected at most {0} loads, but got {1} layers x {2} source "
                "ranks x {3} experts",
                maxLoads, sums.loads.size(), sums.ranks, sums.experts)
            .str());
  }
  std::vector<std::vector<std::vector<double>>> loads(
      sums.ranks, std::vector<std::vector<double>>(
                      sums.loads.size(), std::vector<double>(sums.experts)));
  std::vector<int64_t> numbers;
  for (const auto &[layer, ranks] : sums.loads) {
    for (const auto &[rank, counts] : ranks) {
      for (const auto &[expert, count] : counts) {
        loads[rank][numbers.size()][expert] = count;
      }
    }
    numbers.push_back(layer);
  }
  return LoadProfile::fromSources(std::move(loads), numbers);
}

llvm::Expected<LoadProfile>
LoadProfile::fromCsv(llvm::StringRef text, const LoadSelection &selection) {
  auto [header, rest] = text.split('\n');
  llvm::Expected<CsvColumns> columns = readHeader(header);
  if (!columns) {
    return columns.takeError();
  }
  CsvSums sums;
  for (int64_t number = 2; !rest.empty(); ++number) {
    llvm::StringRef line;
    std::tie(line, rest) = rest.split('\n');
    if (line.trim().empty()) {
      continue;
    }
    llvm::Expected<CsvRow> row = readRow(line, number, *columns);
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
  return addUp(sums);
}
