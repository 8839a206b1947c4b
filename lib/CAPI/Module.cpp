// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Module.h"

#include "moe/Analysis/FileDiagnostics.h"
#include "moe/Analysis/PlanReports.h"
#include "moe/Import/HuggingFace.h"
#include "moe/Runner/CaptureDiagnostics.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace moe::capi;
using namespace moe::runner;

std::string moe::capi::serialize(mlir::ModuleOp module, moe_format format) {
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  if (format == MOE_TEXT) {
    module.print(stream);
  } else {
    // Only an older version, which nobody asks for, can fail.
    (void)mlir::writeBytecodeToFile(module, stream);
  }
  return bytes;
}

/// Gives a module that was made to the caller, or why there is none.
static moe_diagnostic *give(mlir::OwningOpRef<mlir::ModuleOp> made,
                            const std::string &name,
                            const CaptureDiagnostics &diagnostics,
                            moe_module **module) {
  if (!made) {
    return toDiagnostic(
        diagnostics.takeError("expected a module in '" + name + "'"));
  }
  *module = new moe_module{std::move(made), name};
  return nullptr;
}

moe_diagnostic *moe_module_parse(moe_context *context, const char *data,
                                 size_t size, const char *name,
                                 moe_module **module) {
  CaptureDiagnostics diagnostics(&context->context);
  // The parser wants a zero behind the text.
  std::string bytes(data, size);
  std::string file = toString(name);
  if (mlir::failed(
          mlir::moe::checkBracketDepth(&context->context, bytes, file))) {
    return give({}, file, diagnostics, module);
  }
  return give(
      mlir::parseSourceString<mlir::ModuleOp>(bytes, &context->context, file),
      file, diagnostics, module);
}

moe_diagnostic *moe_module_import_hf_config(moe_context *context,
                                            const char *data, size_t size,
                                            const char *name,
                                            const moe_import_options *options,
                                            moe_module **module) {
  moe_import_options wanted = {};
  if (moe_diagnostic *wrong = readOptions(options, wanted)) {
    return wrong;
  }
  mlir::moe::HuggingFaceImportOptions import;
  auto set = [](int64_t value, std::optional<int64_t> &option) {
    if (value != 0) {
      option = value;
    }
  };
  set(wanted.layers, import.layers);
  set(wanted.tokens, import.tokens);
  set(wanted.sequence_length, import.sequenceLength);
  if (wanted.dtype) {
    import.dtype = wanted.dtype;
  }
  CaptureDiagnostics diagnostics(&context->context);
  std::string file = toString(name);
  return give(mlir::moe::importHuggingFaceConfig({data, size}, file, import,
                                                 &context->context),
              file, diagnostics, module);
}

/// What the parser of pipelines complains of, in one line: it prints a source
/// line and a caret after the message.
static moe_diagnostic *wrongPipeline(llvm::StringRef complaint) {
  auto [message, rest] = complaint.split('\n');
  size_t at = message.rfind("error: ");
  if (at != llvm::StringRef::npos) {
    message = message.drop_front(at + strlen("error: "));
  }
  return makeDiagnostic(MOE_WRONG_INPUT, "pipeline: " + message);
}

moe_diagnostic *moe_module_run(moe_module *module, const char *pipeline) {
  mlir::MLIRContext *context = module->module->getContext();
  CaptureDiagnostics diagnostics(context);
  mlir::PassManager manager(context);
  std::string complaint;
  llvm::raw_string_ostream stream(complaint);
  if (mlir::failed(
          mlir::parsePassPipeline(toString(pipeline), manager, stream))) {
    return wrongPipeline(complaint);
  }
  if (mlir::succeeded(manager.run(*module->module))) {
    return nullptr;
  }
  return toDiagnostic(
      diagnostics.takeError("a pass failed without saying why"));
}

moe_diagnostic *moe_module_write(const moe_module *module, moe_format format,
                                 moe_text **text) {
  if (format != MOE_TEXT && format != MOE_BYTECODE) {
    return makeDiagnostic(MOE_WRONG_INPUT,
                          "expected MOE_TEXT or MOE_BYTECODE, but got " +
                              llvm::Twine(format));
  }
  *text = new moe_text{serialize(module->module.get(), format)};
  return nullptr;
}

moe_diagnostic *moe_module_report(const moe_module *module, moe_report report,
                                  moe_text **json) {
  if (report != MOE_REPORT_PLACEMENT && report != MOE_REPORT_TRAFFIC) {
    return makeDiagnostic(
        MOE_WRONG_INPUT,
        "expected MOE_REPORT_PLACEMENT or MOE_REPORT_TRAFFIC, but got " +
            llvm::Twine(report));
  }
  mlir::ModuleOp op = module->module.get();
  CaptureDiagnostics diagnostics(op.getContext());
  mlir::FailureOr<moe::report::Report> made =
      report == MOE_REPORT_PLACEMENT
          ? mlir::moe::makePlacementReport(
                op, mlir::moe::PlacementReportOptions::forScripts())
          : mlir::moe::makeTrafficReport(op);
  if (mlir::failed(made)) {
    return toDiagnostic(diagnostics.takeError("the plan cannot be read"));
  }
  *json = new moe_text();
  llvm::raw_string_ostream stream((*json)->bytes);
  moe::report::renderJson(*made, stream);
  return nullptr;
}

void moe_module_destroy(moe_module *module) { delete module; }
