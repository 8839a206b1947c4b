// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Operation.cpp - Checking a collective's descriptor -----------------===//

#include "core/Operation.h"

#include <cstring>

namespace moert {

const char *Operation::blockTo(int32_t peer) const {
  switch (kind) {
  case MOERT_ALL_TO_ALL_V:
    return src + srcOffsets[peer] * rowBytes;
  case MOERT_ALL_TO_ALL:
    return src + peer * count;
  default:
    return src;
  }
}

char *Operation::blockFrom(int32_t peer) const {
  return dst + (isRagged() ? dstOffsets[peer] * rowBytes : peer * count);
}

int64_t Operation::bytesTo(int32_t peer) const {
  switch (kind) {
  case MOERT_ALL_TO_ALL_V:
  case MOERT_ALL_GATHER_V:
    return rowsTo(peer) * rowBytes;
  case MOERT_ALL_TO_ALL:
  case MOERT_ALL_GATHER:
    return count;
  case MOERT_REDUCE_SCATTER:
    return count * elementBytes();
  case MOERT_ALL_REDUCE: {
    int64_t elements = shardBegin(peer + 1) - shardBegin(peer);
    if (peer != rank) {
      elements += shardBegin(rank + 1) - shardBegin(rank);
    }
    return elements * elementBytes();
  }
  default:
    return 0;
  }
}

int64_t Operation::allBytes() const {
  switch (kind) {
  case MOERT_ALL_TO_ALL_V:
    return (int64_t(srcOffsets[size]) - srcOffsets[0]) * rowBytes;
  case MOERT_ALL_GATHER_V:
    return ownRows * rowBytes * size;
  case MOERT_ALL_REDUCE: {
    int64_t own = shardBegin(rank + 1) - shardBegin(rank);
    return (count + own * (size - 1)) * elementBytes();
  }
  default:
    return bytesTo(rank) * size;
  }
}

int64_t Operation::countedBytes() const {
  switch (kind) {
  case MOERT_ALL_TO_ALL:
  case MOERT_ALL_GATHER:
    return count * size;
  case MOERT_REDUCE_SCATTER:
  case MOERT_ALL_REDUCE:
    return count * elementBytes();
  default:
    return 0;
  }
}

void Operation::clearCounts() const {
  if (countedBytes() > 0) {
    std::memset(dst, 0, size_t(countedBytes()));
  }
}

static bool ascends(const int32_t *offsets, int32_t size) {
  bool ascending = offsets[0] >= 0;
  for (int32_t p = 0; p < size; ++p) {
    ascending &= offsets[p] <= offsets[p + 1];
  }
  return ascending;
}

static std::string explainOffsets(const char *name, const int32_t *offsets) {
  if (!offsets) {
    return std::string(name) + " is null";
  }
  int32_t p = 0;
  int32_t least = 0;
  while (offsets[p] >= least) {
    least = offsets[p++];
  }
  return std::string(name) + "[" + std::to_string(p) + "]: expected at least " +
         std::to_string(least) + ", but got " + std::to_string(offsets[p]);
}

static std::string checkRagged(const moert_collective &c, int32_t size) {
  bool hasSource = c.kind == MOERT_ALL_TO_ALL_V;
  if (c.flags & MOERT_OFFSETS_ON_DEVICE) {
    return "offsets on a device are not supported";
  }
  if (c.row_bytes < 0) {
    return "row_bytes is " + std::to_string(c.row_bytes);
  }
  if (!c.dst_offsets || !ascends(c.dst_offsets, size)) {
    return explainOffsets("dst_offsets", c.dst_offsets);
  }
  if (hasSource && (!c.src_offsets || !ascends(c.src_offsets, size))) {
    return explainOffsets("src_offsets", c.src_offsets);
  }
  if (c.row_bytes == 0) {
    return {};
  }
  if (!c.dst && c.dst_offsets[size] > 0) {
    return "the destination is null";
  }
  if (!c.src && hasSource && c.src_offsets[size] > 0) {
    return "the source is null";
  }
  return {};
}

static std::string checkEqual(const moert_collective &c) {
  if (c.count < 0) {
    return "count is " + std::to_string(c.count);
  }
  bool reduces = c.kind == MOERT_REDUCE_SCATTER || c.kind == MOERT_ALL_REDUCE;
  if (reduces && moert_dtype_bytes(c.dtype) == 0) {
    return "unknown dtype " + std::to_string(c.dtype);
  }
  if (reduces && (c.reduction < MOERT_SUM || c.reduction > MOERT_MIN)) {
    return "unknown reduction " + std::to_string(c.reduction);
  }
  if (c.count > 0 && (!c.src || !c.dst)) {
    return c.src ? "the destination is null" : "the source is null";
  }
  return {};
}

bool makeOperation(const moert_collective &c, int32_t rank, int32_t size,
                   Operation &operation, std::string &error) {
  if (c.kind < 0 || c.kind >= MOERT_KIND_COUNT) {
    error = "unknown kind " + std::to_string(c.kind);
    return false;
  }
  operation.kind = c.kind;
  bool ragged = operation.isRagged();
  if (ragged) {
    error = checkRagged(c, size);
  } else if (c.kind != MOERT_BARRIER) {
    error = checkEqual(c);
  }
  if (!error.empty()) {
    return false;
  }
  operation.id = c.id;
  operation.layer = c.layer;
  operation.src = static_cast<const char *>(c.src);
  operation.dst = static_cast<char *>(c.dst);
  operation.srcOffsets = c.src_offsets;
  operation.dstOffsets = c.dst_offsets;
  operation.rowBytes = ragged ? c.row_bytes : 0;
  operation.count = ragged || c.kind == MOERT_BARRIER ? 0 : c.count;
  operation.dtype = operation.reduces() ? c.dtype : 0;
  operation.reduction = operation.reduces() ? c.reduction : 0;
  operation.deadlineNs = c.deadline_ns;
  operation.stream = c.stream;
  operation.rank = rank;
  operation.size = size;
  operation.ownRows =
      c.kind == MOERT_ALL_GATHER_V
          ? int64_t(c.dst_offsets[rank + 1]) - c.dst_offsets[rank]
          : 0;
  operation.bytes = operation.allBytes();
  return true;
}

std::string describe(moert_kind kind, int32_t id, int32_t layer) {
  std::string text = moert_kind_name(kind);
  if (id >= 0) {
    text += " #" + std::to_string(id);
  }
  if (layer >= 0) {
    text += " (layer " + std::to_string(layer) + ")";
  }
  return text;
}

std::string explainBound(int32_t id, int32_t layer, int64_t bound,
                         int64_t value) {
  std::string where = "host_extent #" + std::to_string(id);
  if (layer >= 0) {
    where += " (layer " + std::to_string(layer) + ")";
  }
  return where + ": expected at most " + std::to_string(bound) +
         " rows, but got " + std::to_string(value);
}

std::string messagePrefix(int32_t rank, const Signature &signature) {
  return "rank " + std::to_string(rank) + ": " + describe(signature) + ": ";
}

} // namespace moert
