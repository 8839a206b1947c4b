// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Communicators.h - NCCL between emulated devices ----------*- C++ -*-===//

#ifndef MOERT_EMULATOR_COMMUNICATORS_H
#define MOERT_EMULATOR_COMMUNICATORS_H

#include "emulator/Item.h"
#include "transports/nccl/NcclLibrary.h"

#include <deque>

namespace moert::emulator {

/// One call of NCCL within a group.
struct CommCall {
  enum class Kind {
    Send,
    Receive,
    AllGather,
    ReduceScatter,
    AllReduce,
    AllToAll
  };
  Kind kind;
  cuda::Pointer source;
  cuda::Pointer destination;
  size_t count;
  nccl::DataType type;
  nccl::ReductionOp op;
  /// Of sends and receives.
  int peer;
  /// Its number among the rank's calls on the communicator, from 1.
  int64_t number = 0;
  bool done = false;

  bool isCollective() const {
    return kind != Kind::Send && kind != Kind::Receive;
  }
  bool reduces() const {
    return kind == Kind::ReduceScatter || kind == Kind::AllReduce;
  }
  /// For example "ncclSend (call 5: 12 elements of type 0 to rank 3)".
  std::string name() const;
};

/// A group of calls, or one alone: what a stream waits for as a whole. A
/// communicator works on one after the other.
class CommWork : public Item {
public:
  CommWork(nccl::Comm comm, std::vector<CommCall> calls)
      : comm(comm), calls(std::move(calls)) {}

  std::string name() const override;
  void queued(Machine &machine) override;
  bool ready() const override;
  bool run(Machine &machine) override;
  std::unique_ptr<Item> clone(RecordMap &) const override {
    return std::make_unique<CommWork>(comm, calls);
  }
  std::vector<cuda::Stream> waitsFor() const override;
  bool allDone() const;
  /// The first call that is not done: of a kind and peer, or of any collective.
  /// Null if there is none.
  CommCall *next(CommCall::Kind kind, int peer);
  CommCall *nextCollective();

  nccl::CommObject *const comm;
  std::vector<CommCall> calls;
};

/// The ranks that communicate.
struct Clique {
  std::string name;
  /// By rank; null until it has joined and once it has left.
  std::vector<nccl::Comm> members;
  int joined = 0;
  /// Why nothing moves here any more; empty while all is well.
  std::string broken;
};

/// A transfer that all it needs are ready for.
struct Transfer {
  Clique *clique;
  /// Of a send: who sends; -1: a collective of all ranks.
  int sender;
  int receiver;
};

class Communicators {
public:
  explicit Communicators(Machine &machine) : machine(machine) {}
  ~Communicators();

  nccl::UniqueId makeId();
  /// A member that has not met the others yet. Null if the place is taken.
  nccl::Comm join(const nccl::UniqueId &id, int size, int rank,
                  cuda::ContextObject &device);
  /// The same by a split; null for noColor.
  nccl::Comm split(nccl::Comm parent, int color, int key);
  /// The member goes; what it had not finished moves nothing any more.
  void remove(nccl::Comm comm);

  std::vector<Transfer> transfers();
  void run(const Transfer &transfer);
  /// Looks for ranks that wait for each other in a circle, where nothing can
  /// run.
  void findCycles();
  /// Ends a clique: its members' asynchronous error.
  void breakDown(Clique &clique, const std::string &text);

private:
  /// A split that not all ranks have called yet.
  struct OpenSplit {
    Clique *parent;
    int64_t number;
    std::vector<int> colors;
    std::vector<int> keys;
    /// Of each rank of the parent; null for those of no color.
    std::vector<nccl::Comm> made;
    int called = 0;
  };

  nccl::Comm makeMember(Clique *clique, int rank, cuda::ContextObject &device);
  void finishJoining(Clique &clique);
  void finishSplit(OpenSplit &split);
  void runCollective(Clique &clique);
  void runSend(Clique &clique, int sender, int receiver);
  bool moveCollective(Clique &clique, const std::vector<CommCall *> &calls);
  /// What ranks are left with is as initialized as what they were sent, in
  /// blocks of `block` bytes.
  void copyInitialized(const std::vector<CommCall *> &calls, size_t block);

  Machine &machine;
  std::deque<Clique> cliques;
  std::map<std::string, Clique *> byId;
  std::deque<OpenSplit> splits;
  /// Destroyed; works that are still queued point to them.
  std::vector<std::unique_ptr<nccl::CommObject>> gone;
  int64_t ids = 0;
};

/// Bytes of one element; 0 for a type that is not modelled.
size_t bytesOf(nccl::DataType type);

} // namespace moert::emulator

namespace moert::nccl {

struct CommObject {
  emulator::Clique *clique = nullptr;
  int rank = 0;
  cuda::ContextObject *device = nullptr;
  /// InProgress until all ranks have met.
  Result state = InProgress;
  /// What ncclGetLastError says.
  std::string lastError;
  /// Works in the order of the calls, not yet done; the first may be posted.
  std::deque<emulator::CommWork *> works;
  /// The first one, once it is the first of its stream, too.
  emulator::CommWork *posted = nullptr;
  int64_t calls = 0;
  int64_t splits = 0;
};

} // namespace moert::nccl

#endif // MOERT_EMULATOR_COMMUNICATORS_H
