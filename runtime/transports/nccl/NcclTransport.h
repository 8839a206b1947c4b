// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NcclTransport.h - Ranks are devices ----------------------*- C++ -*-===//
//
// Collectives run on a stream of the transport's own. `start` makes it wait for
// the caller's stream and puts the calls of NCCL on it; `wait` makes the
// caller's stream wait for them. The host waits for ranks in two places only:
// where a set is bound, and in synchronize.
//
// One rule keeps communicators from blocking each other: each rank starts its
// collectives, of whatever set, in an order that agrees with that of every
// other rank. All of them go on one stream, so they run in that order.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_NCCL_NCCLTRANSPORT_H
#define MOERT_TRANSPORTS_NCCL_NCCLTRANSPORT_H

#include "transports/device/DeviceWork.h"
#include "transports/nccl/LocalJob.h"

namespace moert {

/// What a rank knows once it has met the others.
struct NcclRank {
  int32_t rank = 0;
  int32_t size = 1;
  /// The same on all ranks.
  nccl::UniqueId world = {};
  std::shared_ptr<LocalJob> job;
  std::unique_ptr<DeviceRank> device;
};

class NcclTransport : public Transport {
public:
  explicit NcclTransport(NcclRank joined);
  ~NcclTransport() override;

  const char *name() const override { return "nccl"; }
  const Failure *failure() const override { return job.failure.get(); }
  void fail(moert_status status, const std::string &text) override {
    job.failure.set(status, text);
  }
  void bind(const GroupSet &set) override;
  Token start(int32_t set, const Operation &operation,
              PhaseTimer &timer) override;
  bool wait(Token token, PhaseTimer &timer) override;
  bool synchronize(moert_stream stream, PhaseTimer &timer) override;
  void quiesce() override;
  void leave() override;
  std::string lastCollective() const override {
    return job.lastCollective(rank);
  }
  /// Work runs on devices: cores are not limited.
  bool acquireCore() override { return !failure(); }
  void releaseCore() override {}
  moert_status query(moert_capability capability,
                     int64_t &value) const override;
  bool fetchOffsets(moert_collective &collective, int32_t size,
                    OffsetStorage &storage) override;
  void clearCounts(const Operation &operation) override;
  const moert_allocator *allocator() const override { return &own.allocator; }
  DeviceWork *device() override { return &work; }

private:
  struct Membership {
    GroupId id;
    std::vector<int32_t> ranks;
    /// Null where the rank is in no group of the set, and once it is gone.
    nccl::Comm comm = nullptr;
  };
  /// A collective from start until it is known to be done.
  struct Started {
    cuda::Event begin = nullptr;
    cuda::Event end = nullptr;
    moert_stream stream = nullptr;
    bool waitedFor = false;
    /// It went into a graph: there is nothing to be done now.
    bool captured = false;
    /// For messages about one that does not end.
    std::string name;
    GroupId group;
    int64_t sequence = 0;
    int64_t deadlineNs = 0;
    /// Where counts may be read once it has failed.
    Operation operation;
  };

  // Progress.cpp: waiting, with an eye on failures and the deadline.
  bool settle(nccl::Comm comm, const std::string &what);
  bool awaitStream(cuda::Stream stream);
  bool checkAsyncErrors();
  void failStalled();
  void dropDone();
  void abandon();

  bool check(const std::string &what, cuda::Result result);
  bool isCapturing(moert_stream stream);
  std::unique_ptr<Started> makeStarted(const Membership &membership,
                                       const Operation &operation);
  void freeEvents(Started &done);
  void fillCounts(const Operation &operation);
  void destroyCommunicators();

  const NcclRank self;
  const int32_t rank;
  LocalJob &job;
  DeviceRank &own;
  const cuda::Driver &driver;
  const nccl::Library &nccl;
  DeviceWork work;
  std::vector<Membership> memberships;
  /// In the order in which they run.
  std::deque<std::unique_ptr<Started>> started;
  bool abandoned = false;
  bool left = false;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_NCCL_NCCLTRANSPORT_H
