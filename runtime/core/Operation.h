// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Operation.h - A checked collective -----------------------*- C++ -*-===//

#ifndef MOERT_CORE_OPERATION_H
#define MOERT_CORE_OPERATION_H

#include "moert/moert.h"

#include <string>

namespace moert {

/// One rank's part of a collective, after its descriptor was checked.
struct Operation {
  // What a receiver reads of a sender comes first: with the threads transport's
  // stamp it fills one cache line.
  moert_kind kind = MOERT_BARRIER;
  int32_t id = 0;
  int32_t layer = -1;
  /// Of the group.
  int32_t rank = 0;
  const char *src = nullptr;
  const int32_t *srcOffsets = nullptr;
  int64_t rowBytes = 0;
  int64_t count = 0;
  /// Of the threads transport: the source is a copy.
  bool eager = false;

  /// Ranks in the group.
  int32_t size = 1;
  moert_dtype dtype = MOERT_F32;
  moert_reduction reduction = MOERT_SUM;
  char *dst = nullptr;
  const int32_t *dstOffsets = nullptr;
  /// What this rank sends, to itself too.
  int64_t bytes = 0;
  /// Of an all_gather_v: what this rank contributes.
  int64_t ownRows = 0;
  int64_t deadlineNs = 0;
  /// In ticks of the context's clock.
  int64_t startedAt = 0;

  /// Bytes of one element of a reduction.
  int64_t elementBytes() const { return moert_dtype_bytes(dtype); }
  /// Rows of a `_v` kind that this rank sends to `peer`.
  int64_t rowsTo(int32_t peer) const {
    return kind == MOERT_ALL_GATHER_V
               ? ownRows
               : int64_t(srcOffsets[peer + 1]) - srcOffsets[peer];
  }
  /// Rows of a `_v` kind that this rank expects from `peer`.
  int64_t rowsFrom(int32_t peer) const {
    return int64_t(dstOffsets[peer + 1]) - dstOffsets[peer];
  }
  /// First element of the part of an all_reduce that rank `owner` reduces;
  /// `owner` may be the group's size.
  int64_t shardBegin(int32_t owner) const { return count * owner / size; }
  /// What this rank sends to `peer`. An all_reduce sends each rank the shard
  /// that it reduces, and the result of its own shard.
  int64_t bytesTo(int32_t peer) const;
  /// What this rank sends, to itself too: the sum of bytesTo.
  int64_t allBytes() const;
  /// Bytes of the source.
  int64_t sourceBytes() const;
  /// Fills the destination with zeros where counts may be read from it.
  void clearCounts() const;
};

/// Checks a descriptor for a rank of a group. On failure returns false and
/// says why.
bool makeOperation(const moert_collective &collective, int32_t rank,
                   int32_t size, Operation &operation, std::string &error);

/// For example "all_to_all_v #12 (layer 4)"; negative numbers are left out.
std::string describe(moert_kind kind, int32_t id, int32_t layer);
inline std::string describe(const Operation &operation) {
  return describe(operation.kind, operation.id, operation.layer);
}
/// For example "rank 3: all_to_all_v #12 (layer 4): ".
std::string messagePrefix(int32_t rank, const Operation &operation);

} // namespace moert

#endif // MOERT_CORE_OPERATION_H
