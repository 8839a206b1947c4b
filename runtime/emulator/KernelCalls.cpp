// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelCalls.cpp - The functions that kernels are handed ------------===//

#include "emulator/Approximations.h"
#include "emulator/AsyncCopies.h"
#include "emulator/Atomics.h"
#include "emulator/BlockBarriers.h"
#include "emulator/KernelRun.h"
#include "emulator/WarpMeetings.h"
#include "emulator/WarpOperations.h"

#include <cstring>

namespace moert::emulator {

static KernelThread &threadOf(moert_kernel_thread *thread) {
  return *static_cast<KernelThread *>(thread);
}

static void *access(moert_kernel_thread *handle, uint64_t address,
                    uint32_t bytes, uint32_t kind, uint32_t site) {
  KernelThread &thread = threadOf(handle);
  thread.run->mayLeave(thread);
  KernelMemory &memory = thread.run->memory;
  if (bytes == 0) {
    return memory.nowhere(0);
  }
  bool writes = (kind & MOERT_KERNEL_WRITE) != 0;
  bool aligned = (kind & MOERT_KERNEL_UNALIGNED) == 0 && bytes <= 16 &&
                 (bytes & (bytes - 1)) == 0;
  Instruction instruction = {thread, site, writes ? "writes" : "reads"};
  Place place = memory.locate(instruction, address, bytes, aligned ? bytes : 1);
  if (!place.data) {
    return memory.nowhere(bytes);
  }
  memory.use(instruction, place, bytes, writes ? Use::Write : Use::Read);
  return place.data;
}

static uint64_t special(moert_kernel_thread *handle, uint32_t which) {
  const KernelThread &thread = threadOf(handle);
  const Launch &launch = thread.run->launch;
  if (which <= MOERT_KERNEL_TID_Z) {
    return thread.position[which];
  }
  if (which <= MOERT_KERNEL_NTID_Z) {
    return launch.grid.threads[which - MOERT_KERNEL_NTID_X];
  }
  if (which <= MOERT_KERNEL_CTAID_Z) {
    return thread.block->position[which - MOERT_KERNEL_CTAID_X];
  }
  if (which <= MOERT_KERNEL_NCTAID_Z) {
    return launch.grid.blocks[which - MOERT_KERNEL_NCTAID_X];
  }
  switch (which) {
  case MOERT_KERNEL_LANEID:
    return thread.lane;
  case MOERT_KERNEL_WARPID:
    return thread.index / warpSize;
  case MOERT_KERNEL_STATIC_SHARED:
    return KernelMemory::sharedBase;
  case MOERT_KERNEL_DYNAMIC_SHARED:
    return KernelMemory::sharedBase + launch.dynamicSharedOffset();
  case MOERT_KERNEL_DYNAMIC_SHARED_BYTES:
    return launch.dynamicSharedBytes;
  case MOERT_KERNEL_ACTIVE_MASK:
    return uint32_t(1) << thread.lane;
  default:
    return 0;
  }
}

static void barrier(moert_kernel_thread *handle, uint32_t index,
                    uint32_t threads, uint32_t site) {
  meetInBlock(threadOf(handle), index, threads, site);
}

static void warpBarrier(moert_kernel_thread *handle, uint32_t mask,
                        uint32_t site) {
  WarpCall call = {WarpCall::Kind::Barrier, 0, mask, MOERT_KERNEL_NO_SITE};
  meetInWarp(threadOf(handle), call, nullptr, site);
}

static uint32_t shuffle(moert_kernel_thread *handle, uint32_t mode,
                        uint32_t mask, uint32_t value, uint32_t lane,
                        uint32_t clamp, uint32_t *inRange, uint32_t site) {
  WarpCall call = {WarpCall::Kind::Shuffle, mode, mask, MOERT_KERNEL_NO_SITE};
  ShuffleOperands operands = {value, lane, clamp, site};
  meetInWarp(threadOf(handle), call, &operands, site);
  if (inRange) {
    *inRange = operands.inRange ? 1 : 0;
  }
  return operands.result;
}

static uint32_t vote(moert_kernel_thread *handle, uint32_t mode, uint32_t mask,
                     uint32_t predicate, uint32_t site) {
  WarpCall call = {WarpCall::Kind::Vote, mode, mask, MOERT_KERNEL_NO_SITE};
  VoteOperands operands = {predicate != 0};
  meetInWarp(threadOf(handle), call, &operands, site);
  return operands.result;
}

static uint32_t reduce(moert_kernel_thread *handle, uint32_t op, uint32_t type,
                       uint32_t mask, uint32_t value, uint32_t site) {
  WarpCall call = {WarpCall::Kind::Reduce, modeOfReduce(op, type), mask,
                   MOERT_KERNEL_NO_SITE};
  ReduceOperands operands = {value};
  meetInWarp(threadOf(handle), call, &operands, site);
  return operands.result;
}

static void ldmatrix(moert_kernel_thread *handle, uint32_t matrices,
                     uint32_t transposed, uint32_t count,
                     const uint64_t *addresses, uint32_t *results,
                     uint32_t site) {
  WarpCall call = {WarpCall::Kind::LoadMatrix,
                   count << 8 | matrices << 1 | (transposed != 0 ? 1 : 0), ~0u,
                   site};
  LoadMatrixOperands operands = {matrices,  transposed != 0, count,
                                 addresses, results,         site};
  meetInWarp(threadOf(handle), call, &operands, site);
}

static void mma(moert_kernel_thread *handle, uint32_t shape, uint32_t count,
                const uint32_t *a, const uint32_t *b, const float *c, float *d,
                uint32_t site) {
  KernelThread &thread = threadOf(handle);
  if (shape != MOERT_KERNEL_MMA_M16N8K16_BF16) {
    thread.run->memory.report(FindingKind::NotModelled, thread, site,
                              "is at mma.sync of shape " +
                                  std::to_string(shape));
    return;
  }
  WarpCall call = {WarpCall::Kind::Multiply, count, ~0u, site};
  MultiplyOperands operands = {a, b, c, d, count};
  meetInWarp(thread, call, &operands, site);
}

static void copyAsync(moert_kernel_thread *handle, uint64_t shared,
                      uint64_t global, uint32_t bytes, uint32_t sourceBytes,
                      uint32_t site) {
  KernelThread &thread = threadOf(handle);
  thread.run->mayLeave(thread);
  if ((bytes != 4 && bytes != 8 && bytes != 16) || sourceBytes > bytes) {
    thread.run->memory.report(FindingKind::NotModelled, thread, site,
                              "is at a cp.async of " + std::to_string(bytes) +
                                  " bytes, of which " +
                                  std::to_string(sourceBytes) + " are read");
    return;
  }
  beginCopy(thread, {shared, global, bytes, sourceBytes, site, 0});
}

static void copyCommit(moert_kernel_thread *handle, uint32_t) {
  ++threadOf(handle).groups;
}

static void copyWait(moert_kernel_thread *handle, uint32_t pending, uint32_t) {
  KernelThread &thread = threadOf(handle);
  thread.run->mayLeave(thread);
  waitForCopies(thread, pending);
}

static uint64_t atomic(moert_kernel_thread *handle, uint32_t op, uint32_t type,
                       uint64_t address, uint64_t value, uint64_t compare,
                       uint32_t site) {
  KernelThread &thread = threadOf(handle);
  thread.run->mayLeave(thread);
  KernelMemory &memory = thread.run->memory;
  bool isWide = type == MOERT_KERNEL_U64 || type == MOERT_KERNEL_S64;
  size_t bytes = isWide ? 8 : 4;
  Instruction instruction = {thread, site, "updates"};
  Place place = memory.locate(instruction, address, bytes, bytes);
  if (!place.data) {
    return 0;
  }
  memory.use(instruction, place, bytes, Use::Atomic);
  uint64_t old = 0;
  std::memcpy(&old, place.data, bytes);
  uint64_t result = updated(op, type, old, value, compare);
  std::memcpy(place.data, &result, bytes);
  return old;
}

static float approximateOf(moert_kernel_thread *, uint32_t function,
                           float value) {
  return approximate(function, value);
}

static void fence(moert_kernel_thread *handle, uint32_t) {
  KernelThread &thread = threadOf(handle);
  thread.run->mayLeave(thread);
}

static void trap(moert_kernel_thread *handle, uint32_t site) {
  KernelThread &thread = threadOf(handle);
  thread.run->trap(thread, site);
}

const moert_kernel_calls &kernelCalls() {
  static const moert_kernel_calls calls = {sizeof(moert_kernel_calls),
                                           access,
                                           special,
                                           barrier,
                                           warpBarrier,
                                           shuffle,
                                           vote,
                                           reduce,
                                           ldmatrix,
                                           mma,
                                           copyAsync,
                                           copyCommit,
                                           copyWait,
                                           atomic,
                                           approximateOf,
                                           fence,
                                           trap};
  return calls;
}

} // namespace moert::emulator
