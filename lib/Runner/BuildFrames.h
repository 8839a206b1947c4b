// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_BUILDFRAMES_H
#define MOE_LIB_RUNNER_BUILDFRAMES_H

#include "AlignedBuffer.h"

#include "moe/Runner/RankRun.h"
#include "moe/Runner/WeightStore.h"

namespace moe::runner {

/// What the handles of each rank's frame point to.
class RankFrames {
public:
  /// Asks the store for every part that any rank of the program needs.
  static void request(const ProgramLayout &layout, WeightStore &store);

  /// Fills the tables, once the store has loaded.
  RankFrames(const ProgramLayout &layout, const WeightStore &store);

  /// Makes the weights of one expert wrong, in a copy of their own.
  void corruptExpert(const ProgramLayout &layout, const WeightStore &store,
                     int64_t expert);

  void *const *handles(int64_t rank) const { return ranks[rank].data(); }
  /// The same with what they point to.
  llvm::ArrayRef<HandleData> data(int64_t rank) const { return hosted[rank]; }

private:
  using Handles = std::vector<void *>;
  std::vector<Handles> ranks;
  std::vector<std::vector<HandleData>> hosted;
  /// Tables of pointers, one a slot.
  std::vector<std::unique_ptr<std::vector<const void *>>> slotTables;
  std::vector<std::unique_ptr<std::vector<int32_t>>> placementTables;
  /// Copies of what was corrupted.
  std::vector<AlignedBuffer> copies;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_BUILDFRAMES_H
