// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- JoinNccl.cpp - Meeting through a bootstrap table -------------------===//

#include "core/Descriptor.h"
#include "transports/Join.h"
#include "transports/nccl/NcclTransport.h"

#include <cstdio>
#include <functional>
#include <unistd.h>

namespace moert {

namespace {

/// What ranks tell each other when they meet.
struct Hello {
  /// Two ranks of one process have both in common.
  uint64_t host;
  int64_t process;
  /// Where the rank's own job is: one of them serves all of the process.
  std::shared_ptr<LocalJob> *job;
  moert_status status;
  int32_t device;
  int64_t deadlineNs;
  /// Of rank 0.
  nccl::UniqueId world;

  bool isWith(const Hello &other) const {
    return host == other.host && process == other.process;
  }
};

} // namespace

/// A number that differs from machine to machine, and from boot to boot.
static uint64_t hostNumber() {
  char text[128] = {};
  if (gethostname(text, 64) != 0) {
    text[0] = 0;
  }
  if (std::FILE *file = std::fopen("/proc/sys/kernel/random/boot_id", "r")) {
    size_t length = std::char_traits<char>::length(text);
    if (!std::fgets(text + length, int(sizeof(text) - length), file)) {
      text[length] = 0;
    }
    std::fclose(file);
  }
  return std::hash<std::string>()(text);
}

static std::vector<Hello> gather(const moert_bootstrap &table,
                                 const Hello &self, moert_status &status,
                                 std::string &error) {
  std::vector<Hello> hellos(size_t(table.size), self);
  if (table.size > 1 &&
      table.all_gather(table.state, &self, sizeof(self), hellos.data()) != 0) {
    error = "the bootstrap table's all_gather failed";
    status = MOERT_BOOTSTRAP_FAILED;
  }
  for (size_t r = 0; status == MOERT_OK && r < hellos.size(); ++r) {
    if (hellos[r].status != MOERT_OK) {
      status = hellos[r].status;
      error = "rank " + std::to_string(r) +
              " could not join: " + moert_status_name(status);
    } else if (hellos[r].deadlineNs != hellos[0].deadlineNs) {
      status = MOERT_DIVERGED;
      error = "rank " + std::to_string(r) + " passes other options than rank 0";
    }
  }
  return hellos;
}

/// That two ranks of one process have the same device, which NCCL refuses; the
/// same answer on all of them. Empty if all is well.
static std::string checkDevices(const std::vector<Hello> &hellos) {
  for (size_t r = 0; r < hellos.size(); ++r) {
    for (size_t other = 0; other < r; ++other) {
      if (hellos[r].isWith(hellos[other]) &&
          hellos[r].device == hellos[other].device) {
        return "expected a device for each rank, but ranks " +
               std::to_string(other) + " and " + std::to_string(r) +
               " are both on device " + std::to_string(hellos[r].device);
      }
    }
  }
  return {};
}

/// The rank's place among those of its machine, where it has a table of more
/// than itself.
static int32_t placeOnHost(const std::vector<Hello> &hellos, int32_t rank) {
  int32_t place = 0;
  for (int32_t r = 0; r < rank; ++r) {
    place += hellos[size_t(r)].host == hellos[size_t(rank)].host ? 1 : 0;
  }
  return place;
}

/// Those that the host brings, or the machine's own.
static std::string findLibraries(const Joining &joining,
                                 DeviceLibraries &libraries) {
  const moert_options *options = joining.options;
  if (joining.status == MOERT_OK && options &&
      MOERT_HAS_FIELD(*options, devices) && options->devices) {
    libraries = options->devices->libraries;
    return {};
  }
  return findDeviceLibraries(libraries);
}

moert_status joinNccl(const Joining &joining,
                      std::unique_ptr<Transport> &transport,
                      std::string &error) {
  const moert_bootstrap &table = joining.table;
  DeviceLibraries libraries;
  std::string missing = findLibraries(joining, libraries);
  auto job = std::make_shared<LocalJob>(deadlineOf(joining.options));
  Hello self = {};
  self.host = hostNumber();
  self.process = getpid();
  self.job = &job;
  self.deadlineNs = job->deadlineNs;
  self.status = missing.empty() ? MOERT_OK : MOERT_UNSUPPORTED;
  if (missing.empty() && table.rank == 0 &&
      libraries.nccl->getUniqueId(&self.world) != nccl::Success) {
    missing = "NCCL: no unique id for the ranks to meet by";
    self.status = MOERT_INTERNAL;
  }
  moert_status status = MOERT_OK;
  std::vector<Hello> hellos = gather(table, self, status, error);
  if (!missing.empty()) {
    error = missing;
  }
  NcclRank joined;
  if (status == MOERT_OK) {
    // Devices in a second round: their numbers follow from who is where.
    joined.device = std::make_unique<DeviceRank>(libraries);
    std::string broken = joined.device->open(placeOnHost(hellos, table.rank));
    self.status = broken.empty() ? MOERT_OK : MOERT_INTERNAL;
    self.device = joined.device->device();
    hellos = gather(table, self, status, error);
    error = broken.empty() ? error : broken;
  }
  if (status == MOERT_OK) {
    error = checkDevices(hellos);
    status = error.empty() ? MOERT_OK : MOERT_INVALID_ARGUMENT;
  }
  std::vector<int32_t> locals;
  for (int32_t r = 0; status == MOERT_OK && r < table.size; ++r) {
    if (hellos[size_t(r)].isWith(self)) {
      locals.push_back(r);
    }
  }
  if (!locals.empty()) {
    joined.job = *hellos[size_t(locals[0])].job;
    joined.job->expect(locals);
  }
  // Jobs must live until all have copied theirs.
  if (status != MOERT_BOOTSTRAP_FAILED && table.size > 1 &&
      table.barrier(table.state) != 0) {
    error = "the bootstrap table's barrier failed";
    status = MOERT_BOOTSTRAP_FAILED;
  }
  if (status == MOERT_OK) {
    joined.rank = table.rank;
    joined.size = table.size;
    joined.world = hellos[0].world;
    transport = std::make_unique<NcclTransport>(std::move(joined));
  }
  return status;
}

} // namespace moert
