// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- NcclTransport.cpp --------------------------------------------------===//

#include "transports/nccl/NcclTransport.h"
#include "transports/nccl/Collectives.h"

#include <algorithm>

namespace moert {

NcclTransport::NcclTransport(NcclRank joined)
    : self(std::move(joined)), rank(self.rank), job(*self.job),
      own(*self.device), driver(own.driver), nccl(own.nccl),
      work(own, *this, rank) {}

NcclTransport::~NcclTransport() { leave(); }

bool NcclTransport::check(const std::string &what, cuda::Result result) {
  if (result != cuda::Success) {
    fail(MOERT_INTERNAL, "rank " + std::to_string(rank) + ": " + what +
                             ": CUDA: " + explain(driver, result));
  }
  return result == cuda::Success;
}

void NcclTransport::bind(const GroupSet &set) {
  CurrentContext current = own.makeCurrent();
  Membership membership;
  membership.id.set = int32_t(memberships.size());
  int position = 0;
  int color = nccl::noColor;
  for (size_t g = 0; g < set.groups.size(); ++g) {
    const std::vector<int32_t> &group = set.groups[g];
    auto found = std::find(group.begin(), group.end(), rank);
    if (found != group.end()) {
      position = int(found - group.begin());
      color = int(g);
      membership.id.group = color;
      membership.ranks = group;
    }
  }
  std::string what = "group set \"" + set.name + "\"";
  nccl::Config config;
  nccl::Result result = nccl::Success;
  nccl::Comm world = memberships.empty() ? nullptr : memberships[0].comm;
  if (memberships.empty()) {
    result = nccl.commInitRank(&membership.comm, self.size, self.world, rank,
                               &config);
  } else if (world) {
    result = nccl.commSplit(world, color, position, &membership.comm, &config);
  }
  if (result != nccl::Success && result != nccl::InProgress) {
    fail(MOERT_INTERNAL, "rank " + std::to_string(rank) + ": " + what +
                             ": NCCL: " + nccl.getErrorString(result));
    membership.comm = nullptr;
  }
  memberships.push_back(membership);
  // The parent of a split is busy as long as its child is not made.
  if (world) {
    settle(world, what);
  }
  if (membership.comm) {
    settle(membership.comm, what);
  }
}

bool NcclTransport::isCapturing(moert_stream stream) {
  int status = cuda::captureNone;
  driver.streamIsCapturing(cuda::Stream(stream), &status);
  return status != cuda::captureNone;
}

std::unique_ptr<NcclTransport::Started>
NcclTransport::makeStarted(const Membership &membership,
                           const Operation &operation) {
  auto made = std::make_unique<Started>();
  made->stream = operation.stream;
  // The default stream cannot be captured, and must not be asked while
  // another one is.
  made->captured = operation.stream && isCapturing(operation.stream);
  made->name = describe(operation);
  made->group = membership.id;
  made->sequence = job.published(membership.id, rank);
  made->deadlineNs = operation.deadlineNs;
  made->operation = operation;
  bool ok = check(made->name,
                  driver.eventCreate(&made->begin, cuda::eventDisableTiming)) &&
            check(made->name,
                  driver.eventCreate(&made->end, cuda::eventDisableTiming));
  return ok ? std::move(made) : nullptr;
}

void NcclTransport::freeEvents(Started &done) {
  driver.eventDestroy(done.begin);
  driver.eventDestroy(done.end);
}

Token NcclTransport::start(int32_t set, const Operation &operation,
                           PhaseTimer &) {
  Membership &membership = memberships[size_t(set)];
  CurrentContext current = own.makeCurrent();
  if (!membership.comm || !checkAsyncErrors()) {
    return nullptr;
  }
  if (operation.reduces() && !(own.reducibleDtypes() >> operation.dtype & 1)) {
    fail(MOERT_UNSUPPORTED,
         messagePrefix(rank, operation) + "NCCL cannot reduce this type here");
    return nullptr;
  }
  if (!job.publish(membership.id, membership.ranks, operation)) {
    return nullptr;
  }
  std::unique_ptr<Started> made = makeStarted(membership, operation);
  if (!made) {
    return nullptr;
  }
  cuda::Stream caller = cuda::Stream(operation.stream);
  bool ok =
      check(made->name, driver.eventRecord(made->begin, caller)) &&
      check(made->name, driver.streamWaitEvent(own.stream, made->begin, 0));
  NcclError error = ok ? enqueue(own, membership.comm, operation) : NcclError();
  if (error.call) {
    fail(MOERT_INTERNAL, messagePrefix(rank, operation) + error.call + ": " +
                             nccl.getErrorString(error.result) + ": " +
                             nccl.getLastError(membership.comm));
  }
  ok = ok && !error.call && settle(membership.comm, made->name) &&
       check(made->name, driver.eventRecord(made->end, own.stream));
  started.push_back(std::move(made));
  return ok ? started.back().get() : nullptr;
}

bool NcclTransport::wait(Token token, PhaseTimer &) {
  Started &awaited = *static_cast<Started *>(token);
  CurrentContext current = own.makeCurrent();
  job.step();
  awaited.waitedFor = true;
  check(awaited.name,
        driver.streamWaitEvent(cuda::Stream(awaited.stream), awaited.end, 0));
  return !failure() && checkAsyncErrors();
}

bool NcclTransport::synchronize(moert_stream stream, PhaseTimer &) {
  CurrentContext current = own.makeCurrent();
  bool mayHaveFaults = work.fetchFaults(stream);
  if (!awaitStream(cuda::Stream(stream))) {
    return false;
  }
  if (mayHaveFaults) {
    work.checkFaults(stream);
  }
  return !failure();
}

bool NcclTransport::fetchOffsets(moert_collective &collective, int32_t size,
                                 OffsetStorage &storage) {
  CurrentContext current = own.makeCurrent();
  std::string what = describe(collective.kind, collective.id, collective.layer);
  if (collective.stream && isCapturing(collective.stream)) {
    fail(MOERT_INVALID_ARGUMENT,
         "rank " + std::to_string(rank) + ": " + what +
             ": offsets on the device need a host that waits, which a graph "
             "cannot hold");
    return false;
  }
  size_t length = size_t(size) + 1;
  storage.assign(2 * length, 0);
  const int32_t **places[] = {&collective.src_offsets, &collective.dst_offsets};
  for (size_t i = 0; i < 2; ++i) {
    const int32_t *&place = *places[i];
    if (place &&
        !check(what,
               driver.copyToHost(storage.data() + i * length,
                                 devicePointer(place), length * sizeof(int32_t),
                                 cuda::Stream(collective.stream)))) {
      return false;
    }
    place = place ? storage.data() + i * length : nullptr;
  }
  collective.flags &= ~MOERT_OFFSETS_ON_DEVICE;
  return awaitStream(cuda::Stream(collective.stream));
}

void NcclTransport::clearCounts(const Operation &operation) {
  CurrentContext current = own.makeCurrent();
  abandon();
  fillCounts(operation);
}

void NcclTransport::fillCounts(const Operation &operation) {
  if (operation.countedBytes() > 0) {
    driver.fillBytes(devicePointer(operation.dst), 0,
                     size_t(operation.countedBytes()),
                     cuda::Stream(operation.stream));
  }
}

moert_status NcclTransport::query(moert_capability capability,
                                  int64_t &value) const {
  switch (capability) {
  case MOERT_CAPABILITY_DEVICE_BUFFERS:
  case MOERT_CAPABILITY_DEVICE_OFFSETS:
  case MOERT_CAPABILITY_STREAMS:
    value = 1;
    return MOERT_OK;
  case MOERT_CAPABILITY_DIRECT:
  case MOERT_CAPABILITY_MAX_IN_FLIGHT:
  case MOERT_CAPABILITY_CORE_PERMITS:
  case MOERT_CAPABILITY_ORDERED_REDUCTIONS:
    value = 0;
    return MOERT_OK;
  case MOERT_CAPABILITY_REDUCIBLE_DTYPES:
    value = own.reducibleDtypes();
    return MOERT_OK;
  case MOERT_CAPABILITY_MOVEMENT:
    value = MOERT_MOVE_ANYTIME;
    return MOERT_OK;
  default:
    return MOERT_INVALID_ARGUMENT;
  }
}

void NcclTransport::destroyCommunicators() {
  for (auto member = memberships.rbegin(); member != memberships.rend();
       ++member) {
    if (member->comm) {
      nccl.commFinalize(member->comm);
      settle(member->comm, "leaving");
      nccl.commDestroy(member->comm);
      member->comm = nullptr;
    }
  }
}

void NcclTransport::leave() {
  if (left) {
    return;
  }
  left = true;
  CurrentContext current = own.makeCurrent();
  auto forgotten = std::find_if(
      started.begin(), started.end(),
      [](const std::unique_ptr<Started> &one) { return !one->waitedFor; });
  if (forgotten != started.end()) {
    std::string prefix = "rank " + std::to_string(rank);
    fail(MOERT_RANK_EXITED,
         prefix + ": " + (*forgotten)->name + ": " + prefix +
             " has left without waiting for what it started");
  }
  job.leave(rank);
  if (awaitStream(own.stream)) {
    destroyCommunicators();
  }
  abandon();
  for (const std::unique_ptr<Started> &one : started) {
    freeEvents(*one);
  }
  started.clear();
}

} // namespace moert
