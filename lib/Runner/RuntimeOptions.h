// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_RUNTIMEOPTIONS_H
#define MOE_LIB_RUNNER_RUNTIMEOPTIONS_H

#include "moe/Runner/RankRun.h"

namespace moe::runner {

/// What ranks run on, in the form of the C ABI. The setup and the platform
/// must outlive it.
class RuntimeOptions {
public:
  RuntimeOptions(const RankSetup &setup, const RankPlatform &platform);
  RuntimeOptions(const RuntimeOptions &) = delete;
  RuntimeOptions &operator=(const RuntimeOptions &) = delete;

  const moert_options &options() const { return contextOptions; }
  llvm::ArrayRef<moert_group_set> groupSets() const { return sets; }

private:
  /// A group set in the flat form of the C ABI.
  struct FlatGroups {
    std::vector<int32_t> offsets = {0};
    std::vector<int32_t> ranks;
  };
  const std::string transport;
  std::vector<const char *> tierNames;
  moert_tiers tiers = {};
  moert_options contextOptions = {};
  std::vector<FlatGroups> flat;
  std::vector<moert_group_set> sets;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_RUNTIMEOPTIONS_H
