// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CommandLine.h"
#include "FlagTable.h"
#include "FlagValues.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace moe::placement;
using namespace moe::planning;
using namespace moe::tools;
using namespace llvm::opt;
using llvm::createStringError;
using llvm::formatv;

/// The largest number that a flag takes; products of two are exact in double.
static constexpr int64_t largestNumber = int64_t(1) << 40;

/// Reads a whole number of at least `least` into `value`, if the flag is given.
static llvm::Error readNumber(const InputArgList &flags, OptSpecifier id,
                              int64_t &value, int64_t least = 1) {
  const Arg *flag = flags.getLastArg(id);
  if (!flag) {
    return llvm::Error::success();
  }
  llvm::StringRef text = flag->getValue();
  if (text.getAsInteger(10, value) || value < least || value > largestNumber) {
    return createStringError(
        formatv("expected {0} to be a whole number of at least {1}, but got "
                "'{2}'",
                flag->getSpelling().rtrim('='), least, text));
  }
  return llvm::Error::success();
}

/// Reads a positive number, if the flag is given.
static llvm::Error readRate(const InputArgList &flags, OptSpecifier id,
                            std::optional<double> &rate) {
  const Arg *flag = flags.getLastArg(id);
  if (!flag) {
    return llvm::Error::success();
  }
  double value = 0;
  llvm::StringRef text = flag->getValue();
  if (text.getAsDouble(value) || !std::isfinite(value) || value <= 0) {
    return createStringError(
        formatv("expected {0} to be a number above 0, but got '{1}'",
                flag->getSpelling().rtrim('='), text));
  }
  rate = value;
  return llvm::Error::success();
}

/// The first of the errors; the others say nothing new.
static llvm::Error firstOf(std::vector<llvm::Error> errors) {
  llvm::Error first = llvm::Error::success();
  for (llvm::Error &error : errors) {
    if (first) {
      llvm::consumeError(std::move(error));
    } else {
      first = std::move(error);
    }
  }
  return first;
}

static llvm::Error readNumbers(const InputArgList &flags, CommandLine &line) {
  WorkloadOptions &options = line.workload;
  std::pair<OptSpecifier, int64_t *> numbers[] = {
      {OPT_experts_eq, &options.experts},
      {OPT_groups_eq, &options.groups},
      {OPT_tokens_eq, &options.tokens},
      {OPT_choices_eq, &options.choices},
      {OPT_hidden_eq, &options.hidden},
      {OPT_width_eq, &options.width},
      {OPT_replicas_eq, &options.slots},
      {OPT_gpus_eq, &options.gpus},
      {OPT_nodes_eq, &options.nodes},
      {OPT_sequences_eq, &options.sequences},
      {OPT_context_eq, &options.context}};
  std::vector<llvm::Error> errors;
  for (auto [flag, value] : numbers) {
    errors.push_back(readNumber(flags, flag, *value));
  }
  errors.push_back(readNumber(flags, OPT_matrices_eq, line.planner.matrices));
  std::optional<double> weightBits;
  errors.push_back(readRate(flags, OPT_weight_bits_eq, weightBits));
  line.planner.weightBits = weightBits.value_or(line.planner.weightBits);
  errors.push_back(readRate(flags, OPT_nic_gbps_eq, options.machine.nicGbps));
  errors.push_back(
      readRate(flags, OPT_inter_node_gbps_eq, options.machine.interNodeGbps));
  return firstOf(std::move(errors));
}

/// Ascending numbers from `3-60` or `0,4`.
static llvm::Error readLayers(llvm::StringRef text,
                              std::vector<int64_t> &layers) {
  constexpr int64_t mostLayers = 1 << 16;
  for (llvm::StringRef part : llvm::split(text, ',')) {
    auto [first, last] = part.trim().split('-');
    int64_t begin = 0, end = 0;
    bool isWrong = first.getAsInteger(10, begin) || begin < 0;
    end = begin;
    isWrong = isWrong || (part.contains('-') && last.getAsInteger(10, end)) ||
              end < begin || end >= mostLayers ||
              (!layers.empty() && begin <= layers.back());
    if (isWrong) {
      return createStringError(
          formatv("expected --layers to be ascending numbers such as 3-60 or "
                  "0,4, but got '{0}'",
                  text));
    }
    for (int64_t layer = begin; layer <= end; ++layer) {
      layers.push_back(layer);
    }
  }
  return llvm::Error::success();
}

static llvm::Error readPolicies(const InputArgList &flags,
                                std::vector<PlacementPolicy> &policies) {
  llvm::StringRef names = flags.getLastArgValue(OPT_policy_eq, "joint");
  if (names == "all" || flags.hasArg(OPT_compare)) {
    names = "contiguous,round_robin,eplb,joint";
  }
  for (llvm::StringRef name : llvm::split(names, ',')) {
    std::optional<PlacementPolicy> policy = parsePlacementPolicy(name.trim());
    if (!policy) {
      return createStringError(
          formatv("expected --policy to be contiguous, round_robin, eplb, "
                  "joint, exhaustive or all, but got '{0}'",
                  name));
    }
    policies.push_back(*policy);
  }
  return llvm::Error::success();
}

static llvm::Error readChoices(const InputArgList &flags, CommandLine &line) {
  llvm::StringRef objective = flags.getLastArgValue(OPT_objective_eq);
  if (objective == "load" || objective == "time") {
    line.objective = objective == "load" ? Objective::Load : Objective::Time;
  } else if (flags.hasArg(OPT_objective_eq)) {
    return createStringError(formatv(
        "expected --objective to be time or load, but got '{0}'", objective));
  }
  llvm::StringRef format = flags.getLastArgValue(OPT_format_eq, "text");
  if (format != "text" && format != "json" && format != "html") {
    return createStringError(formatv(
        "expected --format to be text, json or html, but got '{0}'", format));
  }
  line.format = llvm::StringSwitch<OutputFormat>(format)
                    .Case("json", OutputFormat::Json)
                    .Case("html", OutputFormat::Html)
                    .Default(OutputFormat::Text);
  WorkloadOptions &options = line.workload;
  options.dtype = flags.getLastArgValue(OPT_dtype_eq);
  if (!options.dtype.empty() && elementBytes(options.dtype) == 0) {
    return createStringError(
        formatv("expected --dtype to be bf16, f16, f32 or fp8, but got '{0}'",
                options.dtype));
  }
  return flags.hasArg(OPT_layers_eq)
             ? readLayers(flags.getLastArgValue(OPT_layers_eq), options.layers)
             : llvm::Error::success();
}

/// What is asked for, and of which files.
static llvm::Error readTask(const InputArgList &flags, CommandLine &line) {
  line.files = flags.getAllArgValues(OPT_INPUT);
  std::vector<Task> tasks;
  auto ask = [&](Task task, OptSpecifier flag) {
    if (const Arg *arg = flags.getLastArg(flag)) {
      tasks.push_back(task);
      if (arg->getNumValues() > 0) {
        line.files.insert(line.files.begin(), arg->getValue());
      }
    }
  };
  ask(Task::Verify, OPT_verify_eq);
  ask(Task::Diff, OPT_diff);
  ask(Task::Rebalance, OPT_previous_eq);
  ask(Task::Report, OPT_report);
  if (tasks.size() > 1) {
    return createStringError(
        "expected one of --verify, --diff, --previous and --report");
  }
  line.task = tasks.empty() ? Task::Place : tasks.front();
  if (line.task == Task::Report && line.files.size() == 1) {
    line.workload.config = line.files.front();
    line.files.clear();
  }
  size_t expected = line.task == Task::Diff                                 ? 2
                    : line.task == Task::Place || line.task == Task::Report ? 0
                                                                            : 1;
  if (line.files.size() > expected) {
    return createStringError(
        formatv("expected a flag before '{0}'; see --help", line.files.back()));
  }
  if (line.files.size() < expected) {
    return createStringError(formatv("expected two placements after --diff, "
                                     "but got {0}",
                                     line.files.size()));
  }
  return llvm::Error::success();
}

/// The budget of a rebalancing.
static llvm::Error readBudget(const InputArgList &flags, CommandLine &line) {
  auto read = [&](OptSpecifier flag, std::optional<int64_t> &limit) {
    int64_t value = 0;
    llvm::Error error = readNumber(flags, flag, value, 0);
    if (flags.hasArg(flag)) {
      limit = value;
    }
    return error;
  };
  std::vector<llvm::Error> errors;
  errors.push_back(read(OPT_max_moves_eq, line.budget.moves));
  errors.push_back(read(OPT_max_bytes_eq, line.budget.bytes));
  if (llvm::Error error = firstOf(std::move(errors))) {
    return error;
  }
  bool hasBudget = line.budget.moves || line.budget.bytes;
  if (line.task == Task::Rebalance && !hasBudget) {
    return createStringError(
        "expected --max-moves or --max-bytes with --previous");
  }
  if (line.task != Task::Rebalance && hasBudget) {
    return createStringError(
        "expected --previous with --max-moves and --max-bytes");
  }
  return llvm::Error::success();
}

llvm::Expected<CommandLine>
CommandLine::parse(llvm::ArrayRef<const char *> words) {
  FlagTable table;
  llvm::Expected<InputArgList> parsed = moe::tools::parseFlags(table, words);
  if (!parsed) {
    return parsed.takeError();
  }
  const InputArgList &flags = *parsed;
  CommandLine line;
  line.help = flags.hasArg(OPT_help) || words.empty();
  if (line.help) {
    return line;
  }
  WorkloadOptions &options = line.workload;
  options.loads = flags.getLastArgValue(OPT_loads_eq);
  options.selection.model = flags.getLastArgValue(OPT_model_eq);
  options.selection.domain = flags.getLastArgValue(OPT_domain_eq);
  if (flags.hasArg(OPT_trace)) {
    options.selection.content = LoadSelection::Content::Trace;
  }
  options.topology = flags.getLastArgValue(OPT_topology_eq);
  options.machine.gpu = flags.getLastArgValue(OPT_gpu_eq);
  options.config = flags.getLastArgValue(OPT_config_eq);
  line.output = flags.getLastArgValue(OPT_output_eq, "-");
  if (llvm::Error error = readTask(flags, line)) {
    return error;
  }
  if (llvm::Error error = readBudget(flags, line)) {
    return error;
  }
  if (llvm::Error error = readNumbers(flags, line)) {
    return error;
  }
  if (llvm::Error error = readPolicies(flags, line.policies)) {
    return error;
  }
  if (llvm::Error error = readChoices(flags, line)) {
    return error;
  }
  return line;
}

void CommandLine::printHelp(llvm::raw_ostream &os) {
  FlagTable().printHelp(
      os,
      "moe-place --loads FILE --replicas R --nodes N --gpus P [flags]\n"
      "       moe-place --verify placement.json [--loads FILE] [flags]\n"
      "       moe-place --diff before.json after.json [--loads FILE] [flags]\n"
      "       moe-place --previous placement.json --max-moves N --loads FILE "
      "[flags]\n"
      "       moe-place --report [config.json] --nodes N --gpus P [flags]",
      "Decides which expert lives on which GPU, with a proved bound of what "
      "any "
      "placement can reach.\nExit status: 0 all is well, 1 the input is wrong.",
      /*ShowHidden=*/false, /*ShowAllAliases=*/false);
}
