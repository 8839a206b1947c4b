// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Transfers.cpp - What moves between communicating ranks -------------===//

#include "core/Reduction.h"
#include "emulator/Communicators.h"
#include "emulator/Machine.h"

#include <algorithm>
#include <cstring>

namespace moert::emulator {

using Kind = CommCall::Kind;

static bool allPostCollectives(const Clique &clique) {
  return std::all_of(
      clique.members.begin(), clique.members.end(), [](nccl::Comm member) {
        return member && member->posted && member->posted->nextCollective();
      });
}

std::vector<Transfer> Communicators::transfers() {
  std::vector<Transfer> result;
  for (Clique &clique : cliques) {
    if (!clique.broken.empty() || clique.members.empty()) {
      continue;
    }
    if (allPostCollectives(clique)) {
      result.push_back({&clique, -1, -1});
    }
    for (nccl::Comm sender : clique.members) {
      for (nccl::Comm receiver : clique.members) {
        if (sender && receiver && sender->posted && receiver->posted &&
            sender->posted->next(Kind::Send, receiver->rank) &&
            receiver->posted->next(Kind::Receive, sender->rank)) {
          result.push_back({&clique, sender->rank, receiver->rank});
        }
      }
    }
  }
  return result;
}

void Communicators::run(const Transfer &transfer) {
  if (transfer.sender < 0) {
    runCollective(*transfer.clique);
  } else {
    runSend(*transfer.clique, transfer.sender, transfer.receiver);
  }
}

/// For example "rank 1: ncclSend (call 5: 12 elements of type 0 to rank 3)".
static std::string place(int rank, const CommCall &call) {
  return "rank " + std::to_string(rank) + ": " + call.name();
}

void Communicators::runSend(Clique &clique, int sender, int receiver) {
  CommWork &sending = *clique.members[size_t(sender)]->posted;
  CommWork &receiving = *clique.members[size_t(receiver)]->posted;
  CommCall &send = *sending.next(Kind::Send, receiver);
  CommCall &receive = *receiving.next(Kind::Receive, sender);
  if (send.count != receive.count || send.type != receive.type) {
    std::string text = "communicator \"" + clique.name +
                       "\": " + place(sender, send) + " does not fit " +
                       place(receiver, receive);
    machine.report(FindingKind::Mismatch, text);
    breakDown(clique, text);
    return;
  }
  size_t bytes = send.count * bytesOf(send.type);
  char *from = machine.access(sending.stream, send.source, bytes,
                              AccessKind::Read, send.name());
  char *to = machine.access(receiving.stream, receive.destination, bytes,
                            AccessKind::Write, receive.name());
  if (from && to) {
    std::memcpy(to, from, bytes);
    machine.copyInitialized(receive.destination, send.source, bytes);
  }
  // The data comes after all that the sender did before.
  receiving.stream->clock.join(sending.stream->clock);
  send.done = receive.done = true;
}

void Communicators::runCollective(Clique &clique) {
  std::vector<CommCall *> calls;
  for (nccl::Comm member : clique.members) {
    calls.push_back(member->posted->nextCollective());
  }
  const CommCall &first = *calls.front();
  for (size_t rank = 1; rank < calls.size(); ++rank) {
    const CommCall &other = *calls[rank];
    if (other.kind != first.kind || other.count != first.count ||
        other.type != first.type || other.op != first.op) {
      std::string text = "communicator \"" + clique.name +
                         "\": " + place(0, first) + " does not fit " +
                         place(int(rank), other);
      machine.report(FindingKind::Mismatch, text);
      breakDown(clique, text);
      return;
    }
  }
  moveCollective(clique, calls);
  Clock together;
  for (nccl::Comm member : clique.members) {
    together.join(member->posted->stream->clock);
  }
  for (size_t rank = 0; rank < calls.size(); ++rank) {
    clique.members[rank]->posted->stream->clock.join(together);
    calls[rank]->done = true;
  }
}

static moert_dtype dtypeOf(nccl::DataType type) {
  switch (type) {
  case nccl::Int8:
    return MOERT_INT8;
  case nccl::Int32:
    return MOERT_INT32;
  case nccl::Int64:
    return MOERT_INT64;
  case nccl::Float16:
    return MOERT_F16;
  case nccl::BFloat16:
    return MOERT_BF16;
  case nccl::Float8E4M3:
    return MOERT_F8E4M3;
  case nccl::Float8E5M2:
    return MOERT_F8E5M2;
  default:
    return MOERT_F32;
  }
}

static moert_reduction reductionOf(nccl::ReductionOp op) {
  return op == nccl::Max ? MOERT_MAX : op == nccl::Min ? MOERT_MIN : MOERT_SUM;
}

/// The order of a ring: what rank `owner` is left with begins at the rank after
/// it, and is rounded to the type at every rank.
static void reduceAround(const std::vector<const char *> &sources, int owner,
                         size_t offset, size_t count, const CommCall &call,
                         char *result) {
  int size = int(sources.size());
  size_t bytes = count * bytesOf(call.type);
  std::memcpy(result, sources[size_t((owner + 1) % size)] + offset, bytes);
  for (int step = 2; step <= size; ++step) {
    const char *pair[] = {result,
                          sources[size_t((owner + step) % size)] + offset};
    reduce(pair, 2, &result, 1, int64_t(count), dtypeOf(call.type),
           reductionOf(call.op));
  }
}

/// Blocks of `count` elements, in units of which sources and destinations of a
/// collective are sized.
static size_t sourceBlocks(Kind kind, size_t size) {
  return kind == Kind::ReduceScatter || kind == Kind::AllToAll ? size : 1;
}
static size_t destinationBlocks(Kind kind, size_t size) {
  return kind == Kind::AllGather || kind == Kind::AllToAll ? size : 1;
}

/// What a rank is left with, from the sources of all.
static std::vector<char> resultOf(const std::vector<const char *> &sources,
                                  const CommCall &call, size_t rank) {
  size_t size = sources.size();
  size_t block = call.count * bytesOf(call.type);
  std::vector<char> result(block * destinationBlocks(call.kind, size));
  switch (call.kind) {
  case Kind::AllGather:
    for (size_t p = 0; p < size; ++p) {
      std::memcpy(result.data() + p * block, sources[p], block);
    }
    break;
  case Kind::AllToAll:
    for (size_t p = 0; p < size; ++p) {
      std::memcpy(result.data() + p * block, sources[p] + rank * block, block);
    }
    break;
  case Kind::ReduceScatter:
    reduceAround(sources, int(rank), rank * block, call.count, call,
                 result.data());
    break;
  default:
    // Each rank's shard, as if scattered and gathered.
    for (size_t owner = 0; owner < size; ++owner) {
      size_t begin = call.count * owner / size;
      size_t end = call.count * (owner + 1) / size;
      size_t offset = begin * bytesOf(call.type);
      reduceAround(sources, int(owner), offset, end - begin, call,
                   result.data() + offset);
    }
    break;
  }
  return result;
}

void Communicators::copyInitialized(const std::vector<CommCall *> &calls,
                                    size_t block) {
  Kind kind = calls[0]->kind;
  // What is summed counts as written.
  if (block == 0 || (kind != Kind::AllGather && kind != Kind::AllToAll)) {
    return;
  }
  for (size_t to = 0; to < calls.size(); ++to) {
    for (size_t from = 0; from < calls.size(); ++from) {
      size_t offset = kind == Kind::AllToAll ? to * block : 0;
      machine.copyInitialized(calls[to]->destination + from * block,
                              calls[from]->source + offset, block);
    }
  }
}

bool Communicators::moveCollective(Clique &clique,
                                   const std::vector<CommCall *> &calls) {
  size_t size = calls.size();
  size_t block = calls[0]->count * bytesOf(calls[0]->type);
  std::vector<const char *> sources;
  std::vector<char *> destinations;
  for (size_t rank = 0; rank < size; ++rank) {
    const CommCall &call = *calls[rank];
    cuda::Stream stream = clique.members[rank]->posted->stream;
    sources.push_back(machine.access(stream, call.source,
                                     block * sourceBlocks(call.kind, size),
                                     AccessKind::Read, call.name()));
    destinations.push_back(machine.access(
        stream, call.destination, block * destinationBlocks(call.kind, size),
        AccessKind::Write, call.name()));
    if (!sources.back() || !destinations.back()) {
      return false;
    }
  }
  // All before the first is stored: a destination may be a source.
  std::vector<std::vector<char>> results;
  for (size_t rank = 0; rank < size; ++rank) {
    results.push_back(resultOf(sources, *calls[rank], rank));
  }
  for (size_t rank = 0; rank < size; ++rank) {
    std::memcpy(destinations[rank], results[rank].data(), results[rank].size());
  }
  copyInitialized(calls, block);
  return true;
}

} // namespace moert::emulator
