// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes that print reports; what they say is in Analysis/PlanReports.

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/PlanAttributes.h"
#include "moe/Analysis/PlanFacts.h"
#include "moe/Analysis/PlanReports.h"
#include "moe/Formats/OutputFile.h"
#include "moe/Report/TopologyReport.h"
#include "moe/Transforms/Plan/Passes.h"
#include "moe/Transforms/ReportingPass.h"

#include "mlir/Pass/PassManager.h"

namespace mlir::moe {
#define GEN_PASS_DEF_PRINTPLACEMENTPASS
#define GEN_PASS_DEF_PRINTTOPOLOGYPASS
#define GEN_PASS_DEF_PRINTTRAFFICPASS
#include "moe/Transforms/Plan/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;
namespace report = ::moe::report;

/// Lets `write` fill a pass' output.
static LogicalResult
writeOutput(ModuleOp module, StringRef output,
            llvm::function_ref<void(raw_ostream &)> write) {
  llvm::Error error = ::moe::formats::writeFile(output, write);
  return error ? emitFileError(module.getContext(), std::move(error))
               : success();
}

/// Writes a report in one of the formats.
static LogicalResult writeReport(ModuleOp module, const report::Report &report,
                                 StringRef format, StringRef output) {
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

/// Writes a drawing, as DOT or SVG.
static LogicalResult writeDrawing(ModuleOp module,
                                  const report::Drawing &drawing,
                                  StringRef format, StringRef output) {
  return writeOutput(module, output, [&](raw_ostream &os) {
    format == "dot" ? report::renderDot(drawing, os)
                    : report::renderSvg(drawing, os);
  });
}

static bool isDrawing(StringRef format) {
  return format == "dot" || format == "svg";
}

/// Fails on a format that plans are not printed in.
static LogicalResult verifyFormat(ModuleOp module, StringRef format) {
  if (format == "text" || format == "json" || format == "html" ||
      isDrawing(format)) {
    return success();
  }
  return emitOptionError(module.getContext(),
                         "expected a format of text, json, html, "
                         "dot or svg, but got '")
         << format << "'";
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
  if (isDrawing(format)) {
    return writeDrawing(module, report::topologyDrawing(name, *topology),
                        format, output);
  }
  if (format != "text" && format != "json") {
    return emitOptionError(
               module.getContext(),
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
    if (failed(print(getOperation()))) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }

private:
  LogicalResult print(ModuleOp module) {
    if (!(memoryGib >= 0) || sequences < 0 || context < 0) {
      return emitOptionError(module.getContext(),
                             "expected memory, sequences and a "
                             "context of at least 0");
    }
    if (failed(verifyFormat(module, format))) {
      return failure();
    }
    if (isDrawing(format)) {
      FailureOr<report::Drawing> drawing = makePlacementDrawing(module);
      return failed(drawing) ? failure()
                             : writeDrawing(module, *drawing, format, output);
    }
    PlacementReportOptions options = format == "json"
                                         ? PlacementReportOptions::forScripts()
                                         : PlacementReportOptions();
    options.memoryGib = memoryGib;
    options.cache = {sequences, context};
    if (all) {
      options.showAll();
    }
    FailureOr<report::Report> made = format == "html"
                                         ? makePlacementPage(module, options)
                                         : makePlacementReport(module, options);
    return failed(made) ? failure()
                        : writeReport(module, *made, format, output);
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
    if (failed(print(getOperation()))) {
      signalPassFailure();
    }
    markAllAnalysesPreserved();
  }

private:
  LogicalResult print(ModuleOp module) {
    if (failed(verifyFormat(module, format))) {
      return failure();
    }
    if (isDrawing(format)) {
      FailureOr<report::Drawing> drawing = makeTrafficDrawing(module);
      return failed(drawing) ? failure()
                             : writeDrawing(module, *drawing, format, output);
    }
    FailureOr<report::Report> made =
        format == "html" ? makeTrafficPage(module) : makeTrafficReport(module);
    return failed(made) ? failure()
                        : writeReport(module, *made, format, output);
  }
};
} // namespace

bool mlir::moe::printsReport(OpPassManager &manager) {
  return llvm::any_of(manager.getPasses(), [](Pass &pass) {
    auto *reporting = dynamic_cast<ReportingPass *>(&pass);
    return reporting && reporting->getOutput() == "-";
  });
}
