// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that print reports; what they say is in Analysis/PlanReports.

#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Analysis/PlanReports.h"
#include "moe/Report/TopologyReport.h"
#include "moe/Transforms/Plan/Passes.h"
#include "moe/Transforms/ReportingPass.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/ToolOutputFile.h"

namespace mlir::moe {
#define GEN_PASS_DEF_PRINTPLACEMENTPASS
#define GEN_PASS_DEF_PRINTTOPOLOGYPASS
#define GEN_PASS_DEF_PRINTTRAFFICPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace report = ::moe::report;

/// Opens a pass' output and lets `write` fill it; failures are errors of the
/// module.
static LogicalResult
writeOutput(ModuleOp module, StringRef output,
            llvm::function_ref<void(raw_ostream &)> write) {
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> file = openOutputFile(output, &message);
  if (!file) {
    return emitError(module.getLoc(), message);
  }
  write(file->os());
  file->keep();
  return success();
}

/// Writes a report; failures are errors of the module.
static LogicalResult writeReport(ModuleOp module, const report::Report &report,
                                 StringRef format, StringRef output) {
  if (format != "text" && format != "json" && format != "html") {
    return emitError(module.getLoc(), "expected a format of text, json or "
                                      "html, but got '")
           << format << "'";
  }
  return writeOutput(module, output, [&](raw_ostream &os) {
    if (format == "json") {
      report::renderJson(report, os);
    } else if (format == "html") {
      report::renderHtml(report, os);
    } else {
      report::renderText(report, os);
    }
  });
}

/// Writes the module's topology in one of the formats.
static LogicalResult writeTopology(ModuleOp module, StringRef format,
                                   StringRef output) {
  FailureOr<comm::TopologyOp> op = findTopology(module);
  if (failed(op)) {
    return failure();
  }
  if (!*op) {
    return emitError(module.getLoc(), "expected a comm.topology; run "
                                      "moe-attach-topology");
  }
  llvm::Expected<::moe::planning::Topology> topology = toPlanning(*op);
  if (!topology) {
    return (*op).emitOpError() << llvm::toString(topology.takeError());
  }
  StringRef name = (*op).getSymName();
  if (format == "dot" || format == "svg") {
    report::Drawing drawing = report::topologyDrawing(name, *topology);
    return writeOutput(module, output, [&](raw_ostream &os) {
      format == "dot" ? report::renderDot(drawing, os)
                      : report::renderSvg(drawing, os);
    });
  }
  if (format != "text" && format != "json") {
    return emitError(module.getLoc(),
                     "expected a format of text, json, dot or svg, but got '")
           << format << "'";
  }
  return writeReport(module,
                     report::topologyReport(
                         name, *topology,
                         format == "json" ? report::TopologyDetail::ForScripts
                                          : report::TopologyDetail::ForPeople),
                     format, output);
}

namespace {
class PrintPlacementPass
    : public mlir::moe::impl::PrintPlacementPassBase<PrintPlacementPass>,
      public ReportingPass {
public:
  using PrintPlacementPassBase::PrintPlacementPassBase;

  StringRef getOutput() const override { return output; }

  void runOnOperation() override {
    FailureOr<report::Report> made = format == "html"
                                         ? makePlacementPage(getOperation())
                                         : makePlacementReport(getOperation());
    if (failed(made) ||
        failed(writeReport(getOperation(), *made, format, output))) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }
};

class PrintTopologyPass
    : public mlir::moe::impl::PrintTopologyPassBase<PrintTopologyPass>,
      public ReportingPass {
public:
  using PrintTopologyPassBase::PrintTopologyPassBase;

  StringRef getOutput() const override { return output; }

  void runOnOperation() override {
    if (failed(writeTopology(getOperation(), format, output))) {
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
    FailureOr<report::Report> made = format == "html"
                                         ? makeTrafficPage(getOperation())
                                         : makeTrafficReport(getOperation());
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
