// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Communicators.cpp - Joining, splitting, leaving --------------------===//

#include "emulator/Communicators.h"
#include "emulator/Machine.h"

#include <algorithm>
#include <cstring>

namespace moert::emulator {

Communicators::~Communicators() {
  for (Clique &clique : cliques) {
    for (nccl::Comm member : clique.members) {
      delete member;
    }
  }
}

nccl::UniqueId Communicators::makeId() {
  nccl::UniqueId id = {};
  std::string text = "emulated " + std::to_string(++ids);
  std::memcpy(id.bytes, text.data(), text.size());
  return id;
}

nccl::Comm Communicators::makeMember(Clique *clique, int rank,
                                     cuda::ContextObject &device) {
  auto *comm = new nccl::CommObject;
  comm->clique = clique;
  comm->rank = rank;
  comm->device = &device;
  machine.handles.insert(comm);
  return comm;
}

void Communicators::finishJoining(Clique &clique) {
  for (nccl::Comm member : clique.members) {
    if (member) {
      member->state = nccl::Success;
    }
  }
}

nccl::Comm Communicators::join(const nccl::UniqueId &id, int size, int rank,
                               cuda::ContextObject &device) {
  Clique *&clique = byId[std::string(id.bytes, sizeof(id.bytes))];
  if (!clique) {
    cliques.emplace_back();
    clique = &cliques.back();
    clique->name = "world";
    clique->members.resize(size_t(size));
  }
  if (clique->members.size() != size_t(size) || clique->members[size_t(rank)]) {
    machine.report(FindingKind::Mismatch,
                   "ncclCommInitRankConfig: rank " + std::to_string(rank) +
                       " of " + std::to_string(size) +
                       " joins twice, or another number of ranks");
    return nullptr;
  }
  for (nccl::Comm member : clique->members) {
    if (member && member->device == &device) {
      machine.report(FindingKind::Mismatch, "ncclCommInitRankConfig: ranks " +
                                                std::to_string(member->rank) +
                                                " and " + std::to_string(rank) +
                                                " are both on device " +
                                                std::to_string(device.ordinal));
      return nullptr;
    }
  }
  nccl::Comm comm = makeMember(clique, rank, device);
  clique->members[size_t(rank)] = comm;
  if (++clique->joined == size) {
    finishJoining(*clique);
  }
  return comm;
}

nccl::Comm Communicators::split(nccl::Comm parent, int color, int key) {
  Clique &clique = *parent->clique;
  int64_t number = ++parent->splits;
  auto open = std::find_if(
      splits.begin(), splits.end(), [&](const OpenSplit &candidate) {
        return candidate.parent == &clique && candidate.number == number;
      });
  if (open == splits.end()) {
    size_t size = clique.members.size();
    splits.push_back({&clique, number, std::vector<int>(size),
                      std::vector<int>(size), std::vector<nccl::Comm>(size)});
    open = std::prev(splits.end());
  }
  nccl::Comm comm = color == nccl::noColor
                        ? nullptr
                        : makeMember(nullptr, -1, *parent->device);
  size_t rank = size_t(parent->rank);
  open->colors[rank] = color;
  open->keys[rank] = key;
  open->made[rank] = comm;
  parent->state = nccl::InProgress;
  if (++open->called == int(clique.members.size())) {
    finishSplit(*open);
    splits.erase(open);
    finishJoining(clique);
  }
  return comm;
}

void Communicators::finishSplit(OpenSplit &split) {
  std::map<int, std::vector<size_t>> ranksOf;
  for (size_t rank = 0; rank < split.made.size(); ++rank) {
    if (split.made[rank]) {
      ranksOf[split.colors[rank]].push_back(rank);
    }
  }
  for (auto &[color, ranks] : ranksOf) {
    std::sort(ranks.begin(), ranks.end(), [&](size_t a, size_t b) {
      return std::make_pair(split.keys[a], a) <
             std::make_pair(split.keys[b], b);
    });
    cliques.emplace_back();
    Clique &clique = cliques.back();
    clique.name = "split " + std::to_string(split.number) + " of " +
                  split.parent->name + ", color " + std::to_string(color);
    for (size_t rank : ranks) {
      split.made[rank]->clique = &clique;
      split.made[rank]->rank = int(clique.members.size());
      clique.members.push_back(split.made[rank]);
    }
    finishJoining(clique);
  }
}

void Communicators::remove(nccl::Comm comm) {
  for (CommWork *work : comm->works) {
    for (CommCall &call : work->calls) {
      call.done = true;
    }
  }
  if (comm->clique) {
    comm->clique->members[size_t(comm->rank)] = nullptr;
  }
  for (OpenSplit &split : splits) {
    std::replace(split.made.begin(), split.made.end(), comm,
                 nccl::Comm(nullptr));
  }
  // Works that are still queued are done when their streams come to them, and
  // ask the communicator no more.
  machine.handles.erase(comm);
  gone.emplace_back(comm);
}

void Communicators::breakDown(Clique &clique, const std::string &text) {
  clique.broken = text;
  for (nccl::Comm member : clique.members) {
    if (member) {
      member->state = nccl::InternalError;
      member->lastError = text;
    }
  }
}

} // namespace moert::emulator
