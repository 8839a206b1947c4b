// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- TiledProduct.h - A matrix product on tensor cores --------*- C++ -*-===//

#ifndef MOE_UNIT_EMULATOR_TILEDPRODUCT_H
#define MOE_UNIT_EMULATOR_TILEDPRODUCT_H

#include "KernelThreads.h"

namespace moert::emulator {

/// What is wrong with the kernel. X(name, how it must be found at least).
#define MOE_PRODUCT_FAULTS(X)                                                  \
  X(NoWait, Check)                                                             \
  X(WaitForOneTooFew, Check)                                                   \
  X(NoCommit, Check)                                                           \
  X(CommitBeforeCopies, Check)                                                 \
  X(NoBarrierAfterWait, Check)                                                 \
  X(NoBarrierAfterUse, Check)                                                  \
  X(BarrierBeforeWait, Check)                                                  \
  X(WarpBarrierForBlockBarrier, Check)                                         \
  X(OneStageForTwo, Check)                                                     \
  X(NextStageIsUsed, Check)                                                    \
  X(WarpLeavesOutABarrier, Deadlock)                                           \
  X(WarpAtAnotherBarrier, Deadlock)                                            \
  X(LaneLeavesOutAProduct, Deadlock)                                           \
  X(BarrierOfTooManyThreads, Deadlock)                                         \
  X(LanesAtTwoPlaces, Check)                                                   \
  X(WarpEndsEarly, Check)                                                      \
  X(RowsOfLanesModulo8, Result)                                                \
  X(HalvesOfLanesSwapped, Result)                                              \
  X(NotTransposed, Result)                                                     \
  X(TransposedA, Result)                                                       \
  X(RegistersOfASwapped, Result)                                               \
  X(RegistersOfBSwapped, Result)                                               \
  X(HalvesOfStoreSwapped, Result)                                              \
  X(SumsForgotten, Result)                                                     \
  X(HalfOfAStepForgotten, Result)                                              \
  X(StoredColumnByLane, Check)                                                 \
  X(StoredByAllBlocks, Check)                                                  \
  X(RowBeyondA, Check)                                                         \
  X(RowBeyondResult, Check)                                                    \
  X(SharedTooSmall, Check)                                                     \
  X(StrideThatIsNotAligned, Check)                                             \
  X(OffsetThatIsNotAligned, Check)                                             \
  X(CopiesOfHalfTheBytes, Check)                                               \
  X(CopiesOfZeros, Result)                                                     \
  X(FetchesHalfOfB, Check)

/// How a fault shows: by a wrong result only, by a check, by a deadlock.
enum class Found { Result, Check, Deadlock };

enum class Fault : uint64_t {
  None,
#define MOE_FAULT(name, found) name,
  MOE_PRODUCT_FAULTS(MOE_FAULT)
#undef MOE_FAULT
};

struct ProductRun {
  /// Whether it equals that of a plain loop bit for bit.
  bool isRight;
  std::vector<Finding> findings;
};

/// Multiplies an m x k by a k x n matrix of bf16 to one of f32, in blocks of 64
/// x 64 and steps of 32: two stages of cp.async, ldmatrix and mma.sync. Lines:
/// 1 and 2 copy A and B, 3 and 4 load them, 5 multiplies, 6 stores.
ProductRun runProduct(const MachineOptions &options, Fault fault, size_t m,
                      size_t n, size_t k);

/// Numbers that need all bits of a bf16.
std::vector<uint16_t> randomBF16(size_t count, unsigned seed);

/// c + a b, each sum in the order of k, rounded to f32 at each term.
void addProduct(std::vector<float> &c, const std::vector<uint16_t> &a,
                const std::vector<uint16_t> &b, size_t m, size_t n, size_t k);

} // namespace moert::emulator

#endif // MOE_UNIT_EMULATOR_TILEDPRODUCT_H
