// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Context.cpp --------------------------------------------------------===//

#include "core/Context.h"

#include <algorithm>

using namespace moert;

static Tiers tiersOf(const ContextOptions &options, int32_t rank,
                     int32_t size) {
  Tiers tiers = {options.tierNames, {}};
  if (options.tierTable) {
    const int32_t *row = options.tierTable + size_t(rank) * size_t(size);
    tiers.row.assign(row, row + size);
  }
  return tiers;
}

moert_context::moert_context(int32_t rank, int32_t size,
                             const ContextOptions &options,
                             std::unique_ptr<Transport> transport)
    : rank(rank), size(size), counters(options.tierNames.size()),
      trace(options.traceEvents), tiers(tiersOf(options, rank, size)),
      allocator(options.hostAllocates || !transport->allocator()
                    ? options.allocator
                    : *transport->allocator()),
      transport(std::move(transport)) {
  GroupSet world;
  world.name = "world";
  world.groups.resize(1);
  for (int32_t r = 0; r < size; ++r) {
    world.groups[0].push_back(r);
  }
  bind(world);
}

moert_context::~moert_context() { transport->leave(); }

moert_status moert_context::status() const {
  const Failure *failure = transport->failure();
  return failure ? failure->status : MOERT_OK;
}

moert_status moert_context::fail(moert_status status, const std::string &text) {
  transport->fail(status, "rank " + std::to_string(rank) + ": " + text);
  return this->status();
}

void moert_context::bind(const GroupSet &set) {
  auto comm = std::make_unique<moert_comm>();
  comm->context = this;
  comm->transportSet = int32_t(comms.size());
  for (const std::vector<int32_t> &group : set.groups) {
    auto self = std::find(group.begin(), group.end(), rank);
    if (self != group.end()) {
      comm->rank = int32_t(self - group.begin());
      comm->ranks = group;
    }
  }
  comms.push_back(std::move(comm));
  transport->bind(set);
}

moert_comm *moert_context::comm(int32_t set) {
  return set >= MOERT_WORLD && set < setCount() ? comms[size_t(set) + 1].get()
                                                : nullptr;
}

void moert_context::countBytes(const moert_comm &comm,
                               const Operation &operation,
                               Counter &counter) const {
  ++counter.calls;
  for (int32_t p = 0; p < operation.size; ++p) {
    int64_t bytes = operation.bytesTo(p);
    if (bytes > 0) {
      moert_traffic &traffic =
          p == comm.rank
              ? counter.local
              : counter.tiers[size_t(tiers.to(comm.ranks[size_t(p)]))];
      traffic.bytes += bytes;
      ++traffic.messages;
    }
  }
}

bool moert_context::begin(moert_comm &comm, const moert_collective &collective,
                          InFlight &call) {
  std::string error;
  if (!isReadable(collective)) {
    fail(MOERT_VERSION_MISMATCH, checkSize("moert_collective", &collective));
    return false;
  }
  if (comm.rank < 0) {
    error = "the rank is in no group of set " + std::to_string(comm.set());
  } else if (collective.flags & ~MOERT_OFFSETS_ON_DEVICE) {
    error = "unknown flags " + std::to_string(collective.flags);
  } else if (collective.reserved != 0) {
    error = "expected 0 in reserved, but got " +
            std::to_string(collective.reserved);
  }
  moert_collective onHost = collective;
  if (error.empty() && collective.flags & MOERT_OFFSETS_ON_DEVICE) {
    transport->fetchOffsets(onHost, comm.size(), call.offsets);
  }
  if (!error.empty() ||
      !makeOperation(onHost, comm.rank, comm.size(), call.operation, error)) {
    fail(MOERT_INVALID_ARGUMENT,
         describe(collective.kind, collective.id, collective.layer) + ": " +
             error);
    return false;
  }
  call.operation.startedAt = timer.enteredAt();
  call.pending =
      (int64_t(comm.transportSet) << pendingSetShift) | ++comm.started;
  call.token = transport->failure()
                   ? nullptr
                   : transport->start(comm.transportSet, call.operation, timer);
  if (!call.token) {
    transport->clearCounts(call.operation);
    return false;
  }
  call.counter = &counters.of(call.operation, comm.set());
  countBytes(comm, call.operation, *call.counter);
  return true;
}

bool moert_context::finish(InFlight &call) {
  int64_t waited = timer.closed(MOERT_PHASE_WAIT);
  bool done = transport->wait(call.token, timer);
  if (!done) {
    transport->clearCounts(call.operation);
  }
  call.counter->waitTicks += timer.closed(MOERT_PHASE_WAIT) - waited;
  return done;
}

moert_status moert_context::start(moert_comm &comm,
                                  const moert_collective &collective,
                                  moert_pending &pending) {
  pending = 0;
  moert_phase phase = timer.enter(MOERT_PHASE_EXCHANGE);
  int64_t moved = timer.closed(MOERT_PHASE_EXCHANGE);
  InFlight call;
  bool begun = begin(comm, collective, call);
  timer.enter(phase);
  if (!begun) {
    return status();
  }
  call.moveTicks = timer.closed(MOERT_PHASE_EXCHANGE) - moved;
  pending = call.pending;
  comm.inFlight.push_back(std::move(call));
  return MOERT_OK;
}

moert_status moert_context::wait(moert_comm &comm, moert_pending pending) {
  if (pending == 0) {
    return status();
  }
  auto place = std::find_if(
      comm.inFlight.begin(), comm.inFlight.end(),
      [&](const InFlight &call) { return call.pending == pending; });
  if (place == comm.inFlight.end()) {
    return fail(MOERT_INVALID_ARGUMENT,
                "wait: nothing is in flight under this handle");
  }
  InFlight call = std::move(*place);
  comm.inFlight.erase(place);
  moert_phase phase = timer.enter(MOERT_PHASE_EXCHANGE);
  int64_t moved = timer.closed(MOERT_PHASE_EXCHANGE);
  bool done = finish(call);
  timer.enter(phase);
  call.counter->moveTicks +=
      call.moveTicks + timer.closed(MOERT_PHASE_EXCHANGE) - moved;
  if (trace.enabled()) {
    trace.collective(call.operation.kind, call.operation.id,
                     call.operation.layer, call.operation.startedAt,
                     timer.enteredAt());
  }
  return done ? MOERT_OK : status();
}

moert_status moert_context::run(moert_comm &comm,
                                const moert_collective &collective) {
  moert_phase phase = timer.enter(MOERT_PHASE_EXCHANGE);
  int64_t moved = timer.closed(MOERT_PHASE_EXCHANGE);
  InFlight call;
  bool begun = begin(comm, collective, call);
  bool done = begun && finish(call);
  timer.enter(phase);
  if (begun) {
    call.counter->moveTicks += timer.closed(MOERT_PHASE_EXCHANGE) - moved;
    if (trace.enabled()) {
      trace.collective(call.operation.kind, call.operation.id,
                       call.operation.layer, call.operation.startedAt,
                       timer.enteredAt());
    }
  }
  return done ? MOERT_OK : status();
}

moert_status moert_context::synchronize(moert_stream stream) {
  moert_phase phase = timer.enter(MOERT_PHASE_WAIT);
  bool done = transport->synchronize(stream, timer);
  timer.enter(phase);
  return done ? MOERT_OK : status();
}

void moert_context::setPhase(moert_phase phase) {
  int64_t entered = timer.enteredAt();
  moert_phase left = timer.enter(phase);
  if (trace.enabled()) {
    trace.phase(left, layer, entered, timer.enteredAt());
  }
}

void moert_context::resetCounters() {
  counters.reset();
  trace.reset();
  timer.reset();
}

moert_status moert_context::acquireCore() {
  moert_phase phase = timer.enter(MOERT_PHASE_WAIT);
  bool acquired = transport->acquireCore();
  timer.enter(phase);
  return acquired ? MOERT_OK : status();
}

void moert_context::abort(moert_status status, const std::string &reason) {
  std::string last = transport->lastCollective();
  fail(status, last.empty() ? reason : "after " + last + ": " + reason);
  transport->quiesce();
}
