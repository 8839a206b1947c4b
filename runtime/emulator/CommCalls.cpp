// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CommCalls.cpp - NCCL's entry points --------------------------------===//

#include "emulator/Communicators.h"
#include "emulator/CurrentDevice.h"
#include "emulator/DriverTable.h"
#include "emulator/Machine.h"

namespace moert::emulator {

namespace {
/// The calling thread's group: between ncclGroupStart and ncclGroupEnd.
struct OpenGroup {
  int depth = 0;
  nccl::Comm comm = nullptr;
  cuda::Stream stream = nullptr;
  std::vector<CommCall> calls;
};
} // namespace

static thread_local OpenGroup group;

static nccl::Result getVersion(int *version) {
  *version = Machine::current()->options.ncclVersion;
  return nccl::Success;
}

static const char *getErrorString(nccl::Result result) {
  static const char *const texts[] = {
      "no error",
      "unhandled cuda error",
      "unhandled system error",
      "internal error",
      "invalid argument",
      "invalid usage",
      "remote process exited or there was a network error",
      "NCCL operation in progress"};
  return result >= 0 && result <= nccl::InProgress ? texts[result]
                                                   : "unknown result code";
}

static const char *getLastError(nccl::Comm comm) {
  Call call;
  return comm && call->isLive(comm) ? comm->lastError.c_str() : "";
}

static nccl::Result getUniqueId(nccl::UniqueId *id) {
  Call call;
  *id = call->communicators->makeId();
  return nccl::Success;
}

static nccl::Result checkConfig(Machine &machine, const nccl::Config *config) {
  if (!config || config->magic != nccl::Config().magic ||
      config->blocking != 0) {
    machine.report(FindingKind::NotModelled,
                   "expected a configuration with blocking = 0");
    return nccl::InvalidUsage;
  }
  return nccl::Success;
}

static nccl::Result commInitRank(nccl::Comm *comm, int size, nccl::UniqueId id,
                                 int rank, nccl::Config *config) {
  Call call;
  if (!currentDevice() || size < 1 || rank < 0 || rank >= size) {
    return nccl::InvalidArgument;
  }
  if (checkConfig(call.machine, config) != nccl::Success) {
    return nccl::InvalidUsage;
  }
  *comm = call->communicators->join(id, size, rank, *currentDevice());
  return *comm ? nccl::InProgress : nccl::InvalidUsage;
}

/// Whether calls may be made with a communicator.
static nccl::Result checkComm(Machine &machine, nccl::Comm comm) {
  if (!comm || !machine.isLive(comm)) {
    machine.report(FindingKind::Handle,
                   "a communicator that does not exist (any more)");
    return nccl::InvalidArgument;
  }
  if (comm->state == nccl::InProgress) {
    machine.report(FindingKind::Mismatch,
                   "a communicator is used before it is ready");
    return nccl::InvalidArgument;
  }
  return comm->state;
}

static nccl::Result commSplit(nccl::Comm parent, int color, int key,
                              nccl::Comm *comm, nccl::Config *config) {
  Call call;
  nccl::Result result = checkComm(call.machine, parent);
  if (result == nccl::Success) {
    result = checkConfig(call.machine, config);
  }
  if (result != nccl::Success) {
    return result;
  }
  *comm = call->communicators->split(parent, color, key);
  return nccl::InProgress;
}

static nccl::Result commFinalize(nccl::Comm comm) {
  Call call;
  return checkComm(call.machine, comm);
}

static nccl::Result commDestroy(nccl::Comm comm) {
  Call call;
  if (!comm || !call->isLive(comm)) {
    return nccl::InvalidArgument;
  }
  if (!comm->works.empty()) {
    call->report(FindingKind::Handle,
                 "rank " + std::to_string(comm->rank) + " of \"" +
                     comm->clique->name + "\" is destroyed while " +
                     comm->works.front()->name() + " is under way");
  }
  call->communicators->remove(comm);
  return nccl::Success;
}

static nccl::Result commAbort(nccl::Comm comm) {
  Call call;
  if (!comm || !call->isLive(comm)) {
    return nccl::InvalidArgument;
  }
  call->communicators->remove(comm);
  return nccl::Success;
}

static nccl::Result commGetAsyncError(nccl::Comm comm, nccl::Result *error) {
  Call call;
  if (!comm || !call->isLive(comm)) {
    return nccl::InvalidArgument;
  }
  call.wait([&] { return comm->state != nccl::InProgress; }, Patience::Poll);
  *error = comm->state;
  return nccl::Success;
}

static nccl::Result submitGroup(Machine &machine) {
  OpenGroup ended = std::move(group);
  group = {};
  if (ended.calls.empty()) {
    return nccl::Success;
  }
  machine.submit(ended.stream, std::make_unique<CommWork>(
                                   ended.comm, std::move(ended.calls)));
  return nccl::Success;
}

static nccl::Result groupStart() {
  ++group.depth;
  return nccl::Success;
}

static nccl::Result groupEnd() {
  Call call;
  if (group.depth == 0) {
    return nccl::InvalidUsage;
  }
  return --group.depth > 0 ? nccl::Success : submitGroup(call.machine);
}

static cuda::Pointer addressOf(const void *pointer) {
  return cuda::Pointer(reinterpret_cast<uintptr_t>(pointer));
}

static nccl::Result add(nccl::Comm comm, cuda::Stream stream, CommCall made) {
  Call call;
  nccl::Result result = checkComm(call.machine, comm);
  stream = call->resolve(stream);
  if (result != nccl::Success || !stream) {
    return result != nccl::Success ? result : nccl::InvalidArgument;
  }
  bool oneOfMany = group.comm && (group.comm != comm || group.stream != stream);
  if (oneOfMany || bytesOf(made.type) == 0) {
    call->report(FindingKind::NotModelled,
                 oneOfMany ? "a group with several communicators or streams"
                           : "elements of type " + std::to_string(made.type));
    return nccl::InvalidUsage;
  }
  int size = int(comm->clique->members.size());
  if (!made.isCollective() && (made.peer < 0 || made.peer >= size)) {
    return nccl::InvalidArgument;
  }
  if (stream->device != comm->device) {
    call->report(FindingKind::WrongMemory,
                 made.name() + " of a communicator on device " +
                     std::to_string(comm->device->ordinal) + " is put on " +
                     nameOf(*stream));
    return nccl::InvalidUsage;
  }
  group.comm = comm;
  group.stream = stream;
  group.calls.push_back(made);
  return group.depth > 0 ? nccl::Success : submitGroup(call.machine);
}

using Kind = CommCall::Kind;

static nccl::Result send(const void *source, size_t count, nccl::DataType type,
                         int peer, nccl::Comm comm, cuda::Stream stream) {
  return add(comm, stream,
             {Kind::Send, addressOf(source), 0, count, type, 0, peer});
}

static nccl::Result receive(void *destination, size_t count,
                            nccl::DataType type, int peer, nccl::Comm comm,
                            cuda::Stream stream) {
  return add(comm, stream,
             {Kind::Receive, 0, addressOf(destination), count, type, 0, peer});
}

static nccl::Result allGather(const void *source, void *destination,
                              size_t count, nccl::DataType type,
                              nccl::Comm comm, cuda::Stream stream) {
  return add(comm, stream,
             {Kind::AllGather, addressOf(source), addressOf(destination), count,
              type, 0, -1});
}

static nccl::Result reduceScatter(const void *source, void *destination,
                                  size_t count, nccl::DataType type,
                                  nccl::ReductionOp op, nccl::Comm comm,
                                  cuda::Stream stream) {
  return add(comm, stream,
             {Kind::ReduceScatter, addressOf(source), addressOf(destination),
              count, type, op, -1});
}

static nccl::Result allReduce(const void *source, void *destination,
                              size_t count, nccl::DataType type,
                              nccl::ReductionOp op, nccl::Comm comm,
                              cuda::Stream stream) {
  return add(comm, stream,
             {Kind::AllReduce, addressOf(source), addressOf(destination), count,
              type, op, -1});
}

static nccl::Result allToAll(const void *source, void *destination,
                             size_t count, nccl::DataType type, nccl::Comm comm,
                             cuda::Stream stream) {
  return add(comm, stream,
             {Kind::AllToAll, addressOf(source), addressOf(destination), count,
              type, 0, -1});
}

void setCommCalls(nccl::Library &library) {
  library = {getVersion,   getErrorString,    getLastError, getUniqueId,
             commInitRank, commSplit,         commFinalize, commDestroy,
             commAbort,    commGetAsyncError, groupStart,   groupEnd,
             send,         receive,           allGather,    reduceScatter,
             allReduce,    allToAll};
}

} // namespace moert::emulator
