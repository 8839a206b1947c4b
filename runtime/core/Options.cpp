// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Options.cpp - Checking what the host passes in ---------------------===//

#include "core/Context.h"

#include <cstdlib>
#include <cstring>

namespace moert {

static void *allocateAligned(void *, int64_t bytes, int64_t alignment) {
  // aligned_alloc wants a multiple of the alignment.
  int64_t rounded = (bytes + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(size_t(alignment), size_t(rounded));
}

static void deallocateAligned(void *, void *pointer, int64_t) {
  std::free(pointer);
}

static std::string checkRow(const moert_tiers &tiers, int32_t size,
                            int32_t from) {
  const int32_t *row = tiers.tier_of + size_t(from) * size_t(size);
  for (int32_t to = 0; to < size; ++to) {
    if (from != to && (row[to] < 0 || row[to] >= tiers.count)) {
      return "tiers: rank " + std::to_string(from) + " to rank " +
             std::to_string(to) + ": expected a tier below " +
             std::to_string(tiers.count) + ", but got " +
             std::to_string(row[to]);
    }
  }
  return {};
}

static std::string readTiers(const moert_tiers &tiers, int32_t size,
                             int32_t rank, ContextOptions &result) {
  if (tiers.count < 1 || !tiers.names || !tiers.tier_of) {
    return "tiers: expected at least one tier, with names and a table";
  }
  result.tierNames.assign(tiers.names, tiers.names + tiers.count);
  result.tierTable = tiers.tier_of;
  if (rank != allRanks) {
    return checkRow(tiers, size, rank);
  }
  std::string error;
  for (int32_t from = 0; from < size && error.empty(); ++from) {
    error = checkRow(tiers, size, from);
  }
  return error;
}

static std::string checkVersions(const moert_options &options) {
  std::string error = checkSize("moert_options", &options);
  if (error.empty() && options.abi_version != MOERT_ABI_VERSION) {
    error = "moert_options: expected abi_version " +
            std::to_string(MOERT_ABI_VERSION) + ", but got " +
            std::to_string(options.abi_version);
  }
  if (error.empty()) {
    error = checkSize("moert_tiers", options.tiers);
  }
  return error.empty() ? checkSize("moert_allocator", options.allocator)
                       : error;
}

moert_status readOptions(const moert_options &options, int32_t size,
                         int32_t rank, ContextOptions &result,
                         std::string &error) {
  error = checkVersions(options);
  if (!error.empty()) {
    return MOERT_VERSION_MISMATCH;
  }
  if (options.transport && std::strcmp(options.transport, "threads") != 0 &&
      std::strcmp(options.transport, "nccl") != 0) {
    error = "expected transport \"threads\" or \"nccl\", but got \"" +
            std::string(options.transport) + "\"";
    return MOERT_UNSUPPORTED;
  }
  if (options.movement < MOERT_MOVE_ANYTIME ||
      options.movement > MOERT_MOVE_EARLY || options.core_permits < 0) {
    error = "options: movement " + std::to_string(options.movement) +
            " or core_permits " + std::to_string(options.core_permits) +
            " is out of range";
    return MOERT_INVALID_ARGUMENT;
  }
  result.traceEvents = options.trace_events;
  if (options.allocator &&
      (!options.allocator->allocate || !options.allocator->deallocate)) {
    error = "moert_allocator: expected both functions";
    return MOERT_INVALID_ARGUMENT;
  }
  if (options.allocator) {
    result.allocator = *options.allocator;
    result.hostAllocates = true;
  } else {
    result.allocator = {sizeof(moert_allocator), 0, nullptr, allocateAligned,
                        deallocateAligned};
  }
  if (options.tiers) {
    error = readTiers(*options.tiers, size, rank, result);
  }
  return error.empty() ? MOERT_OK : MOERT_INVALID_ARGUMENT;
}

static std::string checkGroups(const moert_group_set &set, int32_t size,
                               GroupSet &result) {
  if (set.count < 0 || (set.count > 0 && (!set.offsets || !set.ranks))) {
    return "expected offsets and ranks of " + std::to_string(set.count) +
           " groups";
  }
  std::vector<bool> seen(size_t(size), false);
  for (int32_t g = 0; g < set.count; ++g) {
    if (set.offsets[g] < 0 || set.offsets[g + 1] < set.offsets[g]) {
      return "offsets are not ascending";
    }
    result.groups.emplace_back(set.ranks + set.offsets[g],
                               set.ranks + set.offsets[g + 1]);
    for (int32_t rank : result.groups.back()) {
      if (rank < 0 || rank >= size || seen[size_t(rank)]) {
        return "expected each rank below " + std::to_string(size) +
               " at most once, but got rank " + std::to_string(rank);
      }
      seen[size_t(rank)] = true;
    }
  }
  return {};
}

moert_status readGroupSet(const moert_group_set &set, int32_t size,
                          GroupSet &result, std::string &error) {
  error = checkSize("moert_group_set", &set);
  if (!error.empty()) {
    return MOERT_VERSION_MISMATCH;
  }
  result.name = set.name ? set.name : "";
  error = checkGroups(set, size, result);
  if (!error.empty()) {
    error = "group set \"" + result.name + "\": " + error;
  }
  return error.empty() ? MOERT_OK : MOERT_INVALID_ARGUMENT;
}

} // namespace moert
