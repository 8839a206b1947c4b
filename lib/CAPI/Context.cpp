// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Module.h"

#include "moe/Registration.h"
#include "moe/Runner/CaptureDiagnostics.h"

#include <mutex>

using namespace moe::capi;
using namespace moe::runner;

static mlir::MLIRContext::Threading
threadingOf(const moe_context_options &options) {
  return options.single_threaded ? mlir::MLIRContext::Threading::DISABLED
                                 : mlir::MLIRContext::Threading::ENABLED;
}

moe_context::moe_context(const moe_context_options &options,
                         const mlir::DialectRegistry &registry)
    : context(registry, threadingOf(options)) {
  context.printOpOnDiagnostic(false);
  // Errors are caught where they are caused; without a handler, MLIR would
  // print what is left.
  context.getDiagEngine().registerHandler(
      [options](mlir::Diagnostic &diagnostic) {
        if (options.listener) {
          moe_diagnostic heard(MOE_OK, toSourceDiagnostic(diagnostic));
          options.listener(options.listener_state, &heard);
        }
        return mlir::success();
      });
}

/// Pipelines are looked up in one registry of the process.
static void registerPassesOnce() {
  static std::once_flag registered;
  std::call_once(registered, mlir::moe::registerAllPasses);
}

moe_diagnostic *moe_context_create(const moe_context_options *options,
                                   moe_context **context) {
  moe_context_options wanted = {};
  if (moe_diagnostic *wrong = readOptions(options, wanted)) {
    return wrong;
  }
  registerPassesOnce();
  mlir::DialectRegistry registry;
  mlir::moe::registerAllDialects(registry);
  *context = new moe_context(wanted, registry);
  return nullptr;
}

void moe_context_destroy(moe_context *context) { delete context; }
