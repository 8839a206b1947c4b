//===- VerifyFile.cpp - Do a placement and its figures hold ---------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/VerifyFile.h"
#include "moe/PlacementTool/PlaceLayers.h"
#include "moe/Report/Progress.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;

static llvm::Error failAt(llvm::StringRef path, int64_t layer,
                          const llvm::Twine &message) {
  return createStringError(path + ": layer " + llvm::Twine(layer) + ": " +
                           message);
}

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// `logcnt` and `log2phy` against the slots; replicas in any order.
static llvm::Error verifyStated(const LayerEntry &entry, llvm::StringRef path) {
  std::vector<int64_t> counts = logcnt(entry.data);
  if (entry.statedLogcnt) {
    for (auto [expert, count] : llvm::enumerate(counts)) {
      int64_t stated = (*entry.statedLogcnt)[expert];
      if (stated != count) {
        return failAt(path, entry.layer,
                      formatv("logcnt[{0}]: expected {1}, the number of slots "
                              "that hold the expert, but got {2}",
                              expert, count, stated));
      }
    }
  }
  if (!entry.statedLog2phy) {
    return llvm::Error::success();
  }
  std::vector<std::vector<int64_t>> slots = log2phy(entry.data);
  for (auto [expert, list] : llvm::enumerate(*entry.statedLog2phy)) {
    std::vector<int64_t> stated = list, held;
    llvm::erase(stated, -1);
    llvm::sort(stated);
    if (expert < slots.size()) {
      held = slots[expert];
      llvm::erase(held, -1);
    }
    if (stated != held) {
      return failAt(path, entry.layer,
                    formatv("log2phy[{0}]: expected the slots [{1:$[, ]}] that "
                            "hold the expert, but got [{2:$[, ]}]",
                            expert, llvm::make_range(held.begin(), held.end()),
                            llvm::make_range(stated.begin(), stated.end())));
    }
  }
  return llvm::Error::success();
}

llvm::Error moe::placement::verifyLists(const PlacementFile &file,
                                        llvm::StringRef path,
                                        std::vector<std::string> &warnings) {
  for (const LayerEntry &entry : file.layers) {
    if (entry.statedLogcnt &&
        int64_t(entry.statedLogcnt->size()) != entry.data.expertCount) {
      return failAt(path, entry.layer,
                    formatv("logcnt: expected {0} experts, but got {1}",
                            entry.data.expertCount,
                            entry.statedLogcnt->size()));
    }
    PlacementData merged = entry.data;
    for (const std::string &duplicate : mergeDuplicates(merged)) {
      warnings.push_back(
          formatv("layer {0}: {1}: the second copy wastes memory", entry.layer,
                  duplicate));
    }
    if (llvm::Error error = verify(merged)) {
      return failAt(path, entry.layer, llvm::toString(std::move(error)));
    }
    if (llvm::Error error = verifyStated(entry, path)) {
      return error;
    }
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// The workload
//===----------------------------------------------------------------------===//

/// The file's number where the user gives none. Fails where both do and
/// disagree.
static llvm::Error fill(llvm::StringRef path, llvm::StringRef flag,
                        int64_t stated, int64_t &said) {
  if (said != 0 && stated != 0 && said != stated) {
    return createStringError(
        formatv("{0}: expected {1} {2}, as {3} says, but got {4}", path,
                flag.drop_front(2), said, flag, stated)
            .str());
  }
  said = said != 0 ? said : stated;
  return llvm::Error::success();
}

llvm::Expected<Workload> moe::placement::workloadOf(const PlacementFile &file,
                                                    llvm::StringRef path,
                                                    WorkloadOptions options) {
  const ProblemFacts &stated = file.problem;
  int64_t experts = file.experts(), gpus = file.gpus();
  if (llvm::Error error = fill(path, "--gpus", gpus, options.gpus)) {
    return std::move(error);
  }
  if (llvm::Error error = fill(path, "--experts", experts, options.experts)) {
    return std::move(error);
  }
  if (llvm::Error error = fill(path, "--nodes", stated.nodes, options.nodes)) {
    return std::move(error);
  }
  // What it is asked to serve may differ from what it was made for.
  options.tokens = options.tokens ? options.tokens : stated.tokens;
  options.choices = options.choices ? options.choices : stated.choices;
  options.hidden = options.hidden ? options.hidden : stated.hidden;
  options.dtype = options.dtype.empty() ? stated.dtype : options.dtype;
  options.groups = options.groups > 1 ? options.groups : stated.groups;
  options.layers.clear();
  for (const LayerEntry &entry : file.layers) {
    options.layers.push_back(entry.layer);
  }
  llvm::Expected<Workload> workload = readWorkload(options);
  if (!workload) {
    return workload.takeError();
  }
  for (auto [work, entry] : llvm::zip(workload->layers, file.layers)) {
    if (entry.data.expertCount != experts) {
      return failAt(path, entry.layer,
                    formatv("expected {0} experts as in layer {1}, but got {2}",
                            experts, file.layers.front().layer,
                            entry.data.expertCount));
    }
    if (options.loads.empty() && !entry.expertLoad.empty()) {
      if (int64_t(entry.expertLoad.size()) != experts) {
        return failAt(path, entry.layer,
                      formatv("expert_load: expected {0} loads, but got {1}",
                              experts, entry.expertLoad.size()));
      }
      work.problem.loads = entry.expertLoad;
      work.isAssumedUniform = false;
    }
    for (auto [rank, slots] : llvm::enumerate(work.problem.slotsByRank)) {
      slots = entry.data.expertsByRank[rank].size();
    }
    if (llvm::Error error = verify(work.problem)) {
      return failAt(path, entry.layer, llvm::toString(std::move(error)));
    }
  }
  if (options.loads.empty() &&
      llvm::all_of(file.layers, [](const LayerEntry &entry) {
        return !entry.expertLoad.empty();
      })) {
    workload->notes = {"loads are those that " + path.str() + " states"};
  }
  return workload;
}

//===----------------------------------------------------------------------===//
// Figures
//===----------------------------------------------------------------------===//

llvm::Expected<PlacementFile>
moe::placement::recount(const PlacementFile &file, llvm::StringRef path,
                        const Workload &workload) {
  // Times that nobody can count are left out, with what rests on them.
  bool isAboutTime = file.objective.empty()
                         ? workload.knowsTimes()
                         : file.objective == toString(Objective::Time);
  bool isTimed = isAboutTime && workload.knowsTimes();
  Objective objective = isTimed ? Objective::Time : Objective::Load;
  PlacementFile counted = makeFile(workload, file.policy, objective);
  counted.objective =
      file.objective.empty() ? counted.objective : file.objective;
  moe::report::Progress progress("counting layer");
  for (auto [work, entry] : llvm::zip(workload.layers, file.layers)) {
    progress.update(counted.layers.size(), file.layers.size());
    llvm::Expected<PlacementFigures> figures =
        auditPlacement(work.problem, entry.data);
    if (!figures) {
      return failAt(path, entry.layer, llvm::toString(figures.takeError()));
    }
    PlacementResult result;
    result.data = entry.data;
    result.objective = objective;
    result.loads = std::move(figures->loads);
    result.loadBetweenNodes = figures->loadBetweenNodes;
    result.time = std::move(figures->time);
    addBounds(work.problem, objective, result);
    counted.layers.push_back(makeEntry(workload, work, result));
    LayerEntry &last = counted.layers.back();
    last.notes = entry.notes;
    if (isAboutTime && !isTimed) {
      last.figures.gap.reset();
      last.boundArgument = entry.boundArgument;
    }
  }
  return counted;
}

/// Whether two counts of one thing agree, as far as sums may round.
static bool agree(double stated, double counted) {
  constexpr double relative = 1e-6, absolute = 1e-9;
  return std::abs(stated - counted) <= relative * std::abs(counted) + absolute;
}

/// As precise as people compare numbers.
static std::string print(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.10g", value);
  return text;
}

/// Lists of numbers: `gpu_load`, `expert_load`.
static llvm::Error compareLists(llvm::StringRef field,
                                llvm::ArrayRef<double> stated,
                                llvm::ArrayRef<double> counted) {
  if (stated.empty() || counted.empty()) {
    return llvm::Error::success();
  }
  if (stated.size() != counted.size()) {
    return createStringError(formatv("{0}: expected {1} loads, but got {2}",
                                     field, counted.size(), stated.size())
                                 .str());
  }
  for (auto [index, value] : llvm::enumerate(stated)) {
    if (!agree(value, counted[index])) {
      return createStringError(formatv("{0}[{1}]: expected {2}, but got {3}",
                                       field, index, print(counted[index]),
                                       print(value))
                                   .str());
    }
  }
  return llvm::Error::success();
}

static llvm::Error compareLayer(const LayerEntry &stated,
                                const LayerEntry &counted) {
  if (llvm::Error error =
          compareLists("expert_load", stated.expertLoad, counted.expertLoad)) {
    return error;
  }
  if (llvm::Error error = compareLists("gpu_load", stated.figures.gpuLoad,
                                       counted.figures.gpuLoad)) {
    return error;
  }
  for (const FigureName &figure : figureNames()) {
    const std::optional<double> &value = stated.figures.*figure.member;
    const std::optional<double> &expected = counted.figures.*figure.member;
    if (value && expected && !agree(*value, *expected)) {
      return createStringError(formatv("{0}: expected {1}, but got {2}",
                                       figure.key, print(*expected),
                                       print(*value))
                                   .str());
    }
  }
  return llvm::Error::success();
}

llvm::Error moe::placement::compareFigures(const PlacementFile &file,
                                           llvm::StringRef path,
                                           const PlacementFile &counted) {
  for (auto [stated, other] : llvm::zip(file.layers, counted.layers)) {
    if (llvm::Error error = compareLayer(stated, other)) {
      return failAt(path, stated.layer, llvm::toString(std::move(error)));
    }
  }
  return llvm::Error::success();
}

llvm::Expected<PlacementFile>
moe::placement::verifyFile(const PlacementFile &file, llvm::StringRef path,
                           const WorkloadOptions &options) {
  std::vector<std::string> warnings;
  if (llvm::Error error = verifyLists(file, path, warnings)) {
    return std::move(error);
  }
  llvm::Expected<Workload> workload = workloadOf(file, path, options);
  if (!workload) {
    return workload.takeError();
  }
  llvm::Expected<PlacementFile> counted = recount(file, path, *workload);
  if (!counted) {
    return counted.takeError();
  }
  if (llvm::Error error = compareFigures(file, path, *counted)) {
    return std::move(error);
  }
  llvm::append_range(counted->notes, warnings);
  return counted;
}
