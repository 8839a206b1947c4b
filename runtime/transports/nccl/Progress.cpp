// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Progress.cpp - Waiting that ends -----------------------------------===//

#include "core/TickClock.h"
#include "transports/nccl/NcclTransport.h"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace moert {

namespace {

/// Between two looks at a device: short at first, then longer, so that a host
/// that waits for long costs nothing.
class Pause {
public:
  void take() {
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    microseconds = std::min(microseconds * 2, 1000);
  }

private:
  int microseconds = 1;
};

/// How long no rank of the process has made a step.
class Standstill {
public:
  explicit Standstill(const LocalJob &job) : job(job) {}

  bool lasts(int64_t deadlineNs) {
    uint64_t current = job.steps();
    int64_t time = now();
    if (current != steps) {
      steps = current;
      since = time;
    }
    return deadlineNs >= 0 && time - since >= deadlineNs;
  }

private:
  const LocalJob &job;
  uint64_t steps = 0;
  int64_t since = now();
};

} // namespace

bool NcclTransport::settle(nccl::Comm comm, const std::string &what) {
  Standstill standstill(job);
  Pause pause;
  nccl::Result state = nccl::InProgress;
  while (!failure()) {
    nccl::Result asked = nccl.commGetAsyncError(comm, &state);
    if (asked != nccl::Success || state != nccl::InProgress) {
      state = asked != nccl::Success ? asked : state;
      break;
    }
    if (standstill.lasts(job.deadlineNs)) {
      fail(MOERT_TIMED_OUT, "rank " + std::to_string(rank) + ": " + what +
                                ": the other ranks have not come in time");
    }
    pause.take();
  }
  if (!failure() && state != nccl::Success) {
    fail(MOERT_INTERNAL, "rank " + std::to_string(rank) + ": " + what +
                             ": NCCL: " + nccl.getErrorString(state) + ": " +
                             nccl.getLastError(comm));
  }
  if (failure()) {
    abandon();
  }
  return !failure();
}

bool NcclTransport::checkAsyncErrors() {
  for (const Membership &membership : memberships) {
    nccl::Result state = nccl::Success;
    if (!membership.comm || failure()) {
      continue;
    }
    nccl.commGetAsyncError(membership.comm, &state);
    if (state != nccl::Success && state != nccl::InProgress) {
      fail(
          MOERT_INTERNAL,
          "rank " + std::to_string(rank) + ": " +
              (started.empty() ? std::string() : started.front()->name + ": ") +
              "NCCL: " + nccl.getErrorString(state) + ": " +
              nccl.getLastError(membership.comm));
    }
  }
  if (failure()) {
    abandon();
  }
  return !failure();
}

/// For example "0.15 s".
static std::string seconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g s", double(ns) * 1e-9);
  return text;
}

void NcclTransport::failStalled() {
  std::string prefix = "rank " + std::to_string(rank) + ": ";
  if (started.empty()) {
    fail(MOERT_TIMED_OUT, prefix + "the stream was not done in time");
    return;
  }
  const Started &first = *started.front();
  std::string within =
      seconds(first.deadlineNs ? first.deadlineNs : job.deadlineNs);
  std::string missing =
      job.describeMissing(first.group, first.sequence, within);
  fail(MOERT_TIMED_OUT,
       prefix + first.name + ": " +
           (missing.empty() ? "not done within " + within : missing));
}

void NcclTransport::dropDone() {
  auto isDone = [&](const Started &one) {
    return one.waitedFor &&
           (one.captured || driver.eventQuery(one.end) == cuda::Success);
  };
  while (!started.empty() && isDone(*started.front())) {
    freeEvents(*started.front());
    started.pop_front();
    job.step();
  }
}

bool NcclTransport::awaitStream(cuda::Stream stream) {
  Standstill standstill(job);
  Pause pause;
  while (!failure()) {
    cuda::Result result = driver.streamQuery(stream);
    if (result == cuda::Success) {
      dropDone();
      return checkAsyncErrors();
    }
    if (result != cuda::NotReady) {
      check(started.empty() ? "synchronize" : started.front()->name, result);
      break;
    }
    checkAsyncErrors();
    int64_t own = started.empty() ? 0 : started.front()->deadlineNs;
    if (standstill.lasts(own ? own : job.deadlineNs)) {
      failStalled();
    }
    pause.take();
  }
  abandon();
  return false;
}

/// Ends all communication, so that streams run dry: NCCL wants every
/// communicator of a failed job aborted on every rank. What was not done yet
/// leaves no counts behind.
void NcclTransport::abandon() {
  if (abandoned) {
    return;
  }
  abandoned = true;
  // Before the end of communication makes them look done.
  std::vector<const Started *> unfinished;
  for (const std::unique_ptr<Started> &one : started) {
    if (!one->captured && driver.eventQuery(one->end) != cuda::Success) {
      unfinished.push_back(one.get());
    }
  }
  for (auto member = memberships.rbegin(); member != memberships.rend();
       ++member) {
    if (member->comm) {
      nccl.commAbort(member->comm);
      member->comm = nullptr;
    }
  }
  for (const Started *one : unfinished) {
    fillCounts(one->operation);
  }
}

void NcclTransport::quiesce() {
  if (!failure()) {
    return;
  }
  CurrentContext current = own.makeCurrent();
  abandon();
  // What is left are copies, which end by themselves.
  Pause pause;
  int64_t until = now() + 1000000000;
  while (driver.streamQuery(own.stream) == cuda::NotReady && now() < until) {
    pause.take();
  }
}

} // namespace moert
