// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- LayerFaultsTest.cpp - Every fault at every collective of a layer ---===//
//
// Four ranks, as ep = 2 times etp = 2, run the collectives of an MoE layer as
// compiled code does. One of them commits a fault at one of the collectives:
// all ranks must end soon, with one error that names the collective, the layer
// and the rank.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

using namespace moert::conformance;

namespace {

constexpr int32_t ranks = 4;
constexpr int32_t layer = 5;
constexpr int64_t stallDeadlineNs = 200000000;
constexpr double longestSeconds = 2.0;

/// The sets of groups, as the two mesh axes give them.
constexpr int32_t ep = 0;
constexpr int32_t etp = 1;

/// One collective of the layer; its id is its place in the list, plus one.
struct Step {
  const char *purpose;
  moert_kind kind;
  int32_t set;
  /// It is started, and waited for after other work.
  bool split;
};

const Step steps[] = {
    {"counts of the capacity groups", MOERT_ALL_GATHER, MOERT_WORLD, false},
    {"counts of the rows to each slot", MOERT_ALL_TO_ALL, ep, false},
    {"rows to their experts", MOERT_ALL_TO_ALL_V, ep, true},
    {"rows to the shards of an expert", MOERT_ALL_GATHER_V, etp, false},
    {"columns of the hidden layer", MOERT_ALL_GATHER, etp, true},
    {"partial sums of the outputs", MOERT_REDUCE_SCATTER, etp, true},
    {"rows back home", MOERT_ALL_TO_ALL_V, ep, true},
    {"losses", MOERT_ALL_REDUCE, MOERT_WORLD, false},
    {"the end of the layer", MOERT_BARRIER, MOERT_WORLD, false}};
constexpr int32_t stepCount = int32_t(std::size(steps));

/// What a rank sends and receives. Outlives the job: a rank that leaves with a
/// collective in flight must not take its buffers along.
struct Buffers {
  int32_t source[64] = {};
  int32_t destination[64] = {};
  /// Four rows to and from each member of a group.
  int32_t offsets[ranks + 1] = {0, 4, 8, 12, 16};
};

/// A rank's calls.
class LayerRun {
public:
  LayerRun(Rank &rank, Buffers &buffers) : rank(rank), buffers(buffers) {}

  moert_collective call(int32_t step) {
    const Step &what = steps[step];
    moert_collective call = makeCall(what.kind, step + 1, layer);
    bool reduces =
        what.kind == MOERT_ALL_REDUCE || what.kind == MOERT_REDUCE_SCATTER;
    call.src = buffers.source;
    call.dst = buffers.destination;
    call.src_offsets = call.dst_offsets = buffers.offsets;
    call.row_bytes = sizeof(int32_t);
    call.count = reduces ? 3 : 3 * int64_t(sizeof(int32_t));
    call.dtype = MOERT_INT32;
    return call;
  }

  Rank &rank;
  Buffers &buffers;
};

/// When the culprit commits its fault.
enum class Moment {
  /// Instead of calling, or with the call.
  Call,
  /// Between start and wait.
  InFlight
};

struct Fault {
  const char *name;
  moert_status status;
  Moment moment;
  int64_t deadlineNs;
  /// Does it. Returns false if the rank then leaves.
  bool (*commit)(LayerRun &run, moert_collective &call);
};

} // namespace

static bool leave(LayerRun &, moert_collective &) { return false; }

static bool fail(LayerRun &, moert_collective &) {
  throw std::runtime_error("out of luck");
}

/// Until the others have noticed, which a real culprit would not do.
static bool stall(LayerRun &run, moert_collective &) {
  while (run.rank.status() == MOERT_OK) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

static bool abortJob(LayerRun &run, moert_collective &) {
  moert_context_abort(run.rank.context, MOERT_ABORTED, "asked to");
  return true;
}

static bool callAnotherKind(LayerRun &, moert_collective &call) {
  call.kind = (call.kind + 1) % MOERT_KIND_COUNT;
  return true;
}

static bool callAnotherId(LayerRun &, moert_collective &call) {
  call.id += 100;
  return true;
}

static bool callAnotherLayer(LayerRun &, moert_collective &call) {
  ++call.layer;
  return true;
}

/// A barrier has no counts: there it is the id that differs.
static bool askForOtherCounts(LayerRun &run, moert_collective &call) {
  call.count -= 1;
  run.buffers.offsets[1] -= 1;
  call.id += call.kind == MOERT_BARRIER ? 100 : 0;
  return true;
}

static bool askForAnotherType(LayerRun &, moert_collective &call) {
  call.row_bytes *= 2;
  call.dtype = MOERT_F32;
  call.count += 1;
  call.id += call.kind == MOERT_BARRIER ? 100 : 0;
  return true;
}

static const Fault faults[] = {
    {"returns", MOERT_RANK_EXITED, Moment::Call, 0, leave},
    {"throws", MOERT_RANK_FAILED, Moment::Call, 0, fail},
    {"stalls", MOERT_TIMED_OUT, Moment::Call, stallDeadlineNs, stall},
    {"aborts", MOERT_ABORTED, Moment::Call, 0, abortJob},
    {"calls another kind", MOERT_DIVERGED, Moment::Call, 0, callAnotherKind},
    {"calls another id", MOERT_DIVERGED, Moment::Call, 0, callAnotherId},
    {"is in another layer", MOERT_DIVERGED, Moment::Call, 0, callAnotherLayer},
    {"asks for other counts", MOERT_DIVERGED, Moment::Call, 0,
     askForOtherCounts},
    {"asks for another type", MOERT_DIVERGED, Moment::Call, 0,
     askForAnotherType},
    {"returns in flight", MOERT_RANK_EXITED, Moment::InFlight, 0, leave},
    {"throws in flight", MOERT_RANK_FAILED, Moment::InFlight, 0, fail},
    {"stalls in flight", MOERT_TIMED_OUT, Moment::InFlight, stallDeadlineNs,
     stall},
    {"aborts in flight", MOERT_ABORTED, Moment::InFlight, 0, abortJob}};

namespace {

/// One run: who does what, and where.
struct Scenario {
  const Fault *fault;
  int32_t step;
  int32_t culprit;

  bool applies(int32_t rank, int32_t at, Moment moment) const {
    return rank == culprit && at == step && moment == fault->moment;
  }
};

class LayerFaultsTest : public TransportTest {
protected:
  void expectFailure(const Scenario &scenario) const;
};

} // namespace
MOERT_FOR_THREADS(LayerFaultsTest);

/// Returns whether the rank goes on.
static bool runStep(LayerRun &run, int32_t step, const Scenario &scenario) {
  int32_t rank = run.rank.rank;
  moert_collective call = run.call(step);
  if (scenario.applies(rank, step, Moment::Call) &&
      !scenario.fault->commit(run, call)) {
    return false;
  }
  if (!steps[step].split) {
    return run.rank.run(call, steps[step].set) == MOERT_OK;
  }
  moert_pending pending = run.rank.start(call, steps[step].set);
  if (scenario.applies(rank, step, Moment::InFlight) &&
      !scenario.fault->commit(run, call)) {
    return false;
  }
  return run.rank.wait(pending, steps[step].set) == MOERT_OK;
}

static void runLayer(Rank &rank, Buffers &buffers, const Scenario &scenario) {
  LayerRun run(rank, buffers);
  bool goesOn = rank.run(makeCall(MOERT_BARRIER, 0, layer)) == MOERT_OK;
  for (int32_t step = 0; goesOn && step < stepCount; ++step) {
    goesOn = runStep(run, step, scenario);
  }
  // A fault at the last step is only seen by those who still need the rank.
  if (goesOn) {
    rank.run(makeCall(MOERT_BARRIER, stepCount + 1, layer));
  }
  if (rank.status() != MOERT_OK) {
    // The failure is sticky: every later call returns it at once.
    EXPECT_EQ(rank.run(makeCall(MOERT_BARRIER, 99)), rank.status());
  }
}

/// As messages name a step; -1 is the barrier before the first.
static std::string nameOf(int32_t step) {
  moert_kind kind = step < 0 ? MOERT_BARRIER : steps[step].kind;
  return std::string(moert_kind_name(kind)) + " #" + std::to_string(step + 1) +
         " (layer 5)";
}

static bool names(const Outcome &outcome, const std::string &what) {
  return outcome.text.find(what) != std::string::npos;
}

void LayerFaultsTest::expectFailure(const Scenario &scenario) const {
  SCOPED_TRACE("rank " + std::to_string(scenario.culprit) + " " +
               scenario.fault->name + " at " + steps[scenario.step].purpose);
  Job job = {ranks, scenario.fault->deadlineNs};
  job.sets = {{{0, 2}, {1, 3}}, {{0, 1}, {2, 3}}};
  Buffers buffers[ranks];
  Outcome outcome = run(
      job, [&](Rank &rank) { runLayer(rank, buffers[rank.rank], scenario); });
  EXPECT_LT(outcome.seconds, longestSeconds);
  EXPECT_EQ(outcome.status, scenario.fault->status) << outcome.text;
  std::string culprit = "rank " + std::to_string(scenario.culprit);
  // Of several ranks: "ranks 0, 2".
  bool named = names(outcome, culprit) ||
               (names(outcome, "ranks ") &&
                names(outcome, ", " + std::to_string(scenario.culprit)));
  EXPECT_TRUE(named) << outcome.text;
  // The collective itself, or that from which the culprit came. While one rank
  // stalls, others may come further.
  EXPECT_TRUE(names(outcome, nameOf(scenario.step)) ||
              names(outcome, nameOf(scenario.step - 1)) ||
              (scenario.fault->deadlineNs > 0 && names(outcome, "(layer 5)")))
      << outcome.text;
}

TEST_P(LayerFaultsTest, AllRanksEndWithOneErrorThatNamesThePlace) {
  bool early = GetParam().movement == MOERT_MOVE_EARLY;
  int32_t runs = 0;
  for (const Fault &fault : faults) {
    for (int32_t step = 0; step < stepCount; ++step) {
      // Early movement leaves nothing in flight after a start.
      bool inFlight = fault.moment == Moment::InFlight;
      if (inFlight && (early || !steps[step].split)) {
        continue;
      }
      for (int32_t culprit = 0; culprit < ranks; ++culprit) {
        expectFailure({&fault, step, culprit});
        ++runs;
      }
    }
  }
  EXPECT_GE(runs, 200);
  RecordProperty("runs", runs);
  std::printf("%d faults, each ended all ranks in time\n", runs);
}
