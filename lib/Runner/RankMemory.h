// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory of compiled code. It does not ask whether it got any, so that who
// gives it must not come back without.
#ifndef MOE_LIB_RUNNER_RANKMEMORY_H
#define MOE_LIB_RUNNER_RANKMEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace moe::runner {

/// Says which rank's code this thread runs while the object lives.
class RankScope {
public:
  /// `layer` may be empty, and must outlive the object.
  RankScope(const std::string &layer, int64_t rank);
  ~RankScope();
};

/// `malloc` for compiled code. Without memory it says which layer and rank
/// asked for how much, and ends the process with status 3: a program cannot be
/// left in its middle.
void *allocateForRank(size_t bytes);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_RANKMEMORY_H
