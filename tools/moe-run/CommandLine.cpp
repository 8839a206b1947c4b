// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CommandLine.h"
#include "FlagTable.h"
#include "FlagValues.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::runner;
using namespace moe::tools;
using namespace llvm::opt;
using llvm::formatv;

/// Reads a whole number of at least `least` into `value`, if the flag is given.
template <typename T>
static llvm::Error readNumber(const InputArgList &flags, OptSpecifier id,
                              T &value, T least) {
  const Arg *flag = flags.getLastArg(id);
  if (!flag) {
    return llvm::Error::success();
  }
  llvm::StringRef text = flag->getValue();
  if (text.getAsInteger(10, value) || value < least) {
    return llvm::createStringError(
        formatv("expected {0} to be a whole number of at least {1}, but got "
                "'{2}'",
                flag->getSpelling().rtrim('='), least, text));
  }
  return llvm::Error::success();
}

/// Reads a positive number of seconds, if the flag is given.
static llvm::Error readDeadline(const InputArgList &flags, double &seconds) {
  llvm::StringRef text = flags.getLastArgValue(OPT_deadline_eq);
  if (flags.hasArg(OPT_deadline_eq) &&
      (text.getAsDouble(seconds) || !(seconds >= 1e-3 && seconds <= 1e6))) {
    return llvm::createStringError(
        formatv("expected --deadline to be 0.001 to 1000000 seconds, but got "
                "'{0}'",
                text));
  }
  return llvm::Error::success();
}

static llvm::Error readNumbers(const InputArgList &flags, CommandLine &line) {
  int64_t tokens = 0;
  SessionOptions &session = line.session;
  llvm::Error error = llvm::joinErrors(
      readNumber<int64_t>(flags, OPT_ranks_eq, session.plan.ranks, 1),
      readNumber<uint64_t>(flags, OPT_seed_eq, session.seed, 0));
  error = llvm::joinErrors(
      std::move(error),
      readNumber<int32_t>(flags, OPT_cores_eq, session.cores, 1));
  error = llvm::joinErrors(
      std::move(error),
      readNumber<int64_t>(flags, OPT_repeat_eq, session.repeat, 1));
  error = llvm::joinErrors(
      std::move(error), readNumber<int64_t>(flags, OPT_tokens_eq, tokens, 0));
  error = llvm::joinErrors(std::move(error),
                           readNumber<int64_t>(flags, OPT_corrupt_expert_eq,
                                               line.corruptedExpert, -1));
  error = llvm::joinErrors(
      std::move(error),
      readNumber<int64_t>(flags, OPT_stall_rank_eq, session.stalledRank, -1));
  error = llvm::joinErrors(std::move(error),
                           readDeadline(flags, session.deadlineSeconds));
  error = llvm::joinErrors(
      std::move(error), readNumber<uint64_t>(flags, OPT_schedule_seed_eq,
                                             session.platform.scheduleSeed, 0));
  if (flags.hasArg(OPT_tokens_eq)) {
    line.tokens = tokens;
  }
  int64_t mebibytes = 0;
  error = llvm::joinErrors(
      std::move(error),
      readNumber<int64_t>(flags, OPT_weight_memory_eq, mebibytes, 0));
  if (flags.hasArg(OPT_weight_memory_eq)) {
    session.weightMemory = std::min(mebibytes, INT64_MAX >> 20) << 20;
  }
  return error;
}

/// Checks a flag that names one of several things, of which `later` are not
/// built yet.
static llvm::Error expectOneOf(llvm::StringRef flag, llvm::StringRef value,
                               llvm::ArrayRef<llvm::StringRef> built,
                               llvm::ArrayRef<llvm::StringRef> later) {
  if (llvm::is_contained(built, value)) {
    return llvm::Error::success();
  }
  if (llvm::is_contained(later, value)) {
    return llvm::createStringError(
        formatv("expected --{0}={1}, but got '{2}', which is not built yet",
                flag, llvm::join(built, "|"), value));
  }
  return llvm::createStringError(formatv(
      "expected --{0} to be {1}, but got '{2}'", flag,
      llvm::join(llvm::concat<const llvm::StringRef>(built, later), " or "),
      value));
}

/// One output must not replace another.
static llvm::Error verifyOutputs(const InputArgList &flags) {
  llvm::StringSet<> paths;
  for (OptSpecifier id :
       {OPT_output_eq, OPT_routing_out_eq, OPT_stats_eq, OPT_trace_eq}) {
    llvm::StringRef path = flags.getLastArgValue(id);
    if (!path.empty() && !path.starts_with("/dev/") &&
        !paths.insert(path).second) {
      return llvm::createStringError(formatv(
          "expected a file for each of the outputs, but got '{0}' twice",
          path));
    }
  }
  return llvm::Error::success();
}

/// Threads are the CPU's, the others are for devices.
static llvm::Error verifyTransport(const InputArgList &flags) {
  llvm::StringRef transport = flags.getLastArgValue(OPT_transport_eq);
  bool onDevices = flags.getLastArgValue(OPT_device_eq, "cpu") != "cpu";
  if (transport.empty() || (transport != "threads") == onDevices) {
    return llvm::Error::success();
  }
  return llvm::createStringError(
      formatv("expected {0} with --transport={1}, but got --device={2}",
              onDevices ? "--device=cpu" : "--device=emulated|gpu", transport,
              flags.getLastArgValue(OPT_device_eq, "cpu")));
}

static llvm::Error verify(const InputArgList &flags) {
  if (llvm::Error error = expectOneOf(
          "transport", flags.getLastArgValue(OPT_transport_eq, "threads"),
          {"threads", "nccl"}, {"mpi"})) {
    return error;
  }
  if (llvm::Error error =
          expectOneOf("device", flags.getLastArgValue(OPT_device_eq, "cpu"),
                      {"cpu", "emulated", "gpu"}, {})) {
    return error;
  }
  if (llvm::Error error = verifyTransport(flags)) {
    return error;
  }
  if (llvm::Error error = expectOneOf(
          "movement", flags.getLastArgValue(OPT_movement_eq, "anytime"),
          {"anytime", "late", "early"}, {})) {
    return error;
  }
  if (flags.hasArg(OPT_tokens_eq) && flags.hasArg(OPT_input_eq)) {
    return llvm::createStringError(
        "expected --input or --tokens, but got both");
  }
  return verifyOutputs(flags);
}

static moert_movement readMovement(const InputArgList &flags) {
  return llvm::StringSwitch<moert_movement>(
             flags.getLastArgValue(OPT_movement_eq))
      .Case("late", MOERT_MOVE_LATE)
      .Case("early", MOERT_MOVE_EARLY)
      .Default(MOERT_MOVE_ANYTIME);
}

static PlatformOptions::Device readDevice(const InputArgList &flags) {
  return llvm::StringSwitch<PlatformOptions::Device>(
             flags.getLastArgValue(OPT_device_eq))
      .Case("emulated", PlatformOptions::Device::Emulated)
      .Case("gpu", PlatformOptions::Device::GPU)
      .Default(PlatformOptions::Device::CPU);
}

static llvm::Error verifyModule(const InputArgList &flags) {
  size_t modules = flags.getAllArgValues(OPT_INPUT).size();
  if (modules != 1) {
    return llvm::createStringError(
        formatv("expected one module, but got {0}; see --help", modules));
  }
  return llvm::Error::success();
}

llvm::Expected<CommandLine>
CommandLine::parse(llvm::ArrayRef<const char *> words) {
  FlagTable table;
  llvm::Expected<InputArgList> parsed = tools::parseFlags(table, words);
  if (!parsed) {
    return parsed.takeError();
  }
  const InputArgList &flags = *parsed;
  CommandLine line;
  line.help = flags.hasArg(OPT_help);
  if (line.help) {
    return line;
  }
  if (llvm::Error error = verifyModule(flags)) {
    return error;
  }
  if (llvm::Error error = verify(flags)) {
    return error;
  }
  if (llvm::Error error = readNumbers(flags, line)) {
    return error;
  }
  SessionOptions &session = line.session;
  session.modulePath = flags.getLastArgValue(OPT_INPUT);
  session.layer = flags.getLastArgValue(OPT_layer_eq);
  session.plan.options = tools::valuesOfGroup(flags, OPT_plan_group);
  session.replan = flags.hasArg(OPT_replan);
  session.cpu = flags.getLastArgValue(OPT_cpu_eq);
  session.weights = flags.getLastArgValue(OPT_weights_eq);
  session.takesRouting = flags.hasArg(OPT_routing_in_eq);
  session.overlaps = !flags.hasArg(OPT_no_overlap);
  session.movement = readMovement(flags);
  session.platform.device = readDevice(flags);
  session.platform.transport = flags.getLastArgValue(OPT_transport_eq);
  session.tracePath = flags.getLastArgValue(OPT_trace_eq);
  line.input = flags.getLastArgValue(OPT_input_eq);
  line.output = flags.getLastArgValue(OPT_output_eq);
  line.routingIn = flags.getLastArgValue(OPT_routing_in_eq);
  line.routingOut = flags.getLastArgValue(OPT_routing_out_eq);
  line.stats = flags.getLastArgValue(OPT_stats_eq);
  line.check = flags.hasArg(OPT_check);
  return line;
}

void CommandLine::printHelp(llvm::raw_ostream &os) {
  FlagTable().printHelp(
      os, "moe-run <module.mlir|bundle.moe> [flags]",
      "Runs a layer of a model, the function of a module, or a bundle on N "
      "ranks. A module that is not planned is planned with defaults.\nExit "
      "status: 0 all is well, 1 the input is "
      "wrong, 2 --check found a difference, 3 a rank failed.",
      /*ShowHidden=*/false, /*ShowAllAliases=*/false);
}
