// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/Session.h"
#include "LoadedProgram.h"
#include "ProgramCall.h"

#include "moe/Formats/FileError.h"
#include "moe/Runner/RandomTensor.h"
#include "moe/Runner/RunLimits.h"

#include "llvm/Support/FormatVariadic.h"

using namespace moe::formats;
using namespace moe::runner;
using llvm::formatv;
using moe::planning::Mesh;

struct Session::State {
  SessionOptions options;
  std::unique_ptr<RankPlatform> platform;
  std::unique_ptr<ProgramSource> source;
  RunLimits limits = RunLimits::query();
  std::unique_ptr<WeightStore> weights;
  std::optional<LoadedProgram> partitioned;
  std::optional<LoadedProgram> reference;
  /// Made once, with the partitioned program: its table of tiers is as large as
  /// ranks squared.
  std::optional<RankSetup> setup;
  int64_t corrupted = -1;

  const PlannedProgram &planned() const { return source->planned(); }
  llvm::Error load(ProgramKind kind, std::optional<LoadedProgram> &loaded);
  llvm::Error checkTokens(int64_t tokens) const;
  llvm::Error checkBounds() const;
  llvm::Error checkArguments(const ProgramInput &input) const;
  llvm::Error checkInput(const ProgramInput &input) const;
  RankSetup makeSetup() const;
  bool sendsPadding() const;
};

Session::Session(std::unique_ptr<State> state) : state(std::move(state)) {}
Session::~Session() = default;

/// A bounded form sets its bound aside on every rank, whatever arrives.
llvm::Error Session::State::checkBounds() const {
  for (const PlannedLayer &layer : planned().layers) {
    const planning::ExchangeRequest &dispatch = layer.traffic.dispatch;
    if (dispatch.form != planning::ExchangeForm::FlatBounded) {
      continue;
    }
    std::string where = layer.name.empty() ? "" : "layer " + layer.name + ": ";
    if (llvm::Error error = limits.checkRows(
            where + "expected an exchange bound that fits into the memory of "
                    "each rank",
            dispatch.bound, dispatch.rowBytes)) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Session>>
Session::create(std::unique_ptr<ProgramSource> source,
                const SessionOptions &options) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->platform = RankPlatform::create(options.platform);
  state->source = std::move(source);
  if (llvm::Error error =
          state->limits.checkRanks(state->planned().facts.ranks)) {
    return std::move(error);
  }
  if (llvm::Error error = state->checkBounds()) {
    return std::move(error);
  }
  llvm::Expected<std::unique_ptr<WeightStore>> weights =
      declareWeights(state->planned().layout, options);
  if (!weights) {
    return weights.takeError();
  }
  state->weights = std::move(*weights);
  return std::unique_ptr<Session>(new Session(std::move(state)));
}

const PlannedProgram &Session::planned() const { return state->planned(); }

llvm::StringRef Session::transport() const {
  return state->platform->transport();
}

const ProgramFacts &Session::facts() const { return state->planned().facts; }

llvm::ArrayRef<PlannedLayer> Session::layers() const {
  return state->planned().layers;
}

llvm::Error Session::checkSignature() const {
  const ProgramLayout &layout = state->planned().layout;
  int64_t arguments = llvm::count_if(layout.arguments, [](const Port &port) {
    return port.role == Port::Role::Tokens;
  });
  int64_t results = llvm::count_if(layout.results, [](const Port &port) {
    return port.role == Port::Role::Output;
  });
  if (arguments == 1 && results == 1) {
    return llvm::Error::success();
  }
  return llvm::createStringError(
      formatv("{0}: expected a function from one [tokens, columns] tensor to "
              "another, but got one with {1} arguments and {2} results",
              state->options.modulePath, arguments, results));
}

/// Whether the module is for so many tokens, and memory holds them.
llvm::Error Session::State::checkTokens(int64_t tokens) const {
  if (llvm::Error error = planned().facts.checkTokens(tokens)) {
    return error;
  }
  // What goes in and what comes out, as a whole and in the ranks' parts.
  int64_t bytes = 0;
  const ProgramLayout &layout = planned().layout;
  for (const Port &port :
       llvm::concat<const Port>(layout.arguments, layout.results)) {
    if (port.role == Port::Role::Tokens || port.role == Port::Role::Output) {
      bytes += 2 * port.columns * elementBytes(port.type);
    }
  }
  return limits.checkRows("expected tokens that fit into memory", tokens,
                          bytes);
}

llvm::Expected<ProgramInput> Session::readInput(llvm::StringRef path) const {
  const Port &port = *state->planned().layout.findArgument(Port::Role::Tokens);
  llvm::Expected<NumpyArray> array = readTokens(path, port.columns);
  if (!array) {
    return array.takeError();
  }
  int64_t tokens = array->shape()[0];
  if (llvm::Error error = state->checkTokens(tokens)) {
    return inFile(path, std::move(error));
  }
  return ProgramInput{tokens,
                      {TokenArray::fromFloats(array->values<float>(), tokens,
                                              port.columns, port.type)},
                      std::nullopt};
}

llvm::Expected<ProgramInput> Session::randomInput(int64_t tokens) const {
  if (llvm::Error error = state->checkTokens(tokens)) {
    return error;
  }
  const Port &port = *state->planned().layout.findArgument(Port::Role::Tokens);
  TokenArray array(port.type, tokens, port.columns);
  RandomTensor::tokens(state->options.seed)
      .fill(0, tokens * port.columns, port.type, array.bytes.data());
  return ProgramInput{tokens, {std::move(array)}, std::nullopt};
}

/// Whether the arrays are what the function takes.
llvm::Error Session::State::checkArguments(const ProgramInput &input) const {
  std::vector<Port> ports;
  llvm::copy_if(
      planned().layout.arguments, std::back_inserter(ports),
      [](const Port &port) { return port.role == Port::Role::Tokens; });
  if (input.arguments.size() != ports.size()) {
    return llvm::createStringError(
        formatv("expected {0} arguments, but got {1}", ports.size(),
                input.arguments.size()));
  }
  for (auto [i, port] : llvm::enumerate(ports)) {
    const TokenArray &array = input.arguments[i];
    int64_t rows = port.rows.value_or(input.tokens);
    if (array.type != port.type || array.rows != rows ||
        array.columns != port.columns) {
      return llvm::createStringError(formatv(
          "expected argument {0} to be {1} [{2}, {3}], but got {4} [{5}, {6}]",
          i, name(port.type), rows, port.columns, name(array.type), array.rows,
          array.columns));
    }
  }
  return llvm::Error::success();
}

llvm::Error Session::State::checkInput(const ProgramInput &input) const {
  if (llvm::Error error = checkTokens(input.tokens)) {
    return error;
  }
  if (options.takesRouting && input.routing->tokens != input.tokens) {
    return llvm::createStringError(
        formatv("expected a routing of {0} tokens, but got {1}", input.tokens,
                input.routing->tokens));
  }
  return checkArguments(input);
}

llvm::Error Session::State::load(ProgramKind kind,
                                 std::optional<LoadedProgram> &loaded) {
  if (loaded) {
    return llvm::Error::success();
  }
  bool isReference = kind == ProgramKind::Reference;
  llvm::Expected<CompiledProgram> program = source->load(kind);
  if (!program) {
    return program.takeError();
  }
  if (isReference) {
    program->layout = onOneRank(std::move(program->layout));
  }
  llvm::Expected<LoadedProgram> made =
      loadProgram(std::move(*program), *weights);
  if (!made) {
    return made.takeError();
  }
  loaded.emplace(std::move(*made));
  if (!isReference && corrupted >= 0) {
    loaded->frames->corruptExpert(loaded->program.layout, *weights, corrupted);
  }
  return llvm::Error::success();
}

RankSetup Session::State::makeSetup() const {
  const Mesh &mesh = planned().mesh;
  const planning::Topology &topology = planned().topology;
  RankSetup setup;
  setup.layer = planned().layerName();
  setup.ranks = mesh.deviceCount();
  for (const planning::Tier &tier : topology.tiers()) {
    setup.tierNames.push_back(tier.name);
  }
  for (int64_t from = 0; from < setup.ranks; ++from) {
    for (int64_t to = 0; to < setup.ranks; ++to) {
      setup.tierOf.push_back(
          topology.tierOf(mesh.deviceAt(from), mesh.deviceAt(to)).value_or(0));
    }
  }
  addGroups(partitioned->program.layout, setup);
  setup.cores = options.cores;
  setup.deadlineSeconds = options.deadlineSeconds;
  setup.exitsWhenStuck = options.exitsWhenStuck;
  setup.movement = options.movement;
  setup.stalledRank = options.stalledRank;
  setup.repeat = options.repeat;
  setup.tracePath = options.tracePath;
  return setup;
}

/// Numbers are in the runtime's own messages; the layers of an
/// encoder–decoder have names.
static llvm::Error nameLayer(llvm::Error error, llvm::StringRef layer) {
  int64_t number = 0;
  if (layer.empty() || !layer.getAsInteger(10, number)) {
    return error;
  }
  return llvm::make_error<RankFailure>(
      ("layer " + layer + ": " + llvm::toString(std::move(error))).str());
}

llvm::Error Session::prepare() {
  if (llvm::Error error =
          state->load(ProgramKind::Partitioned, state->partitioned)) {
    return error;
  }
  if (!state->setup) {
    state->setup = state->makeSetup();
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<HostedRank>>
Session::join(const moert_bootstrap &bootstrap) const {
  assert(state->setup && "expected a session that is prepared");
  const LoadedProgram &loaded = *state->partitioned;
  return HostedRank::join({loaded.program.entry, &loaded.program.layout,
                           loaded.frames.get(), &state->planned()},
                          *state->setup, bootstrap);
}

llvm::Expected<ProgramRun> Session::run(const ProgramInput &input) {
  if (llvm::Error error = state->checkInput(input)) {
    return error;
  }
  if (llvm::Error error = prepare()) {
    return error;
  }
  ProgramCall call(*state->partitioned, input);
  llvm::Expected<RunMeasurement> measurement =
      runRanks(*state->platform, *state->setup, call.calls());
  if (!measurement) {
    return nameLayer(measurement.takeError(), planned().layerName());
  }
  llvm::Expected<ProgramResult> result = call.assembleResult();
  if (!result) {
    return result.takeError();
  }
  return ProgramRun{std::move(*result), std::move(*measurement)};
}

llvm::Expected<ProgramResult> Session::runReference(const ProgramInput &input) {
  if (llvm::Error error = state->checkInput(input)) {
    return error;
  }
  if (llvm::Error error =
          state->load(ProgramKind::Reference, state->reference)) {
    return error;
  }
  ProgramCall call(*state->reference, input);
  RankSetup alone;
  alone.layer = planned().layerName();
  alone.cores = state->options.cores;
  llvm::Expected<RunMeasurement> measurement =
      runRanks(*state->platform, alone, call.calls());
  if (!measurement) {
    return measurement.takeError();
  }
  return call.assembleResult();
}

std::string Session::slotOf(const Difference &difference,
                            int64_t tokens) const {
  if (difference.expert < 0) {
    return "no slot";
  }
  const PlannedLayer &layer = layers()[difference.layer];
  const LayerTraffic &traffic = layer.traffic;
  std::string where = layers().size() > 1 ? " in layer " + layer.name : "";
  // The first group that holds the token serves as well as any other.
  for (const planning::DeviceGroup &group :
       traffic.mesh.groups(traffic.expertAxes)) {
    auto ranges =
        planning::tokenRanges(traffic.mesh, group, traffic.tokenAxes, tokens);
    for (auto [source, range] : llvm::enumerate(ranges)) {
      if (difference.token < range.begin || difference.token >= range.end) {
        continue;
      }
      int64_t slot = traffic.placement.slotFor(
          difference.expert, source,
          difference.token % planning::Placement::tokenClasses);
      int64_t device = group[traffic.placement.rankOfSlot(slot)];
      return formatv("slot {0} of rank {1}{2}",
                     traffic.placement.localSlotOf(slot),
                     traffic.mesh.positionOf(device), where);
    }
  }
  return "no slot";
}

/// On devices a bounded exchange sends whole blocks, with padding that no
/// routing tells.
bool Session::State::sendsPadding() const {
  return options.platform.target() == ProgramTarget::GPU &&
         llvm::any_of(planned().layers, [](const PlannedLayer &layer) {
           return layer.traffic.dispatch.form ==
                  planning::ExchangeForm::FlatBounded;
         });
}

llvm::Expected<std::string> Session::checkTraffic(const ProgramRun &run) const {
  if (state->sendsPadding()) {
    return "";
  }
  const planning::Topology &topology = planned().topology;
  // Layers of one number, or without numbers, are counted together.
  bool areNumbered = llvm::all_of(layers(), [](const PlannedLayer &layer) {
    return layer.number.has_value();
  });
  std::map<int64_t, planning::ExchangeTraffic> planned;
  for (auto [layer, routing] : llvm::zip_equal(layers(), run.result.routings)) {
    llvm::Expected<planning::ExchangeTraffic> traffic =
        layer.traffic.plan(routing);
    if (!traffic) {
      return traffic.takeError();
    }
    planned
        .try_emplace(areNumbered ? *layer.number : 0,
                     noTraffic(topology.tierCount()))
        .first->second += *traffic;
  }
  for (const auto &[key, traffic] : planned) {
    int64_t number = key;
    CountedTraffic counted =
        sumTraffic(run.measurement, topology.tierCount(), [&](int64_t layer) {
          return !areNumbered || layer == number;
        });
    std::string text = compareTraffic(topology, traffic, counted.exchange);
    if (!text.empty()) {
      return planned.size() > 1 ? formatv("layer {0}: {1}", number, text).str()
                                : text;
    }
  }
  return "";
}

int64_t Session::weightBytes() const { return state->weights->loadedBytes(); }

bool Session::weightsAreOnDisk() const { return state->weights->isOnDisk(); }

void Session::corruptExpert(int64_t expert) { state->corrupted = expert; }
