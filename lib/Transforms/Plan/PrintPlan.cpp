// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that print reports; what they say is in Analysis/PlanReports.

#include "moe/Analysis/PlanReports.h"
#include "moe/Transforms/Plan/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mlir::moe {
#define GEN_PASS_DEF_PRINTPLACEMENTPASS
#define GEN_PASS_DEF_PRINTTRAFFICPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace report = ::moe::report;

namespace {
/// What all passes that print share.
class ReportingPass {
public:
  virtual ~ReportingPass() = default;
  virtual StringRef getOutput() const = 0;
};
} // namespace

/// Writes a report; failures are errors of the module.
static LogicalResult writeReport(ModuleOp module, const report::Report &report,
                                 StringRef format, StringRef output) {
  if (format != "text" && format != "json") {
    return emitError(module.getLoc(), "expected a format of text or json, but "
                                      "got '")
           << format << "'";
  }
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(output, &message);
  if (!file) {
    return emitError(module.getLoc(), message);
  }
  if (format == "json") {
    report::renderJson(report, file->os());
  } else {
    report::renderText(report, file->os());
  }
  file->keep();
  return success();
}

namespace {
class PrintPlacementPass
    : public mlir::moe::impl::PrintPlacementPassBase<PrintPlacementPass>,
      public ReportingPass {
public:
  using PrintPlacementPassBase::PrintPlacementPassBase;

  StringRef getOutput() const override { return output; }

  void runOnOperation() override {
    FailureOr<report::Report> made = makePlacementReport(getOperation());
    if (failed(made) ||
        failed(writeReport(getOperation(), *made, format, output))) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};

class PrintTrafficPass
    : public mlir::moe::impl::PrintTrafficPassBase<PrintTrafficPass>,
      public ReportingPass {
public:
  using PrintTrafficPassBase::PrintTrafficPassBase;

  StringRef getOutput() const override { return output; }

  void runOnOperation() override {
    FailureOr<report::Report> made = makeTrafficReport(getOperation());
    if (failed(made) ||
        failed(writeReport(getOperation(), *made, format, output))) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};
} // namespace

bool mlir::moe::printsReport(OpPassManager &manager) {
  return llvm::any_of(manager.getPasses(), [](Pass &pass) {
    auto *reporting = dynamic_cast<ReportingPass *>(&pass);
    return reporting && reporting->getOutput() == "-";
  });
}
