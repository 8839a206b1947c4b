// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Collectives.cpp ----------------------------------------------------===//

#include "transports/nccl/Collectives.h"

namespace moert {

namespace {

/// Makes calls as long as none has failed.
class Calls {
public:
  Calls(const DeviceRank &device, nccl::Comm comm, const Operation &operation)
      : device(device), nccl(device.nccl), comm(comm), operation(operation) {}

  NcclError run();

private:
  void check(const char *call, nccl::Result result) {
    if (!error.call && result != nccl::Success && result != nccl::InProgress) {
      error = {result, call};
    }
  }
  void exchangeBlocks();
  void copyOwnBlock();
  void reduce();
  bool hasBlocks() const;
  int64_t bytesFrom(int32_t peer) const {
    return operation.isRagged() ? operation.rowsFrom(peer) * operation.rowBytes
                                : operation.count;
  }

  const DeviceRank &device;
  const nccl::Library &nccl;
  nccl::CommObject *const comm;
  const Operation &operation;
  NcclError error;
};

} // namespace

static nccl::ReductionOp ncclOp(moert_reduction reduction) {
  return reduction == MOERT_MAX   ? nccl::Max
         : reduction == MOERT_MIN ? nccl::Min
                                  : nccl::Sum;
}

void Calls::copyOwnBlock() {
  const char *from = operation.blockTo(operation.rank);
  char *to = operation.blockFrom(operation.rank);
  int64_t bytes = operation.bytesTo(operation.rank);
  if (bytes > 0 && from != to &&
      device.driver.copyOnDevice(devicePointer(to), devicePointer(from),
                                 size_t(bytes),
                                 device.stream) != cuda::Success) {
    error = {nccl::UnhandledCudaError, "cuMemcpyDtoDAsync"};
  }
}

bool Calls::hasBlocks() const {
  for (int32_t p = 0; p < operation.size; ++p) {
    if (p != operation.rank && (operation.bytesTo(p) > 0 || bytesFrom(p) > 0)) {
      return true;
    }
  }
  return false;
}

void Calls::exchangeBlocks() {
  copyOwnBlock();
  if (!hasBlocks()) {
    return;
  }
  check("ncclGroupStart", nccl.groupStart());
  for (int32_t step = 1; step < operation.size; ++step) {
    // Each rank sends to those after it and receives from those before it.
    int32_t to = memberAfter(operation.rank, step, operation.size);
    int32_t from =
        memberAfter(operation.rank, operation.size - step, operation.size);
    if (operation.bytesTo(to) > 0) {
      check("ncclSend",
            nccl.send(operation.blockTo(to), size_t(operation.bytesTo(to)),
                      nccl::Int8, to, comm, device.stream));
    }
    if (bytesFrom(from) > 0) {
      check("ncclRecv",
            nccl.receive(operation.blockFrom(from), size_t(bytesFrom(from)),
                         nccl::Int8, from, comm, device.stream));
    }
  }
  check("ncclGroupEnd", nccl.groupEnd());
}

void Calls::reduce() {
  size_t count = size_t(operation.count);
  nccl::DataType type = ncclType(operation.dtype);
  nccl::ReductionOp op = ncclOp(operation.reduction);
  if (operation.kind == MOERT_ALL_REDUCE) {
    check("ncclAllReduce", nccl.allReduce(operation.src, operation.dst, count,
                                          type, op, comm, device.stream));
  } else {
    check("ncclReduceScatter",
          nccl.reduceScatter(operation.src, operation.dst, count, type, op,
                             comm, device.stream));
  }
}

NcclError Calls::run() {
  size_t count = size_t(operation.count);
  switch (operation.kind) {
  case MOERT_ALL_TO_ALL_V:
  case MOERT_ALL_GATHER_V:
    exchangeBlocks();
    break;
  case MOERT_BARRIER: {
    void *scratch = asPointer(device.scratch);
    check("ncclAllReduce", nccl.allReduce(scratch, scratch, 1, nccl::Int32,
                                          nccl::Sum, comm, device.stream));
    break;
  }
  case MOERT_ALL_TO_ALL:
    if (count > 0 && nccl.allToAll) {
      check("ncclAlltoAll", nccl.allToAll(operation.src, operation.dst, count,
                                          nccl::Int8, comm, device.stream));
    } else if (count > 0) {
      exchangeBlocks();
    }
    break;
  case MOERT_ALL_GATHER:
    if (count > 0) {
      check("ncclAllGather", nccl.allGather(operation.src, operation.dst, count,
                                            nccl::Int8, comm, device.stream));
    }
    break;
  default:
    if (count > 0) {
      reduce();
    }
    break;
  }
  return error;
}

NcclError enqueue(const DeviceRank &device, nccl::Comm comm,
                  const Operation &operation) {
  return Calls(device, comm, operation).run();
}

} // namespace moert
