// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- WarpOperations.cpp -------------------------------------------------===//

#include "emulator/WarpOperations.h"
#include "emulator/BlockBarriers.h"
#include "emulator/KernelRun.h"

#include <algorithm>

namespace moert::emulator {

/// Calls `body` with each of the lanes' threads.
template <typename Body>
static void forLanes(Warp &warp, uint32_t lanes, const Body &body) {
  for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
    body(warp.lanes[__builtin_ctz(rest)]);
  }
}

template <typename Operands>
static Operands &operandsOf(const KernelThread &thread) {
  return *static_cast<Operands *>(thread.operands);
}

/// bar.warp.sync: the only one of these calls that orders accesses.
static void shareInWarp(Warp &warp, uint32_t lanes) {
  bool anyKnows = false;
  forLanes(warp, lanes, [&](const KernelThread &thread) {
    anyKnows |= !thread.known.empty();
  });
  if (anyKnows || lanes != warp.live) {
    std::vector<KernelThread *> threads;
    forLanes(warp, lanes,
             [&](KernelThread &thread) { threads.push_back(&thread); });
    shareKnowledge(threads);
    if (lanes != warp.live) {
      return;
    }
  }
  // After shareKnowledge their times are one ahead of what they have done;
  // nothing is stamped with that one yet.
  forLanes(warp, lanes, [&](KernelThread &thread) {
    warp.block->knownToWarp[thread.index] = thread.time;
    ++thread.time;
  });
  ++warp.syncs;
}

//===----------------------------------------------------------------------===//
// shfl.sync
//===----------------------------------------------------------------------===//

namespace {
/// Where a lane's value comes from, and the predicate p, as in the PTX ISA's
/// description of shfl.sync.
struct Source {
  uint32_t lane;
  bool inRange;
};
} // namespace

static Source sourceOf(uint32_t mode, uint32_t lane,
                       const ShuffleOperands &operands) {
  uint32_t b = operands.lane & 31, c = operands.clamp & 31;
  uint32_t segment = operands.clamp >> 8 & 31;
  uint32_t maxLane = (lane & segment) | (c & ~segment);
  uint32_t minLane = lane & segment;
  int from = 0;
  bool inRange = false;
  switch (mode) {
  case MOERT_KERNEL_SHUFFLE_UP:
    from = int(lane) - int(b);
    inRange = from >= int(maxLane);
    break;
  case MOERT_KERNEL_SHUFFLE_DOWN:
    from = int(lane + b);
    inRange = from <= int(maxLane);
    break;
  case MOERT_KERNEL_SHUFFLE_BUTTERFLY:
    from = int(lane ^ b);
    inRange = from <= int(maxLane);
    break;
  default:
    from = int(minLane | (b & ~segment));
    inRange = from <= int(maxLane);
    break;
  }
  return {inRange ? uint32_t(from) : lane, inRange};
}

static void shuffle(Warp &warp, uint32_t mode, uint32_t lanes) {
  forLanes(warp, lanes, [&](const KernelThread &thread) {
    auto &operands = operandsOf<ShuffleOperands>(thread);
    Source source = sourceOf(mode, thread.lane, operands);
    operands.inRange = source.inRange;
    if ((lanes >> source.lane & 1) == 0) {
      thread.run->memory.report(FindingKind::Divergence, thread, operands.site,
                                "takes the value of lane " +
                                    std::to_string(source.lane) +
                                    " by shfl.sync, which takes no part");
      operands.result = ~operands.value;
      return;
    }
    operands.result =
        operandsOf<ShuffleOperands>(warp.lanes[source.lane]).value;
  });
}

//===----------------------------------------------------------------------===//
// vote.sync and redux.sync
//===----------------------------------------------------------------------===//

static void vote(Warp &warp, uint32_t mode, uint32_t lanes) {
  uint32_t ballot = 0;
  forLanes(warp, lanes, [&](const KernelThread &thread) {
    ballot |= uint32_t(operandsOf<VoteOperands>(thread).predicate)
              << thread.lane;
  });
  uint32_t result = ballot;
  if (mode == MOERT_KERNEL_VOTE_ALL) {
    result = ballot == lanes ? 1 : 0;
  } else if (mode == MOERT_KERNEL_VOTE_ANY) {
    result = ballot != 0 ? 1 : 0;
  } else if (mode == MOERT_KERNEL_VOTE_UNIFORM) {
    result = ballot == lanes || ballot == 0 ? 1 : 0;
  }
  forLanes(warp, lanes, [&](const KernelThread &thread) {
    operandsOf<VoteOperands>(thread).result = result;
  });
}

static uint32_t combine(uint32_t mode, uint32_t a, uint32_t b) {
  switch (mode) {
  case modeOfReduce(MOERT_KERNEL_MIN, MOERT_KERNEL_S32):
    return uint32_t(std::min(int32_t(a), int32_t(b)));
  case modeOfReduce(MOERT_KERNEL_MAX, MOERT_KERNEL_S32):
    return uint32_t(std::max(int32_t(a), int32_t(b)));
  default:
    break;
  }
  switch (mode >> 8) {
  case MOERT_KERNEL_MIN:
    return std::min(a, b);
  case MOERT_KERNEL_MAX:
    return std::max(a, b);
  case MOERT_KERNEL_AND:
    return a & b;
  case MOERT_KERNEL_OR:
    return a | b;
  case MOERT_KERNEL_XOR:
    return a ^ b;
  default:
    return a + b;
  }
}

static void reduce(Warp &warp, uint32_t mode, uint32_t lanes) {
  uint32_t first = uint32_t(__builtin_ctz(lanes));
  uint32_t result = operandsOf<ReduceOperands>(warp.lanes[first]).value;
  forLanes(warp, lanes & (lanes - 1), [&](const KernelThread &thread) {
    result = combine(mode, result, operandsOf<ReduceOperands>(thread).value);
  });
  forLanes(warp, lanes, [&](const KernelThread &thread) {
    operandsOf<ReduceOperands>(thread).result = result;
  });
}

void perform(Warp &warp, const WarpCall &call, uint32_t lanes) {
  switch (call.kind) {
  case WarpCall::Kind::Barrier:
    return shareInWarp(warp, lanes);
  case WarpCall::Kind::Shuffle:
    return shuffle(warp, call.mode, lanes);
  case WarpCall::Kind::Vote:
    return vote(warp, call.mode, lanes);
  case WarpCall::Kind::Reduce:
    return reduce(warp, call.mode, lanes);
  case WarpCall::Kind::LoadMatrix:
    return loadMatrices(warp, lanes);
  case WarpCall::Kind::Multiply:
    return multiply(warp, lanes);
  }
}

} // namespace moert::emulator
