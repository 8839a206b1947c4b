// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CommWork.cpp - A group of NCCL calls on a stream -------------------===//

#include "emulator/Communicators.h"
#include "emulator/Machine.h"

#include <algorithm>

namespace moert::emulator {

size_t bytesOf(nccl::DataType type) {
  switch (type) {
  case nccl::Int8:
  case nccl::UInt8:
  case nccl::Float8E4M3:
  case nccl::Float8E5M2:
    return 1;
  case nccl::Float16:
  case nccl::BFloat16:
    return 2;
  case nccl::Int32:
  case nccl::Float32:
    return 4;
  case nccl::Int64:
    return 8;
  default:
    return 0;
  }
}

std::string CommCall::name() const {
  static const char *const names[] = {"ncclSend",      "ncclRecv",
                                      "ncclAllGather", "ncclReduceScatter",
                                      "ncclAllReduce", "ncclAlltoAll"};
  std::string text = names[size_t(kind)];
  text += " (call " + std::to_string(number) + ": " + std::to_string(count) +
          " elements of type " + std::to_string(type);
  if (!isCollective()) {
    text += kind == Kind::Send ? " to rank " : " from rank ";
    text += std::to_string(peer);
  }
  if (reduces()) {
    text += ", reduction " + std::to_string(op);
  }
  return text + ")";
}

std::string CommWork::name() const {
  std::string text = calls.empty() ? "an empty group" : calls.front().name();
  if (calls.size() > 1) {
    text += " and " + std::to_string(calls.size() - 1) + " more";
  }
  return text;
}

void CommWork::queued(Machine &) {
  for (CommCall &call : calls) {
    call.number = ++comm->calls;
    call.done = false;
  }
  comm->works.push_back(this);
}

bool CommWork::allDone() const {
  return std::all_of(calls.begin(), calls.end(),
                     [](const CommCall &call) { return call.done; });
}

bool CommWork::ready() const {
  return allDone() || (!comm->posted && comm->works.front() == this);
}

bool CommWork::run(Machine &) {
  if (!allDone()) {
    comm->posted = this;
    return false;
  }
  if (comm->posted == this) {
    comm->posted = nullptr;
  }
  auto self = std::find(comm->works.begin(), comm->works.end(), this);
  comm->works.erase(self);
  return true;
}

CommCall *CommWork::next(CommCall::Kind kind, int peer) {
  auto found =
      std::find_if(calls.begin(), calls.end(), [&](const CommCall &call) {
        return !call.done && call.kind == kind && call.peer == peer;
      });
  return found == calls.end() ? nullptr : &*found;
}

CommCall *CommWork::nextCollective() {
  auto found =
      std::find_if(calls.begin(), calls.end(), [](const CommCall &call) {
        return !call.done && call.isCollective();
      });
  return found == calls.end() ? nullptr : &*found;
}

/// Whether rank `other`, which has posted `work` (null: nothing), has done its
/// part of a call of rank `rank`.
static bool provides(CommWork *work, const CommCall &call, int rank) {
  if (!work) {
    return false;
  }
  if (call.isCollective()) {
    return work->nextCollective() != nullptr;
  }
  return work->next(call.kind == CommCall::Kind::Send ? CommCall::Kind::Receive
                                                      : CommCall::Kind::Send,
                    rank) != nullptr;
}

std::vector<cuda::Stream> CommWork::waitsFor() const {
  if (ready()) {
    return {};
  }
  // Behind another work of the same communicator on another stream.
  if (comm->works.front() != this) {
    return {comm->works.front()->stream};
  }
  std::vector<cuda::Stream> streams;
  for (nccl::Comm member : comm->clique->members) {
    if (!member || member == comm || member->works.empty()) {
      continue;
    }
    bool waits =
        std::any_of(calls.begin(), calls.end(), [&](const CommCall &call) {
          return !call.done &&
                 (call.isCollective() || call.peer == member->rank) &&
                 !provides(member->posted, call, comm->rank);
        });
    if (waits) {
      streams.push_back(member->works.front()->stream);
    }
  }
  return streams;
}

} // namespace moert::emulator
