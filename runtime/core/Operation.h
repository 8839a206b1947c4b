// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Operation.h - A checked collective -----------------------*- C++ -*-===//

#ifndef MOERT_CORE_OPERATION_H
#define MOERT_CORE_OPERATION_H

#include "moert/moert.h"

#include <string>

namespace moert {

/// What all ranks of a group must agree on at one point of its sequence, sizes
/// aside.
struct Signature {
  moert_kind kind = MOERT_BARRIER;
  int32_t id = 0;
  int32_t layer = -1;
  /// The element type and the reduction; 0 where nothing is reduced.
  moert_dtype dtype = 0;
  moert_reduction reduction = 0;
  int64_t rowBytes = 0;
  int64_t count = 0;

  bool isRagged() const {
    return kind == MOERT_ALL_TO_ALL_V || kind == MOERT_ALL_GATHER_V;
  }
  bool reduces() const {
    return kind == MOERT_REDUCE_SCATTER || kind == MOERT_ALL_REDUCE;
  }
  bool operator==(const Signature &other) const {
    return kind == other.kind && id == other.id && layer == other.layer &&
           dtype == other.dtype && reduction == other.reduction &&
           rowBytes == other.rowBytes && count == other.count;
  }
  bool operator!=(const Signature &other) const { return !(*this == other); }
};

/// One rank's part of a collective, after its descriptor was checked.
struct Operation : Signature {
  /// Of the group.
  int32_t rank = 0;
  /// Ranks in the group.
  int32_t size = 1;
  const char *src = nullptr;
  char *dst = nullptr;
  const int32_t *srcOffsets = nullptr;
  const int32_t *dstOffsets = nullptr;
  /// What this rank sends, to itself too.
  int64_t bytes = 0;
  /// Of an all_gather_v: what this rank contributes.
  int64_t ownRows = 0;
  int64_t deadlineNs = 0;
  /// What a device transport orders the call on.
  moert_stream stream = nullptr;
  /// In ticks of the context's clock.
  int64_t startedAt = 0;

  /// Bytes of one element of a reduction.
  int64_t elementBytes() const { return moert_dtype_bytes(dtype); }
  /// Rows that this rank sends to `peer`; 0 where the kind has no rows.
  int64_t rowsTo(int32_t peer) const {
    return kind == MOERT_ALL_TO_ALL_V
               ? int64_t(srcOffsets[peer + 1]) - srcOffsets[peer]
               : ownRows;
  }
  /// Rows that this rank expects from `peer`; 0 where the kind has no rows.
  int64_t rowsFrom(int32_t peer) const {
    return isRagged() ? int64_t(dstOffsets[peer + 1]) - dstOffsets[peer] : 0;
  }
  /// First element of the part of an all_reduce that rank `owner` reduces;
  /// `owner` may be the group's size.
  int64_t shardBegin(int32_t owner) const { return count * owner / size; }
  /// Where what goes to `peer` lies in the source, and what comes from `peer`
  /// in the destination; not of reductions.
  const char *blockTo(int32_t peer) const;
  char *blockFrom(int32_t peer) const;
  /// What this rank sends to `peer`. An all_reduce sends each rank the shard
  /// that it reduces, and the result of its own shard.
  int64_t bytesTo(int32_t peer) const;
  /// What this rank sends, to itself too: the sum of bytesTo.
  int64_t allBytes() const;
  /// Bytes of the destination where counts may be read from it, 0 elsewhere.
  int64_t countedBytes() const;
  /// Fills as many with zeros.
  void clearCounts() const;
};

/// Checks a descriptor for a rank of a group. On failure returns false and
/// says why.
bool makeOperation(const moert_collective &collective, int32_t rank,
                   int32_t size, Operation &operation, std::string &error);

/// The member of a group of `size` that is `step` < size places after one.
inline int32_t memberAfter(int32_t member, int32_t step, int32_t size) {
  int32_t next = member + step;
  return next < size ? next : next - size;
}

/// For example "all_to_all_v #12 (layer 4)"; negative numbers are left out.
std::string describe(moert_kind kind, int32_t id, int32_t layer);
inline std::string describe(const Signature &signature) {
  return describe(signature.kind, signature.id, signature.layer);
}
/// For example "rank 3: all_to_all_v #12 (layer 4): ".
std::string messagePrefix(int32_t rank, const Signature &signature);

/// For example "host_extent #5 (layer 3): expected at most 128 rows, but got
/// 129".
std::string explainBound(int32_t id, int32_t layer, int64_t bound,
                         int64_t value);

} // namespace moert

#endif // MOERT_CORE_OPERATION_H
