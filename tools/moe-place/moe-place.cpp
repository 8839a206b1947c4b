// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places experts on GPUs, without the compiler: loads and a cluster in, a
// placement with its figures out.

#include "CommandLine.h"

#include "moe/PlacementTool/Tables.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::placement;

/// The whole text at once, so that an error leaves no half of it.
static llvm::Error write(llvm::StringRef path, llvm::StringRef text) {
  std::error_code code;
  llvm::raw_fd_ostream file(path, code, llvm::sys::fs::OF_Text);
  if (!code) {
    file << text;
    file.flush();
    code = file.error();
    file.clear_error();
  }
  return code ? llvm::createStringError(path + ": " + code.message())
              : llvm::Error::success();
}

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

static llvm::Expected<std::string> place(const CommandLine &line) {
  llvm::Expected<Workload> workload = readWorkload(line.workload);
  if (!workload) {
    return workload.takeError();
  }
  moe::planning::Objective objective =
      line.objective.value_or(defaultObjective(*workload));
  if (llvm::Error error = expectKnown(*workload, objective)) {
    return error;
  }
  std::vector<PlacementFile> files;
  for (moe::planning::PlacementPolicy policy : line.policies) {
    llvm::Expected<PlacementFile> file =
        placeLayers(*workload, policy, objective);
    if (!file) {
      return file.takeError();
    }
    files.push_back(std::move(*file));
  }
  if (line.format == OutputFormat::Json) {
    std::string text;
    llvm::raw_string_ostream os(text);
    writePlacements(files, os);
    return text;
  }
  return render(files.size() == 1 ? placementReport(files.front())
                                  : comparisonReport(files),
                line.format);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::Expected<CommandLine> line =
      CommandLine::parse(llvm::ArrayRef(argv, argc).drop_front());
  if (line && line->help) {
    CommandLine::printHelp();
    return 0;
  }
  llvm::Expected<std::string> text =
      line ? place(*line) : llvm::Expected<std::string>(line.takeError());
  llvm::Error error = text ? write(line->output, *text) : text.takeError();
  if (error) {
    llvm::errs() << "error: " << llvm::toString(std::move(error)) << '\n';
    return 1;
  }
  return 0;
}
