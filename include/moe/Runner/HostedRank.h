// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One rank of a program on a thread of the host, which brings the threads, the
// bootstrap table and the buffers. Session::join makes one.
#ifndef MOE_RUNNER_HOSTEDRANK_H
#define MOE_RUNNER_HOSTEDRANK_H

#include "moe/Runner/PlannedProgram.h"
#include "moe/Runner/RankRun.h"

#include <memory>

namespace moe::runner {

class RankFrames;

/// A program that ranks can run; nothing is owned.
struct HostedProgram {
  void *entry = nullptr;
  const ProgramLayout *layout = nullptr;
  const RankFrames *frames = nullptr;
  const PlannedProgram *planned = nullptr;
};

/// A rank's own part of one call, in the host's memory: row-major, rows back
/// to back, aligned to their elements. HostedRank::partOf says which part.
struct RankBuffers {
  /// Of all ranks together.
  int64_t tokens = 0;
  /// In the program's type.
  const void *input = nullptr;
  void *output = nullptr;
  /// [rows, choices] of each layer, one layer after the other: the experts that
  /// were chosen, and their weights. May be null.
  int32_t *experts = nullptr;
  float *weights = nullptr;
};

class HostedRank {
public:
  /// Joins the job: a collective call of all ranks.
  static llvm::Expected<std::unique_ptr<HostedRank>>
  join(const HostedProgram &program, const RankSetup &setup,
       const moert_bootstrap &bootstrap);
  /// Leaves the job.
  ~HostedRank();

  /// The rank is a position of the mesh.
  int64_t rank() const { return position; }

  /// What of the tokens ([tokens, hidden]), or of the output, this rank holds.
  Rectangle partOf(Port::Role role, int64_t tokens) const;

  /// Runs the program: a collective call of all ranks, with the same number of
  /// tokens. A RankFailure ends the job: later calls fail with the same text.
  llvm::Error run(const RankBuffers &buffers);

private:
  HostedRank(const HostedProgram &program, int64_t position)
      : program(program), position(position) {}

  HostedProgram program;
  int64_t position;
  moert_context *context = nullptr;
};

} // namespace moe::runner

#endif // MOE_RUNNER_HOSTEDRANK_H
