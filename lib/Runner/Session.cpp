// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/Session.h"
#include "LayerCall.h"
#include "LoadedProgram.h"

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
  std::unique_ptr<ProgramSource> source;
  RunLimits limits = RunLimits::query();
  std::unique_ptr<WeightStore> weights;
  std::optional<LoadedProgram> partitioned;
  std::optional<LoadedProgram> reference;
  /// Made once, with the partitioned program: its table of tiers is as large as
  /// ranks squared.
  std::optional<RankSetup> setup;
  int64_t corrupted = -1;

  const PlannedLayer &planned() const { return source->planned(); }
  llvm::Error load(ProgramKind kind, std::optional<LoadedProgram> &loaded);
  llvm::Error checkTokens(int64_t tokens) const;
  llvm::Error checkBound() const;
  llvm::Error checkInput(const LayerInput &input) const;
  RankSetup makeSetup() const;
};

Session::Session(std::unique_ptr<State> state) : state(std::move(state)) {}
Session::~Session() = default;

/// A bounded form sets its bound aside on every rank, whatever arrives.
llvm::Error Session::State::checkBound() const {
  const planning::ExchangeRequest &dispatch = planned().traffic.dispatch;
  if (dispatch.form != planning::ExchangeForm::FlatBounded) {
    return llvm::Error::success();
  }
  const std::string &layer = planned().facts.layer;
  std::string where = layer.empty() ? "" : "layer " + layer + ": ";
  return limits.checkRows(
      where + "expected an exchange bound that fits into the memory of each "
              "rank",
      dispatch.bound, dispatch.rowBytes);
}

llvm::Expected<std::unique_ptr<Session>>
Session::create(std::unique_ptr<ProgramSource> source,
                const SessionOptions &options) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->source = std::move(source);
  if (llvm::Error error =
          state->limits.checkRanks(state->planned().facts.ranks)) {
    return std::move(error);
  }
  if (llvm::Error error = state->checkBound()) {
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

const PlannedLayer &Session::planned() const { return state->planned(); }

const LayerFacts &Session::facts() const { return state->planned().facts; }

const LayerTraffic &Session::traffic() const {
  return state->planned().traffic;
}

/// Whether the module is for so many tokens, and memory holds them.
llvm::Error Session::State::checkTokens(int64_t tokens) const {
  const LayerFacts &facts = planned().facts;
  if (llvm::Error error = facts.checkTokens(tokens)) {
    return error;
  }
  // What goes in and what comes out, as a whole and in the ranks' parts.
  int64_t bytes = 2 * (facts.hidden * elementBytes(facts.type) +
                       planned().traffic.outputColumns *
                           planned().traffic.outputElementBytes);
  return limits.checkRows("expected tokens that fit into memory", tokens,
                          bytes);
}

llvm::Expected<LayerInput> Session::readInput(llvm::StringRef path) const {
  llvm::Expected<NumpyArray> array = readTokens(path, facts().hidden);
  if (!array) {
    return array.takeError();
  }
  if (llvm::Error error = state->checkTokens(array->shape()[0])) {
    return inFile(path, std::move(error));
  }
  return LayerInput{TokenArray::fromFloats(array->values<float>(),
                                           array->shape()[0], facts().hidden,
                                           facts().type),
                    std::nullopt};
}

llvm::Expected<LayerInput> Session::randomInput(int64_t tokens) const {
  if (llvm::Error error = state->checkTokens(tokens)) {
    return error;
  }
  TokenArray array(facts().type, tokens, facts().hidden);
  RandomTensor::tokens(state->options.seed)
      .fill(0, tokens * facts().hidden, facts().type, array.bytes.data());
  return LayerInput{std::move(array), std::nullopt};
}

llvm::Error Session::State::checkInput(const LayerInput &input) const {
  int64_t tokens = input.tokens.rows;
  if (llvm::Error error = checkTokens(tokens)) {
    return error;
  }
  if (options.takesRouting && input.routing->tokens != tokens) {
    return llvm::createStringError(
        formatv("expected a routing of {0} tokens, but got {1}", tokens,
                input.routing->tokens));
  }
  return llvm::Error::success();
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
  const LayerTraffic &traffic = planned().traffic;
  const Mesh &mesh = traffic.mesh;
  RankSetup setup;
  setup.layer = planned().facts.layer;
  setup.ranks = mesh.deviceCount();
  for (const planning::Tier &tier : traffic.topology.tiers()) {
    setup.tierNames.push_back(tier.name);
  }
  for (int64_t from = 0; from < setup.ranks; ++from) {
    for (int64_t to = 0; to < setup.ranks; ++to) {
      setup.tierOf.push_back(
          traffic.topology.tierOf(mesh.deviceAt(from), mesh.deviceAt(to))
              .value_or(0));
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
                           loaded.frames.get(), &state->planned().facts},
                          *state->setup, bootstrap);
}

llvm::Expected<LayerRun> Session::run(const LayerInput &input) {
  if (llvm::Error error = state->checkInput(input)) {
    return error;
  }
  if (llvm::Error error = prepare()) {
    return error;
  }
  LayerCall call(*state->partitioned, input);
  llvm::Expected<RunMeasurement> measurement =
      runRanks(*state->setup, call.calls());
  if (!measurement) {
    return nameLayer(measurement.takeError(), facts().layer);
  }
  llvm::Expected<LayerResult> result = call.assembleResult();
  if (!result) {
    return result.takeError();
  }
  return LayerRun{std::move(*result), std::move(*measurement)};
}

llvm::Expected<LayerResult> Session::runReference(const LayerInput &input) {
  if (llvm::Error error = state->checkInput(input)) {
    return error;
  }
  if (llvm::Error error =
          state->load(ProgramKind::Reference, state->reference)) {
    return error;
  }
  LayerCall call(*state->reference, input);
  RankSetup alone;
  alone.layer = facts().layer;
  alone.cores = state->options.cores;
  llvm::Expected<RunMeasurement> measurement = runRanks(alone, call.calls());
  if (!measurement) {
    return measurement.takeError();
  }
  return call.assembleResult();
}

std::string Session::slotOf(int64_t expert, int64_t token,
                            int64_t tokens) const {
  const LayerTraffic &traffic = state->planned().traffic;
  if (expert < 0) {
    return "no slot";
  }
  // The first group that holds the token serves as well as any other.
  for (const planning::DeviceGroup &group :
       traffic.mesh.groups(traffic.expertAxes)) {
    auto ranges =
        planning::tokenRanges(traffic.mesh, group, traffic.tokenAxes, tokens);
    for (auto [source, range] : llvm::enumerate(ranges)) {
      if (token < range.begin || token >= range.end) {
        continue;
      }
      int64_t slot = traffic.placement.slotFor(
          expert, source, token % planning::Placement::tokenClasses);
      int64_t device = group[traffic.placement.rankOfSlot(slot)];
      return formatv("slot {0} of rank {1}",
                     traffic.placement.localSlotOf(slot),
                     traffic.mesh.positionOf(device));
    }
  }
  return "no slot";
}

int64_t Session::weightBytes() const { return state->weights->loadedBytes(); }

bool Session::weightsAreOnDisk() const { return state->weights->isOnDisk(); }

void Session::corruptExpert(int64_t expert) { state->corrupted = expert; }
