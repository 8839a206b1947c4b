// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one process can carry, found out before any work is done. Ranks are
// threads, so the system's limits on threads hold for them; every pair of ranks
// costs memory; and what a run surely holds must fit into the memory there is.
// docs/Rationale/Runtime.md reasons the numbers out.
#ifndef MOE_RUNNER_RUNLIMITS_H
#define MOE_RUNNER_RUNLIMITS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <limits>

namespace moe::runner {

/// What is not limited is the largest number.
struct RunLimits {
  static constexpr int64_t none = std::numeric_limits<int64_t>::max();

  /// Bytes: the least of the machine's memory and what control groups and
  /// resource limits (`ulimit -v`) leave to this process.
  int64_t memory = none;
  /// Threads of this process: the least of the kernel's, the user's and the
  /// control groups' limits.
  int64_t threads = none;

  /// Of this process.
  static RunLimits query();

  /// Fails unless so many ranks can be threads of this process. The error names
  /// the limit that they exceed.
  llvm::Error checkRanks(int64_t ranks) const;
  /// Fails unless `count` rows of `bytes` fit into memory. `what` begins the
  /// error: `expected tokens that fit into memory`.
  llvm::Error checkRows(llvm::StringRef what, int64_t count,
                        int64_t bytes) const;
};

} // namespace moe::runner

#endif // MOE_RUNNER_RUNLIMITS_H
