// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places experts on GPUs, without the compiler: loads and a cluster in, a
// placement with its figures out.

#include "CommandLine.h"

#include "moe/Formats/OutputFile.h"
#include "moe/PlacementFiles/EngineFormats.h"
#include "moe/PlacementTool/Page.h"
#include "moe/PlacementTool/Tables.h"
#include "moe/PlacementTool/VerifyFile.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::placement;
using moe::planning::Objective;

static std::string render(const moe::report::Report &report,
                          OutputFormat format) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (format == OutputFormat::Html) {
    moe::report::renderHtml(report, os);
  } else if (format == OutputFormat::Json) {
    moe::report::renderJson(report, os);
  } else {
    moe::report::renderText(report, os);
  }
  return text;
}

static std::string renderFiles(llvm::ArrayRef<PlacementFile> files,
                               llvm::ArrayRef<ExtraKey> extras = {}) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (files.size() == 1) {
    writePlacement(files.front(), os, extras);
  } else {
    writePlacements(files, os);
  }
  return text;
}

/// The objective of the user, or what is known.
static llvm::Expected<Objective> chooseObjective(const CommandLine &line,
                                                 const Workload &workload) {
  Objective objective = line.objective.value_or(defaultObjective(workload));
  if (llvm::Error error = expectKnown(workload, objective)) {
    return std::move(error);
  }
  return objective;
}

/// The last of the placements beside the first; a single one beside those of
/// the other policies.
static llvm::Expected<std::string>
renderPage(const Workload &workload, Objective objective,
           std::vector<PlacementFile> files) {
  std::vector<std::string> notes;
  if (files.size() == 1) {
    std::vector<PlacementFile> others =
        placeByOthers(workload, objective, files.front().policy, notes);
    files.insert(files.begin(), others.begin(), others.end());
  }
  llvm::Expected<moe::report::Report> page =
      placementPage(workload, files.front(), files.back(), files);
  if (!page) {
    return page.takeError();
  }
  page->notes.insert(page->notes.end(), notes.begin(), notes.end());
  return render(*page, OutputFormat::Html);
}

static llvm::Expected<std::string> place(const CommandLine &line) {
  llvm::Expected<Workload> workload = readWorkload(line.workload);
  if (!workload) {
    return workload.takeError();
  }
  llvm::Expected<Objective> objective = chooseObjective(line, *workload);
  if (!objective) {
    return objective.takeError();
  }
  std::vector<PlacementFile> files;
  for (moe::planning::PlacementPolicy policy : line.policies) {
    llvm::Expected<PlacementFile> file =
        placeLayers(*workload, policy, *objective);
    if (!file) {
      return file.takeError();
    }
    files.push_back(std::move(*file));
  }
  if (line.format == OutputFormat::Json) {
    return renderFiles(files);
  }
  if (line.format == OutputFormat::Html) {
    return renderPage(*workload, *objective, std::move(files));
  }
  return render(files.size() == 1 ? placementReport(files.front())
                                  : comparisonReport(files),
                line.format);
}

/// A placement that a flag names.
static llvm::Expected<PlacementFile> open(const CommandLine &line,
                                          size_t index) {
  ReaderFacts facts;
  facts.gpus = line.workload.gpus;
  facts.nodes = line.workload.nodes;
  facts.experts = line.workload.experts;
  return openPlacement(line.files[index], facts);
}

static llvm::Expected<std::string> verify(const CommandLine &line) {
  llvm::Expected<PlacementFile> file = open(line, 0);
  if (!file) {
    return file.takeError();
  }
  llvm::Expected<PlacementFile> counted =
      verifyFile(*file, line.files.front(), line.workload);
  if (!counted) {
    return counted.takeError();
  }
  return line.format == OutputFormat::Json
             ? renderFiles(*counted)
             : render(verificationReport(*counted, line.files.front()),
                      line.format);
}

static llvm::Expected<std::string> renderDiff(const PlacementDiff &diff,
                                              OutputFormat format) {
  if (format == OutputFormat::Json) {
    return renderFiles(diff.after, {{"migration", toJson(diff)}});
  }
  if (format == OutputFormat::Text) {
    return render(diffReport(diff), format);
  }
  llvm::Expected<moe::report::Report> page = migrationPage(diff);
  return page ? render(*page, format)
              : llvm::Expected<std::string>(page.takeError());
}

static llvm::Expected<std::string> compare(const CommandLine &line) {
  llvm::Expected<PlacementFile> before = open(line, 0);
  if (!before) {
    return before.takeError();
  }
  llvm::Expected<PlacementFile> after = open(line, 1);
  if (!after) {
    return after.takeError();
  }
  llvm::Expected<PlacementDiff> diff = diffPlacements(
      {*before, line.files[0]}, {*after, line.files[1]}, line.workload);
  if (!diff) {
    return diff.takeError();
  }
  return renderDiff(*diff, line.format);
}

static llvm::Expected<std::string> rebalance(const CommandLine &line) {
  llvm::Expected<PlacementFile> previous = open(line, 0);
  if (!previous) {
    return previous.takeError();
  }
  std::vector<std::string> warnings;
  if (llvm::Error error =
          verifyLists(*previous, line.files.front(), warnings)) {
    return std::move(error);
  }
  llvm::Expected<Workload> workload =
      workloadOf(*previous, line.files.front(), line.workload);
  if (!workload) {
    return workload.takeError();
  }
  llvm::Expected<Objective> objective = chooseObjective(line, *workload);
  if (!objective) {
    return objective.takeError();
  }
  llvm::Expected<PlacementDiff> diff = rebalancePlacement(
      {*previous, line.files.front()}, line.budget, *objective, *workload);
  if (!diff) {
    return diff.takeError();
  }
  diff->notes = std::move(warnings);
  return renderDiff(*diff, line.format);
}

static llvm::Expected<std::string> report(const CommandLine &line) {
  llvm::Expected<moe::report::Report> report =
      planReport(line.workload, line.planner);
  if (!report) {
    return report.takeError();
  }
  return render(*report, line.format);
}

static llvm::Expected<std::string> run(const CommandLine &line) {
  switch (line.task) {
  case Task::Place:
    return place(line);
  case Task::Verify:
    return verify(line);
  case Task::Diff:
    return compare(line);
  case Task::Rebalance:
    return rebalance(line);
  case Task::Report:
    return report(line);
  }
  llvm_unreachable("unknown task");
}

/// The whole text is written at once, so that an error leaves no half of it.
static llvm::Error run(llvm::ArrayRef<const char *> words) {
  llvm::Expected<CommandLine> line = CommandLine::parse(words);
  if (!line) {
    return line.takeError();
  }
  if (line->help) {
    return moe::formats::writeFile("-", CommandLine::printHelp);
  }
  if (llvm::Error error = moe::formats::expectWritable(line->output)) {
    return error;
  }
  llvm::Expected<std::string> text = run(*line);
  if (!text) {
    return text.takeError();
  }
  return moe::formats::writeFile(line->output,
                                 [&](llvm::raw_ostream &os) { os << *text; });
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  if (llvm::Error error = run(llvm::ArrayRef(argv, argc).drop_front())) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
