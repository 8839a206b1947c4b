// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "RuntimeOptions.h"

#include "llvm/ADT/STLExtras.h"

using namespace moe::runner;

RuntimeOptions::RuntimeOptions(const RankSetup &setup,
                               const RankPlatform &platform)
    : transport(platform.transport()), flat(setup.groupSets.size()) {
  for (const std::string &name : setup.tierNames) {
    tierNames.push_back(name.c_str());
  }
  tiers = {sizeof(moert_tiers), static_cast<int32_t>(tierNames.size()),
           tierNames.data(), setup.tierOf.data()};
  contextOptions.struct_size = sizeof(contextOptions);
  contextOptions.abi_version = MOERT_ABI_VERSION;
  contextOptions.transport = transport.c_str();
  contextOptions.devices = platform.devices();
  contextOptions.movement = setup.movement;
  contextOptions.core_permits = setup.cores;
  contextOptions.deadline_ns =
      static_cast<int64_t>(setup.deadlineSeconds * 1e9);
  contextOptions.tiers = tierNames.empty() ? nullptr : &tiers;
  contextOptions.trace_events = setup.tracePath.empty() ? 0 : 1 << 16;

  for (auto [index, groups] : llvm::enumerate(setup.groupSets)) {
    for (const std::vector<int32_t> &group : groups) {
      llvm::append_range(flat[index].ranks, group);
      flat[index].offsets.push_back(flat[index].ranks.size());
    }
    sets.push_back({sizeof(moert_group_set),
                    static_cast<int32_t>(groups.size()),
                    setup.groupNames[index].c_str(), flat[index].offsets.data(),
                    flat[index].ranks.data()});
  }
}
