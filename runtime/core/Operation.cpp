// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Operation.cpp - Checking a collective's descriptor -----------------===//

#include "core/Operation.h"

#include <cstring>

namespace moert {

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

int64_t Operation::sourceBytes() const {
  switch (kind) {
  case MOERT_ALL_GATHER:
    return count;
  case MOERT_ALL_GATHER_V:
    return ownRows * rowBytes;
  case MOERT_ALL_REDUCE:
    return count * elementBytes();
  default:
    return bytes;
  }
}

void Operation::clearCounts() const {
  int64_t total = 0;
  switch (kind) {
  case MOERT_ALL_TO_ALL:
  case MOERT_ALL_GATHER:
    total = count * size;
    break;
  case MOERT_REDUCE_SCATTER:
  case MOERT_ALL_REDUCE:
    total = count * elementBytes();
    break;
  default:
    break;
  }
  if (total > 0) {
    std::memset(dst, 0, size_t(total));
  }
}

static std::string checkOffsets(const char *name, const int32_t *offsets,
                                int32_t size) {
  if (!offsets) {
    return std::string(name) + " is null";
  }
  for (int32_t p = 0; p <= size; ++p) {
    if (offsets[p] < (p == 0 ? 0 : offsets[p - 1])) {
      return std::string(name) + "[" + std::to_string(p) + "]: expected " +
             (p == 0 ? "at least 0"
                     : "at least " + std::to_string(offsets[p - 1])) +
             ", but got " + std::to_string(offsets[p]);
    }
  }
  return {};
}

static std::string checkRagged(const moert_collective &c, int32_t size) {
  if (c.flags & MOERT_OFFSETS_ON_DEVICE) {
    return "offsets on a device are not supported";
  }
  if (c.row_bytes < 0) {
    return "row_bytes is " + std::to_string(c.row_bytes);
  }
  std::string error = checkOffsets("dst_offsets", c.dst_offsets, size);
  if (error.empty() && c.kind == MOERT_ALL_TO_ALL_V) {
    error = checkOffsets("src_offsets", c.src_offsets, size);
  }
  if (!error.empty() || c.row_bytes == 0) {
    return error;
  }
  if (!c.dst && c.dst_offsets[size] > 0) {
    return "the destination is null";
  }
  if (!c.src && c.kind == MOERT_ALL_TO_ALL_V && c.src_offsets[size] > 0) {
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
  bool ragged = c.kind == MOERT_ALL_TO_ALL_V || c.kind == MOERT_ALL_GATHER_V;
  if (ragged) {
    error = checkRagged(c, size);
  } else if (c.kind != MOERT_BARRIER) {
    error = checkEqual(c);
  }
  if (!error.empty()) {
    return false;
  }
  operation.kind = c.kind;
  operation.id = c.id;
  operation.layer = c.layer;
  operation.src = static_cast<const char *>(c.src);
  operation.dst = static_cast<char *>(c.dst);
  operation.srcOffsets = c.src_offsets;
  operation.dstOffsets = c.dst_offsets;
  operation.rowBytes = ragged ? c.row_bytes : 0;
  operation.count = ragged || c.kind == MOERT_BARRIER ? 0 : c.count;
  operation.dtype = c.dtype;
  operation.reduction = c.reduction;
  operation.deadlineNs = c.deadline_ns;
  operation.rank = rank;
  operation.size = size;
  operation.ownRows =
      c.kind == MOERT_ALL_GATHER_V
          ? int64_t(c.dst_offsets[rank + 1]) - c.dst_offsets[rank]
          : 0;
  operation.bytes = 0;
  for (int32_t p = 0; p < size; ++p) {
    operation.bytes += operation.bytesTo(p);
  }
  return true;
}

std::string describe(moert_kind kind, int32_t id, int32_t layer) {
  std::string text = moert_kind_name(kind);
  text += " #" + std::to_string(id);
  if (layer >= 0) {
    text += " (layer " + std::to_string(layer) + ")";
  }
  return text;
}

std::string messagePrefix(int32_t rank, const Operation &operation) {
  return "rank " + std::to_string(rank) + ": " + describe(operation) + ": ";
}

} // namespace moert
