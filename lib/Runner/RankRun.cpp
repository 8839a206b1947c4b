// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Runner/RankRun.h"
#include "CallFunction.h"
#include "RankMemory.h"
#include "RuntimeOptions.h"

#include "moe/Formats/OutputFile.h"
#include "moert/threads.h"

#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <cstdlib>
#include <thread>

using namespace moe::runner;

char RankFailure::ID = 0;

using Clock = std::chrono::steady_clock;

namespace {
/// When a rank ran, in each repetition.
struct RankTimes {
  std::vector<Clock::time_point> begin;
  std::vector<Clock::time_point> end;
  std::vector<std::array<int64_t, MOERT_PHASE_COUNT>> phases;
};

/// What all ranks' bodies share; each touches its own entries only.
struct RunState {
  const RankPlatform *platform;
  const RankSetup *setup;
  llvm::ArrayRef<RankCall> calls;
  std::vector<RankTimes> times;
  std::vector<RankMeasurement> measurements;
};
} // namespace

static moert_status waitForAll(moert_context *context, moert_stream stream) {
  moert_comm *world = nullptr;
  if (moert_status status = moert_context_comm(context, MOERT_WORLD, &world)) {
    return status;
  }
  moert_collective barrier = {};
  barrier.struct_size = sizeof(barrier);
  barrier.kind = MOERT_BARRIER;
  barrier.id = -1;
  barrier.layer = -1;
  barrier.stream = stream;
  moert_comm_run(world, &barrier);
  return moert_context_synchronize(context, stream);
}

static void readPhases(moert_context *context,
                       std::array<int64_t, MOERT_PHASE_COUNT> &phases) {
  for (moert_phase phase = 0; phase < MOERT_PHASE_COUNT; ++phase) {
    moert_context_phase_ns(context, phase, &phases[phase]);
  }
}

static std::vector<CollectiveCount> readCounters(moert_context *context) {
  std::vector<CollectiveCount> result;
  int64_t count = moert_context_counter_count(context);
  for (int64_t index = 0; index < count; ++index) {
    moert_counter counter = {};
    counter.struct_size = sizeof(counter);
    if (moert_context_counter(context, index, &counter) == MOERT_OK) {
      result.push_back(
          {counter.kind, counter.id, counter.layer, counter.local,
           std::vector<moert_traffic>(counter.tiers,
                                      counter.tiers + counter.tier_count)});
    }
  }
  return result;
}

static moert_status runRank(moert_context *context, void *user) {
  RunState &state = *static_cast<RunState *>(user);
  int32_t rank = moert_context_rank(context);
  const RankCall &call = state.calls[rank];
  RankTimes &times = state.times[rank];
  moert_frame frame = {};
  frame.struct_size = sizeof(frame);
  frame.context = context;
  std::unique_ptr<RankWork> work = state.platform->prepare(call, frame);
  if (moert_status status = moert_context_status(context, nullptr)) {
    return status;
  }
  std::vector<uint64_t> arguments = {reinterpret_cast<uint64_t>(&frame)};
  llvm::append_range(arguments, call.arguments);

  for (int64_t turn = 0; turn < state.setup->repeat; ++turn) {
    if (moert_status status = waitForAll(context, frame.stream)) {
      return status;
    }
    moert_context_reset_counters(context);
    moert_context_set_phase(context, MOERT_PHASE_OTHER);
    times.begin.push_back(Clock::now());
    while (rank == state.setup->stalledRank) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    {
      RankScope scope(state.setup->layer, rank);
      callFunction(call.function, arguments);
      work->finishCall();
    }
    times.end.push_back(Clock::now());
    if (moert_status status = moert_context_status(context, nullptr)) {
      return status;
    }
    times.phases.emplace_back();
    readPhases(context, times.phases.back());
  }
  state.measurements[rank].collectives = readCounters(context);
  work->takeResults();
  return moert_context_status(context, nullptr);
}

/// Picks the fastest repetition.
static RunMeasurement summarize(RunState &state) {
  RunMeasurement result;
  size_t fastest = 0;
  for (size_t turn = 0; turn < state.times[0].begin.size(); ++turn) {
    Clock::time_point begin = state.times[0].begin[turn];
    Clock::time_point end = state.times[0].end[turn];
    for (const RankTimes &times : state.times) {
      begin = std::min(begin, times.begin[turn]);
      end = std::max(end, times.end[turn]);
    }
    double seconds = std::chrono::duration<double>(end - begin).count();
    if (turn == 0 || seconds < result.seconds) {
      result.seconds = seconds;
      fastest = turn;
    }
  }
  for (auto [measurement, times] :
       llvm::zip_equal(state.measurements, state.times)) {
    measurement.phaseNanoseconds = times.phases[fastest];
  }
  result.ranks = std::move(state.measurements);
  return result;
}

/// A thread cannot be ended from outside, so the process ends.
static void exitStuck(void *, int32_t rank, const moert_message *message) {
  llvm::errs() << "error: " << message->text << "; rank " << rank
               << " does not return\n";
  std::_Exit(3);
}

llvm::Expected<RunMeasurement>
moe::runner::runRanks(RankPlatform &platform, const RankSetup &setup,
                      llvm::ArrayRef<RankCall> calls) {
  assert(static_cast<int64_t>(calls.size()) == setup.ranks);
  if (llvm::Error error = platform.begin(setup.ranks)) {
    return std::move(error);
  }
  RuntimeOptions runtime(setup, platform);
  moert_threads_options threads = {};
  threads.struct_size = sizeof(threads);
  threads.ranks = static_cast<int32_t>(setup.ranks);
  threads.options = &runtime.options();
  threads.sets = runtime.groupSets().data();
  threads.set_count = static_cast<int32_t>(runtime.groupSets().size());
  threads.on_stuck = setup.exitsWhenStuck ? exitStuck : nullptr;

  RunState state{&platform, &setup, calls, std::vector<RankTimes>(setup.ranks),
                 std::vector<RankMeasurement>(setup.ranks)};
  moert_message message = {};
  message.struct_size = sizeof(message);
  auto run = [&](llvm::StringRef tracePath) -> llvm::Error {
    std::string path = tracePath == "-" ? "/dev/stdout" : tracePath.str();
    threads.trace_path = path.empty() ? nullptr : path.c_str();
    if (moert_threads_run(&threads, runRank, &state, &message) == MOERT_OK) {
      return llvm::Error::success();
    }
    // No rank is to blame for a trace that cannot be written.
    llvm::StringRef text = message.text;
    return !path.empty() && text.starts_with(path + ": ")
               ? llvm::createStringError(text)
               : llvm::make_error<RankFailure>(text.str());
  };
  llvm::Error error = setup.tracePath.empty()
                          ? run("")
                          : formats::writeFileAt(setup.tracePath, run);
  llvm::Error objection = platform.end();
  if (error) {
    // Most likely its consequence.
    llvm::consumeError(std::move(objection));
    return std::move(error);
  }
  if (objection) {
    return std::move(objection);
  }
  return summarize(state);
}
