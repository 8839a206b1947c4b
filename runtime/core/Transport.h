// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Transport.h - What moves the data ------------------------*- C++ -*-===//
//
// The line between what is the same for every transport (checks, sequence,
// counters, phases, trace, the sticky status) and what differs. A transport
// belongs to one rank.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_CORE_TRANSPORT_H
#define MOERT_CORE_TRANSPORT_H

#include "core/Failure.h"
#include "core/Operation.h"
#include "core/PhaseTimer.h"

#include <memory>
#include <string>
#include <vector>

namespace moert {

class DeviceWork;

/// A checked copy of a moert_group_set.
struct GroupSet {
  std::string name;
  std::vector<std::vector<int32_t>> groups;

  bool operator==(const GroupSet &other) const {
    return name == other.name && groups == other.groups;
  }
};

/// Offsets on the host of a call whose own are in device memory.
using OffsetStorage = std::vector<int32_t>;

/// A started operation, owned by the transport until it was waited for.
using Token = void *;

class Transport {
public:
  virtual ~Transport() = default;

  /// As moert_options has it.
  virtual const char *name() const = 0;
  /// The job's first failure, null while all is well. Stays valid.
  virtual const Failure *failure() const = 0;
  /// Ends the job for all ranks, unless it has failed already.
  virtual void fail(moert_status status, const std::string &text) = 0;

  /// Makes the next set known. Set 0 is bound by the context itself and holds
  /// all ranks.
  virtual void bind(const GroupSet &set) = 0;

  /// Publishes this rank's part in its group of the set. Null on failure.
  virtual Token start(int32_t set, const Operation &operation,
                      PhaseTimer &timer) = 0;
  /// Returns whether the operation completed. Both charge the time in which the
  /// rank could do nothing to the timer's wait phase.
  virtual bool wait(Token token, PhaseTimer &timer) = 0;
  /// Once the job has failed: returns when no peer touches this rank's buffers.
  virtual void quiesce() = 0;
  /// Returns whether all that is queued on the stream was done. Transports
  /// without streams do everything in start and wait.
  virtual bool synchronize(moert_stream, PhaseTimer &) { return !failure(); }
  /// This rank takes part in nothing more.
  virtual void leave() = 0;

  /// The last collective that this rank started, for example "barrier #3 (layer
  /// 1)"; empty if there was none.
  virtual std::string lastCollective() const = 0;

  /// Returns false if the job has failed.
  virtual bool acquireCore() = 0;
  virtual void releaseCore() = 0;
  virtual moert_status query(moert_capability capability,
                             int64_t &value) const = 0;

  /// Copies offsets that are in device memory to `storage` on the host, and
  /// makes the descriptor point there. Returns false where the transport cannot
  /// do that, or where it failed.
  virtual bool fetchOffsets(moert_collective &, int32_t, OffsetStorage &) {
    return false;
  }
  /// Fills a destination from which counts may be read with zeros.
  virtual void clearCounts(const Operation &operation) {
    operation.clearCounts();
  }
  /// Where payload memory comes from unless the host says so; null: the C
  /// library.
  virtual const moert_allocator *allocator() const { return nullptr; }
  /// What runs on the rank's device; null where ranks are threads.
  virtual DeviceWork *device() { return nullptr; }
};

} // namespace moert

#endif // MOERT_CORE_TRANSPORT_H
