// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/PlanRequest.h"

#include "moe/Planning/LoadProfile.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace moe::runner;
using llvm::formatv;
using moe::planning::LoadProfile;
using moe::planning::Mesh;
using moe::planning::Topology;
using moe::topology::TopologyOptions;

namespace {
struct PlanOption;

/// What is asked of one option.
struct Question {
  const PlanRequest &request;
  const PlanAtHand &plan;
  TopologyReader readTopology;
  const PlanOption &option;
  llvm::StringRef asked;

  /// What the plan was made with.
  llvm::StringRef recorded() const;
};

/// How the plan differs from what is asked: `with --mesh=ep=4`, `without a
/// topology`; none where it does not.
using Difference = std::optional<std::string>;

enum class ValueKind { Text, Whole, Number };

struct PlanOption {
  llvm::StringLiteral name;
  llvm::Expected<Difference> (*compare)(const Question &question);
  ValueKind kind = ValueKind::Text;
  /// Of a plan that records nothing.
  llvm::StringLiteral standard = "";
  /// The option whose file this one is about.
  llvm::StringLiteral file = "";
};
} // namespace

llvm::StringRef Question::recorded() const {
  auto entry = plan.recorded.find(option.name.str());
  return entry == plan.recorded.end() ? llvm::StringRef(option.standard)
                                      : llvm::StringRef(entry->second);
}

static std::string formatFlag(llvm::StringRef option, llvm::StringRef value) {
  return formatv("--{0}={1}", option, value);
}

/// Of a plan that has `value`.
static std::string with(const Question &question, llvm::StringRef value) {
  return "with " + formatFlag(question.option.name, value);
}

static Difference differUnless(bool agrees, const Question &question,
                               llvm::StringRef value) {
  return agrees ? Difference() : with(question, value);
}

/// What can only be known from how the plan was made.
static llvm::Expected<Difference> compareRecord(const Question &question) {
  llvm::StringRef recorded = question.recorded();
  double left = 0, right = 0;
  bool areNumbers = question.option.kind != ValueKind::Text &&
                    !question.asked.getAsDouble(left) &&
                    !recorded.getAsDouble(right);
  bool agrees = areNumbers ? left == right : question.asked == recorded;
  return differUnless(agrees, question, recorded);
}

/// What the option whose file this one is about has compared already.
static llvm::Expected<Difference> compareWithFile(const Question &) {
  return std::nullopt;
}

static llvm::Expected<Difference> compareMesh(const Question &question) {
  Mesh asked = llvm::cantFail(Mesh::parse(question.asked));
  std::string planned = question.plan.mesh.toString();
  return differUnless(asked.toString() == planned, question, planned);
}

/// What the request says of the machine in the topology's file.
static TopologyOptions readMachine(const PlanRequest &request) {
  TopologyOptions machine;
  machine.gpu = request.get("gpu").str();
  request.get("nodes").getAsInteger(10, machine.nodes);
  auto read = [&](llvm::StringRef option, std::optional<double> &rate) {
    double value = 0;
    if (!request.get(option).getAsDouble(value)) {
      rate = value;
    }
  };
  read("nic-gbps", machine.nicGbps);
  read("inter-node-gbps", machine.interNodeGbps);
  return machine;
}

static llvm::Expected<Difference> compareTopology(const Question &question) {
  llvm::Expected<Topology> asked =
      question.readTopology(question.asked, readMachine(question.request));
  if (!asked) {
    return asked.takeError();
  }
  const std::optional<Topology> &planned = question.plan.topology;
  if (!planned) {
    return "without a topology";
  }
  if (*asked == *planned) {
    return std::nullopt;
  }
  return "for another topology, " + planned->toString();
}

/// Files of loads are told apart by their bytes: which layers and sources of
/// them a plan has used, only planning knows.
static llvm::Expected<Difference> compareLoads(const Question &question) {
  auto file = llvm::MemoryBuffer::getFile(question.asked);
  if (!file) {
    return llvm::createStringError(question.asked + ": " +
                                   file.getError().message());
  }
  llvm::StringRef recorded = question.recorded();
  if (recorded == LoadProfile::digest((*file)->getBuffer())) {
    return std::nullopt;
  }
  return recorded.empty() ? "without loads" : "with loads of another file";
}

/// Placements are edited, which their origin tells.
static llvm::Expected<Difference> comparePlacement(const Question &question) {
  for (const LayerPlan &layer : question.plan.layers) {
    llvm::StringRef origin = layer.placement;
    bool agrees = origin == question.asked ||
                  origin == (question.asked + ", as written").str();
    if (!agrees) {
      return origin.contains(' ')
                 ? formatv("with a placement {0}", origin).str()
                 : with(question, origin);
    }
  }
  return std::nullopt;
}

static llvm::Expected<Difference> compareObjective(const Question &question) {
  llvm::StringRef recorded = question.recorded();
  if (recorded == "auto") {
    recorded = question.plan.topology ? "time" : "load";
  }
  return differUnless(question.asked == "auto" || question.asked == recorded,
                      question, recorded);
}

static llvm::Expected<Difference> compareExchange(const Question &question) {
  for (const LayerPlan &layer : question.plan.layers) {
    std::string form = moe::planning::toString(layer.form).str();
    llvm::replace(form, ' ', '_');
    if (question.asked != "auto" && question.asked != form) {
      return with(question, form);
    }
  }
  return std::nullopt;
}

static llvm::Expected<Difference> compareBound(const Question &question) {
  int64_t asked = 0;
  question.asked.getAsInteger(10, asked);
  for (const LayerPlan &layer : question.plan.layers) {
    // 0 stands for the worst case.
    bool agrees =
        asked == 0 ? question.recorded() == "0" : asked == layer.bound;
    if (!agrees) {
      return with(question, std::to_string(layer.bound));
    }
  }
  return std::nullopt;
}

/// All options of moe-plan-pipeline, in the order in which they are compared.
static constexpr PlanOption planOptions[] = {
    {"mesh", compareMesh},
    {"token-axes", compareRecord},
    {"expert-axes", compareRecord},
    {"expert-tensor-axes", compareRecord},
    {"tensor-axes", compareRecord},
    {"stage-axes", compareRecord},
    {"step", compareRecord, ValueKind::Text, "inference"},
    {"topology", compareTopology},
    {"gpu", compareWithFile, ValueKind::Text, "", "topology"},
    {"nodes", compareWithFile, ValueKind::Whole, "", "topology"},
    {"nic-gbps", compareWithFile, ValueKind::Number, "", "topology"},
    {"inter-node-gbps", compareWithFile, ValueKind::Number, "", "topology"},
    {"loads", compareLoads},
    {"loads-model", compareRecord, ValueKind::Text, "", "loads"},
    {"loads-domain", compareRecord, ValueKind::Text, "", "loads"},
    {"loads-content", compareRecord, ValueKind::Text, "loads", "loads"},
    {"trace-ranks", compareRecord, ValueKind::Whole, "1", "loads"},
    {"placement", comparePlacement},
    {"objective", compareObjective, ValueKind::Text, "auto"},
    {"replicas", compareRecord, ValueKind::Whole, "0"},
    {"expert-groups", compareRecord, ValueKind::Whole, "1"},
    {"memory-gib", compareRecord, ValueKind::Number, "0"},
    {"exchange", compareExchange},
    {"bound", compareBound, ValueKind::Whole, "0"},
};

static const PlanOption *findOption(llvm::StringRef name) {
  const PlanOption *found =
      llvm::find_if(planOptions, [&](const PlanOption &option) {
        return option.name == name;
      });
  return found == std::end(planOptions) ? nullptr : found;
}

bool PlanRequest::isCompared(llvm::StringRef option) {
  return findOption(option);
}

llvm::StringRef PlanRequest::get(llvm::StringRef option) const {
  auto entry = options.find(option.str());
  return entry == options.end() ? "" : llvm::StringRef(entry->second);
}

static llvm::Error verifyValue(const PlanOption &option,
                               llvm::StringRef value) {
  int64_t whole = 0;
  double number = 0;
  if (option.kind == ValueKind::Whole && value.getAsInteger(10, whole)) {
    return llvm::createStringError(
        formatv("expected --{0} to be a whole number, but got '{1}'",
                option.name, value));
  }
  if (option.kind == ValueKind::Number && value.getAsDouble(number)) {
    return llvm::createStringError(formatv(
        "expected --{0} to be a number, but got '{1}'", option.name, value));
  }
  return llvm::Error::success();
}

llvm::Error PlanRequest::verify() const {
  for (const auto &[name, value] : options) {
    const PlanOption *option = findOption(name);
    if (!option) {
      return llvm::createStringError(
          formatv("expected an option of planning, but got '{0}'", name));
    }
    if (llvm::Error error = verifyValue(*option, value)) {
      return error;
    }
    if (!option->file.empty() && !options.count(option->file.str())) {
      return llvm::createStringError(
          formatv("expected --{0} with --{1}", option->file, name));
    }
  }
  if (get("mesh").empty()) {
    return llvm::Error::success();
  }
  llvm::Expected<Mesh> mesh = Mesh::parse(get("mesh"));
  if (!mesh) {
    return mesh.takeError();
  }
  if (ranks && ranks != mesh->deviceCount()) {
    return llvm::createStringError(
        formatv("expected {0} ranks as asked for, but the mesh {1} has {2}",
                ranks, get("mesh"), mesh->deviceCount()));
  }
  return llvm::Error::success();
}

int64_t PlanRequest::rankCount() const {
  return get("mesh").empty()
             ? ranks
             : llvm::cantFail(Mesh::parse(get("mesh"))).deviceCount();
}

/// The flag of an option, with those that say more of its file: `--topology=F
/// --nodes=2`.
static std::string formatAsked(const PlanRequest &request,
                               const PlanOption &option) {
  std::string text = formatFlag(option.name, request.get(option.name));
  for (const PlanOption &other : planOptions) {
    llvm::StringRef value = request.get(other.name);
    if (other.compare == compareWithFile && other.file == option.name &&
        !value.empty()) {
      text += " " + formatFlag(other.name, value);
    }
  }
  return text;
}

llvm::Expected<std::optional<std::string>>
PlanRequest::findDifference(const PlanAtHand &plan,
                            TopologyReader readTopology) const {
  for (const PlanOption &option : planOptions) {
    llvm::StringRef asked = get(option.name);
    if (asked.empty()) {
      continue;
    }
    llvm::Expected<Difference> difference =
        option.compare({*this, plan, readTopology, option, asked});
    if (!difference) {
      return difference.takeError();
    }
    if (*difference) {
      return formatv("expected {0}, but {1} {2}", formatAsked(*this, option),
                     plan.is, **difference)
          .str();
    }
  }
  if (ranks && ranks != plan.mesh.deviceCount()) {
    return formatv("expected --ranks={0}, but {1} with --mesh={2}, which has "
                   "{3}",
                   ranks, plan.is, plan.mesh.toString(),
                   plan.mesh.deviceCount())
        .str();
  }
  return std::nullopt;
}
