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

std::string explainDifference(int32_t rank, const Signature &ours, int32_t peer,
                              const Signature &theirs) {
  std::string prefix = messagePrefix(rank, ours);
  std::string other = "rank " + std::to_string(peer);
  if (ours.kind != theirs.kind || ours.id != theirs.id ||
      ours.layer != theirs.layer) {
    return prefix + other + " calls " + describe(theirs) + " instead";
  }
  std::string expects = ", but rank " + std::to_string(rank) + " expects ";
  if (ours.rowBytes != theirs.rowBytes) {
    return prefix + other + " sends rows of " +
           std::to_string(theirs.rowBytes) + " bytes" + expects + "rows of " +
           std::to_string(ours.rowBytes);
  }
  if (ours.count != theirs.count) {
    return prefix + other + " sends " + std::to_string(theirs.count) +
           (ours.reduces() ? " elements" : " bytes") + expects +
           std::to_string(ours.count);
  }
  if (ours.dtype != theirs.dtype) {
    return prefix + other + " sends " + dtypeName(theirs.dtype) + expects +
           dtypeName(ours.dtype);
  }
  return prefix + other + " reduces by " + reductionName(theirs.reduction) +
         ", but rank " + std::to_string(rank) + " by " +
         reductionName(ours.reduction);
}

static void copy(char *to, const char *from, int64_t bytes) {
  if (bytes > 0 && to != from) {
    std::memcpy(to, from, size_t(bytes));
  }
}

/// Takes one sender's block. Returns an error where its rows are not as many as
/// the receiver expects.
static std::string takeBlock(const Operation &to, int32_t sender, int64_t rows,
                             const char *block, int64_t bytes,
                             const std::vector<int32_t> &ranks) {
  int64_t expected = to.rowsFrom(sender);
  if (rows == expected && rows >= 0) {
    copy(to.blockFrom(sender), block, bytes);
    return {};
  }
  int32_t receiver = ranks[size_t(to.rank)];
  return messagePrefix(receiver, to) + "rank " +
         std::to_string(ranks[size_t(sender)]) + " sends " +
         std::to_string(rows) + (rows == 1 ? " row" : " rows") + ", but rank " +
         std::to_string(receiver) + " expects " + std::to_string(expected);
}

/// The same, straight from the sender's source.
static std::string takeFrom(const Operation &from, const Operation &to,
                            const std::vector<int32_t> &ranks) {
  return takeBlock(to, from.rank, from.rowsTo(to.rank), from.blockTo(to.rank),
                   from.bytesTo(to.rank), ranks);
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
  std::string error;
  for (int32_t step = 0; step < to.size && !to.reduces() && error.empty();
       ++step) {
    // Each receiver begins at itself: no two begin at the same sender.
    int32_t sender = memberAfter(receiver, step, to.size);
    error = takeFrom(parts[size_t(sender)].operation, to, ranks);
  }
  return error;
}

static const Signature &signatureOf(int32_t sender, const EagerMail &mail,
                                    const Operation &to, int64_t stamp) {
  return sender == to.rank ? to
                           : mail.message(stamp, sender, to.rank).signature;
}

std::string takeMail(const EagerMail &mail, const Operation &to, int64_t stamp,
                     const std::vector<int32_t> &ranks) {
  for (int32_t step = 1; step < to.size; ++step) {
    mail.message(stamp, memberAfter(to.rank, step, to.size), to.rank)
        .prefetch();
  }
  const Signature &first = signatureOf(0, mail, to, stamp);
  for (int32_t sender = 1; sender < to.size; ++sender) {
    const Signature &other = signatureOf(sender, mail, to, stamp);
    if (other != first) {
      return explainDifference(ranks[0], first, ranks[size_t(sender)], other);
    }
  }
  std::string error = takeFrom(to, to, ranks);
  for (int32_t step = 1; step < to.size && error.empty(); ++step) {
    int32_t sender = memberAfter(to.rank, step, to.size);
    const EagerMessage &message = mail.message(stamp, sender, to.rank);
    error = takeBlock(to, sender, message.rows, message.block(), message.bytes,
                      ranks);
  }
  return error;
}

} // namespace moert
