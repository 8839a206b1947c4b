//===- Page.cpp - A placement as a page -----------------------------------===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "moe/PlacementTool/Page.h"
#include "TableCells.h"
#include "moe/PlacementTool/PlaceLayers.h"
#include "moe/PlacementTool/Tables.h"
#include "moe/Report/PlacementReport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace moe::placement;
using namespace moe::planning;
using llvm::createStringError;
using llvm::formatv;
namespace report = moe::report;

static llvm::Expected<Placement> executable(const LayerWork &work,
                                            const LayerEntry &entry) {
  // The other placement may have other slots than the problem.
  PlacementProblem problem = work.problem;
  for (auto [rank, slots] : llvm::enumerate(problem.slotsByRank)) {
    slots = entry.data.expertsByRank[rank].size();
  }
  llvm::Expected<Placement> placement =
      executablePlacement(problem, entry.data);
  return placement
             ? std::move(placement)
             : createStringError(formatv("layer {0}: {1}", work.layer,
                                         llvm::toString(placement.takeError()))
                                     .str());
}

/// The bound over the mean load; the argument is of the load's bound only where
/// that is the objective.
static report::BoundFigure boundOf(const LayerWork &work) {
  LowerBound bound = loadBound(work.problem);
  double sum = 0;
  for (double load : work.problem.loads) {
    sum += load;
  }
  return {bound.value * double(work.problem.ranks()) / sum, bound.argument};
}

static ExpertShares toShares(const LayerWork &work) {
  ExpertShares shares;
  shares.isAssumedUniform = work.isAssumedUniform;
  double sum = 0;
  for (double load : work.problem.loads) {
    sum += load;
  }
  auto normalize = [&](std::vector<double> loads) {
    for (double &load : loads) {
      load /= sum;
    }
    return loads;
  };
  shares.shares = normalize(work.problem.loads);
  for (const std::vector<double> &source : work.problem.loadsBySource) {
    shares.bySource.push_back(normalize(source));
  }
  return shares;
}

static std::string nameOf(const PlacementFile &file, llvm::StringRef other) {
  return file.policy.empty() ? other.str() : file.policy;
}

static llvm::Expected<report::PlacedModel> toModel(const Workload &workload,
                                                   const PlacementFile &before,
                                                   const PlacementFile &after) {
  report::PlacedModel model;
  model.beforeName = nameOf(before, "before");
  model.afterName = nameOf(after, "after");
  if (model.beforeName == model.afterName) {
    model.beforeName += " before";
    model.afterName += " after";
  }
  model.title = formatv("{0} experts on {1} GPUs: {2}", workload.experts(),
                        workload.gpus(), model.afterName);
  model.topology = workload.topology.get();
  model.constants = workload.constants;
  model.tokens = workload.knowsBytes() ? workload.facts.tokens : 0;
  model.choices = std::max<int64_t>(workload.facts.choices, 1);
  model.rowBytes = (workload.dispatchRowBytes + workload.combineRowBytes) / 2;
  for (auto [work, old, now] :
       llvm::zip(workload.layers, before.layers, after.layers)) {
    llvm::Expected<Placement> was = executable(work, old);
    if (!was) {
      return was.takeError();
    }
    llvm::Expected<Placement> is = executable(work, now);
    if (!is) {
      return is.takeError();
    }
    model.layers.push_back({formatv("layer {0}", work.layer), 1, std::move(*is),
                            std::move(*was), toShares(work), boundOf(work)});
  }
  return model;
}

/// What the placement comes to, in one sentence.
static std::string summarize(const PlacementFile &file) {
  double balance = 0, gap = 0, time = 0;
  bool isTimed = true;
  for (const LayerEntry &entry : file.layers) {
    double part = 1 / double(file.layers.size());
    balance += entry.figures.maxOverMean.value_or(0) * part;
    gap += entry.figures.gap.value_or(0) * part;
    std::optional<double> own = stepTime(entry.figures);
    isTimed = isTimed && own;
    time += own.value_or(0);
  }
  std::string text =
      formatv("{0}: the heaviest GPU has {1:F2} of the mean load, as the "
              "layers' mean",
              nameOf(file, "placement"), balance);
  if (isTimed) {
    text += formatv("; {0} for the exchanges and experts of a step",
                    report::formatTime(time))
                .str();
  }
  return text + formatv("; {0:F1} % above the proved bound of its objective",
                        gap * 100)
                    .str();
}

llvm::Expected<report::Report> moe::placement::placementPage(
    const Workload &workload, const PlacementFile &before,
    const PlacementFile &after, llvm::ArrayRef<PlacementFile> others) {
  llvm::Expected<report::PlacedModel> model = toModel(workload, before, after);
  if (!model) {
    return model.takeError();
  }
  report::Report page = report::placementPage(*model);
  std::vector<std::string> summary = {summarize(after),
                                      "objective: " + after.objective};
  page.notes.insert(page.notes.begin(), summary.begin(), summary.end());
  llvm::append_range(page.notes, after.notes);
  if (others.size() > 1) {
    page.tables.insert(page.tables.begin(), policiesTable(others));
    page.leadingTables = 1;
  }
  return page;
}

llvm::Expected<report::Report>
moe::placement::migrationPage(const PlacementDiff &diff) {
  llvm::Expected<report::Report> page =
      placementPage(diff.workload, diff.before, diff.after, {});
  if (!page) {
    return page;
  }
  report::Report moves = diffReport(diff);
  page->title = moves.title;
  page->notes.insert(page->notes.begin(), moves.notes.begin(),
                     moves.notes.end());
  page->tables.insert(page->tables.begin(), moves.tables.begin(),
                      moves.tables.end());
  page->leadingTables = moves.tables.size();
  return page;
}

std::vector<PlacementFile>
moe::placement::placeByOthers(const Workload &workload, Objective objective,
                              llvm::StringRef policy,
                              std::vector<std::string> &notes) {
  std::vector<PlacementFile> files;
  for (PlacementPolicy other :
       {PlacementPolicy::Contiguous, PlacementPolicy::RoundRobin,
        PlacementPolicy::Eplb, PlacementPolicy::Joint}) {
    if (toString(other) == policy) {
      continue;
    }
    llvm::Expected<PlacementFile> file =
        placeLayers(workload, other, objective);
    if (file) {
      files.push_back(std::move(*file));
    } else {
      notes.push_back("not compared: " + llvm::toString(file.takeError()));
    }
  }
  return files;
}
