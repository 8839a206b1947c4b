// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- DataMovement.cpp ---------------------------------------------------===//

#include "transports/threads/DataMovement.h"
#include "core/Agreement.h"
#include "core/Reduction.h"

#include <cstring>

namespace moert {

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
  return explainRows(ranks[size_t(to.rank)], to, ranks[size_t(sender)], rows,
                     expected);
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
