// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DataMovement.cpp ---------------------------------------------------===//

#include "transports/threads/DataMovement.h"
#include "core/Reduction.h"

#include <cstring>

namespace moert {

static const char *dtypeName(moert_dtype dtype) {
  static const char *const names[] = {"f32",    "bf16",   "f16",
                                      "f8e4m3", "f8e5m2", "int8",
                                      "int16",  "int32",  "int64"};
  return names[dtype];
}

static const char *reductionName(moert_reduction reduction) {
  static const char *const names[] = {"sum", "max", "min"};
  return names[reduction];
}

bool sameShape(const Operation &ours, const Operation &theirs) {
  bool reduces =
      ours.kind == MOERT_REDUCE_SCATTER || ours.kind == MOERT_ALL_REDUCE;
  return ours.kind == theirs.kind && ours.id == theirs.id &&
         ours.layer == theirs.layer && ours.rowBytes == theirs.rowBytes &&
         ours.count == theirs.count &&
         (!reduces ||
          (ours.dtype == theirs.dtype && ours.reduction == theirs.reduction));
}

std::string compareParts(const Operation &ours, const Operation &theirs,
                         const std::vector<int32_t> &ranks) {
  int32_t self = ranks[size_t(ours.rank)];
  int32_t peer = ranks[size_t(theirs.rank)];
  std::string prefix = messagePrefix(self, ours);
  std::string other = "rank " + std::to_string(peer);
  if (ours.kind != theirs.kind || ours.id != theirs.id ||
      ours.layer != theirs.layer) {
    return prefix + other + " calls " + describe(theirs) + " instead";
  }
  std::string expects = ", but rank " + std::to_string(self) + " expects ";
  if (ours.rowBytes != theirs.rowBytes) {
    return prefix + other + " sends rows of " +
           std::to_string(theirs.rowBytes) + " bytes" + expects + "rows of " +
           std::to_string(ours.rowBytes);
  }
  bool reduces =
      ours.kind == MOERT_REDUCE_SCATTER || ours.kind == MOERT_ALL_REDUCE;
  if (ours.count != theirs.count) {
    return prefix + other + " sends " + std::to_string(theirs.count) +
           (reduces ? " elements" : " bytes") + expects +
           std::to_string(ours.count);
  }
  if (reduces && ours.dtype != theirs.dtype) {
    return prefix + other + " sends " + dtypeName(theirs.dtype) + expects +
           dtypeName(ours.dtype);
  }
  if (reduces && ours.reduction != theirs.reduction) {
    return prefix + other + " reduces by " + reductionName(theirs.reduction) +
           ", but rank " + std::to_string(self) + " by " +
           reductionName(ours.reduction);
  }
  return {};
}

static void copy(char *to, const char *from, int64_t bytes) {
  if (bytes > 0 && to != from) {
    std::memcpy(to, from, size_t(bytes));
  }
}

static std::string explainRows(const Operation &from, const Operation &to,
                               const std::vector<int32_t> &ranks) {
  int64_t sent = from.rowsTo(to.rank);
  std::string sender = std::to_string(ranks[size_t(from.rank)]);
  std::string receiver = std::to_string(ranks[size_t(to.rank)]);
  return messagePrefix(ranks[size_t(to.rank)], to) + "rank " + sender +
         " sends " + std::to_string(sent) + (sent == 1 ? " row" : " rows") +
         ", but rank " + receiver + " expects " +
         std::to_string(to.rowsFrom(from.rank));
}

/// Returns false if the sender's count is not what the receiver expects.
static bool moveRows(const Operation &from, const Operation &to) {
  if (from.eager) {
    // The rows lie here: on their way while the offsets are read.
    __builtin_prefetch(from.src);
    __builtin_prefetch(from.src + cacheLine);
  }
  int64_t sent = from.rowsTo(to.rank);
  if (sent != to.rowsFrom(from.rank) || sent < 0) {
    return false;
  }
  if (sent > 0) {
    // An all_gather_v sends its source from the beginning.
    int64_t first =
        from.kind == MOERT_ALL_GATHER_V ? 0 : from.srcOffsets[to.rank];
    copy(to.dst + to.dstOffsets[from.rank] * to.rowBytes,
         from.src + first * to.rowBytes, sent * to.rowBytes);
  }
  return true;
}

static void reduceScatter(const std::vector<Part> &parts, const Operation &to) {
  std::vector<const char *> sources;
  int64_t block = to.count * to.elementBytes();
  for (const Part &part : parts) {
    sources.push_back(part.operation.src + to.rank * block);
  }
  reduce(sources.data(), to.size, &to.dst, 1, to.count, to.dtype, to.reduction);
}

static void allReduce(const std::vector<Part> &parts, const Operation &owner) {
  std::vector<const char *> sources;
  std::vector<char *> destinations;
  int64_t begin = owner.shardBegin(owner.rank);
  int64_t count = owner.shardBegin(owner.rank + 1) - begin;
  for (const Part &part : parts) {
    sources.push_back(part.operation.src + begin * owner.elementBytes());
    destinations.push_back(part.operation.dst + begin * owner.elementBytes());
  }
  reduce(sources.data(), owner.size, destinations.data(), owner.size, count,
         owner.dtype, owner.reduction);
}

std::string moveToReceiver(const std::vector<Part> &parts, int32_t receiver,
                           const std::vector<int32_t> &ranks) {
  const Operation &to = parts[size_t(receiver)].operation;
  if (to.kind == MOERT_REDUCE_SCATTER && to.count > 0) {
    reduceScatter(parts, to);
  } else if (to.kind == MOERT_ALL_REDUCE && to.count > 0) {
    allReduce(parts, to);
  }
  for (int32_t step = 0; step < to.size; ++step) {
    // Each receiver begins at itself: no two begin at the same sender.
    int32_t sender = receiver + step;
    sender -= sender >= to.size ? to.size : 0;
    const Operation &from = parts[size_t(sender)].operation;
    switch (to.kind) {
    case MOERT_ALL_TO_ALL_V:
    case MOERT_ALL_GATHER_V:
      if (!moveRows(from, to)) {
        return explainRows(from, to, ranks);
      }
      break;
    case MOERT_ALL_TO_ALL:
      copy(to.dst + sender * to.count, from.src + receiver * to.count,
           to.count);
      break;
    case MOERT_ALL_GATHER:
      copy(to.dst + sender * to.count, from.src, to.count);
      break;
    default:
      return {};
    }
  }
  return {};
}

} // namespace moert
