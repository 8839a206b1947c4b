// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a layer of a model, or the function of a module, into a bundle,
// which moe-run runs without the compiler.

#include "FlagTable.h"
#include "FlagValues.h"

#include "moe/Bundle/CompileBundle.h"
#include "moe/Bundle/ReplacePlacement.h"
#include "moe/Formats/OutputFile.h"

#include "llvm/Option/ArgList.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm::opt;
using namespace moe::tools;
using moe::bundle::Bundle;
using moe::runner::SessionOptions;

/// What does not go together.
static llvm::Error verify(const InputArgList &flags) {
  if (flags.getAllArgValues(OPT_INPUT).size() != 1 ||
      !flags.hasArg(OPT_output)) {
    return llvm::createStringError(
        "expected one module or bundle, and -o; see --help");
  }
  llvm::StringRef target = flags.getLastArgValue(OPT_target_eq, "cpu");
  if (target != "cpu") {
    return llvm::createStringError(
        "expected --target=cpu, but got '" + target +
        (target == "gpu" ? "', which is not built yet" : "'"));
  }
  if (const Arg *gpu = flags.getLastArg(OPT_chips_eq, OPT_kernel_report_eq)) {
    return llvm::createStringError("expected no " +
                                   gpu->getSpelling().rtrim('=') +
                                   ": it is for --target=gpu, which is not "
                                   "built yet");
  }
  return llvm::Error::success();
}

static llvm::Expected<SessionOptions> readOptions(const InputArgList &flags) {
  SessionOptions options;
  llvm::StringRef ranks = flags.getLastArgValue(OPT_ranks_eq, "0");
  if (ranks.getAsInteger(10, options.plan.ranks) || options.plan.ranks < 0) {
    return llvm::createStringError(
        "expected --ranks to be a whole number, but got '" + ranks + "'");
  }
  options.modulePath = flags.getLastArgValue(OPT_INPUT);
  options.plan.options = moe::tools::valuesOfGroup(flags, OPT_plan_group);
  options.layer = flags.getLastArgValue(OPT_layer_eq);
  options.replan = flags.hasArg(OPT_replan);
  options.overlaps = !flags.hasArg(OPT_no_overlap);
  options.cpu = flags.getLastArgValue(OPT_cpu_eq);
  return options;
}

/// What a bundle was compiled with cannot be asked for again.
static llvm::Error verifyForBundle(const InputArgList &flags,
                                   llvm::StringRef input) {
  if (!flags.hasArg(OPT_replace_placement_eq)) {
    return llvm::createStringError(
        input + ": expected --replace-placement with a bundle");
  }
  for (const Arg *flag : flags) {
    unsigned id = flag->getOption().getID();
    if (id != OPT_INPUT && id != OPT_output && id != OPT_target_eq &&
        id != OPT_replace_placement_eq) {
      return llvm::createStringError(
          input + ": expected no " + flag->getSpelling().rtrim('=') +
          " with a bundle, which is not compiled again");
    }
  }
  return llvm::Error::success();
}

/// A bundle is taken as it is, a module is compiled.
static llvm::Expected<Bundle> makeBundle(const InputArgList &flags) {
  llvm::StringRef input = flags.getLastArgValue(OPT_INPUT);
  if (moe::bundle::isBundle(input)) {
    if (llvm::Error error = verifyForBundle(flags, input)) {
      return error;
    }
    return moe::bundle::readBundle(input);
  }
  llvm::Expected<SessionOptions> options = readOptions(flags);
  if (!options) {
    return options.takeError();
  }
  return moe::bundle::compileBundle(*options);
}

static llvm::Error printHelp(const OptTable &table) {
  return moe::formats::writeFile("-", [&](llvm::raw_ostream &os) {
    table.printHelp(
        os, "moe-compile <module.mlir> -o <model.moe> [flags]",
        "Compiles a layer of a model, or the function of a module, into a "
        "bundle that moe-run takes: code, plan and what both expect of "
        "weights.\nA module that is not planned is "
        "planned with defaults.\nExit status: 0 all is well, 1 the input is "
        "wrong.",
        /*ShowHidden=*/false, /*ShowAllAliases=*/false);
  });
}

/// The place is asked for before the work.
static llvm::Error compile(const InputArgList &flags) {
  llvm::StringRef output = flags.getLastArgValue(OPT_output);
  if (llvm::Error error = moe::formats::expectWritable(output)) {
    return error;
  }
  llvm::Expected<Bundle> bundle = makeBundle(flags);
  if (!bundle) {
    return bundle.takeError();
  }
  if (flags.hasArg(OPT_replace_placement_eq)) {
    if (llvm::Error error = moe::bundle::replacePlacement(
            *bundle, flags.getLastArgValue(OPT_replace_placement_eq))) {
      return error;
    }
  }
  return moe::bundle::writeBundle(output, *bundle);
}

static llvm::Error run(llvm::ArrayRef<const char *> words) {
  FlagTable table;
  llvm::Expected<InputArgList> flags = moe::tools::parseFlags(table, words);
  if (!flags) {
    return flags.takeError();
  }
  if (flags->hasArg(OPT_help)) {
    return printHelp(table);
  }
  if (llvm::Error error = verify(*flags)) {
    return error;
  }
  return compile(*flags);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::Error error = run(llvm::ArrayRef(argv, argc).drop_front());
  if (!error) {
    return 0;
  }
  llvm::errs() << "error: " << llvm::toString(std::move(error)) << '\n';
  return 1;
}
