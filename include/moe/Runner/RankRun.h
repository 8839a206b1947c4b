// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running one function on N ranks, and what the runtime measured meanwhile.
#ifndef MOE_RUNNER_RANKRUN_H
#define MOE_RUNNER_RANKRUN_H

#include "moe/Runner/DeviceCode.h"
#include "moe/Runner/RankPlatform.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <string>
#include <vector>

namespace moe::runner {

/// A rank failed, or ranks diverged or stalled: not the fault of the input.
class RankFailure : public llvm::ErrorInfo<RankFailure> {
public:
  static char ID;
  explicit RankFailure(std::string text) : text(std::move(text)) {}
  void log(llvm::raw_ostream &os) const override { os << text; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  std::string text;
};

/// What ranks run on.
struct RankSetup {
  /// Named in errors; may be empty.
  std::string layer;
  int64_t ranks = 1;
  std::vector<std::string> tierNames;
  /// [ranks * ranks]: the tier between two ranks; the diagonal is not read.
  std::vector<int32_t> tierOf;
  /// One entry a group set, each a list of groups of ranks.
  std::vector<std::vector<std::vector<int32_t>>> groupSets;
  std::vector<std::string> groupNames;
  /// How many ranks compute at a time; 0: as many as there are cores.
  int32_t cores = 0;
  /// The job fails when no rank gets further for so long; a rank that does not
  /// return then is stuck. 0: 60 seconds.
  double deadlineSeconds = 0;
  /// Whether the process ends then; else the run waits for that rank.
  bool exitsWhenStuck = true;
  /// When data moves: MOERT_MOVE_ANYTIME but in tests.
  moert_movement movement = MOERT_MOVE_ANYTIME;
  /// A rank that never calls its function, for tests; -1: none.
  int64_t stalledRank = -1;
  /// How often the function runs; the fastest time counts.
  int64_t repeat = 1;
  /// Chrome trace of the last run; empty: none.
  std::string tracePath;
};

/// Bytes in the host's memory; null: none.
struct HostBytes {
  const void *data = nullptr;
  int64_t bytes = 0;
};

/// What an entry of a frame's handles is: data, or a table of pointers to it,
/// one a slot.
struct HandleData {
  bool isTable = false;
  std::vector<HostBytes> parts;
};

/// A matrix among the arguments of a call.
struct PortBuffer {
  moert_matrix *matrix = nullptr;
  int64_t bytes = 0;
  bool isResult = false;
};

/// One rank's function and what it gets. Everything is in the host's memory;
/// the platform brings it to where the rank runs.
struct RankCall {
  void *function = nullptr;
  /// Null for code of the CPU.
  const DeviceCode *code = nullptr;
  void *const *handles = nullptr;
  /// What the handles point to, and the matrices that arguments point to.
  llvm::ArrayRef<HandleData> data;
  std::vector<PortBuffer> buffers;
  /// After the frame: pointers and integers, in the order of the parameters.
  std::vector<uint64_t> arguments;
};

/// What one collective of the program sent from one rank.
struct CollectiveCount {
  moert_kind kind;
  int32_t id;
  /// -1: none.
  int32_t layer;
  moert_traffic local;
  std::vector<moert_traffic> tiers;
};

struct RankMeasurement {
  std::array<int64_t, MOERT_PHASE_COUNT> phaseNanoseconds{};
  std::vector<CollectiveCount> collectives;
};

struct RunMeasurement {
  /// From the first rank's start to the last one's end, in the fastest run.
  double seconds = 0;
  /// Phases are those of the fastest run.
  std::vector<RankMeasurement> ranks;
};

/// Runs `calls`, one a rank, each from a thread. The first failure of any rank
/// is a RankFailure.
llvm::Expected<RunMeasurement> runRanks(RankPlatform &platform,
                                        const RankSetup &setup,
                                        llvm::ArrayRef<RankCall> calls);

} // namespace moe::runner

#endif // MOE_RUNNER_RANKRUN_H
