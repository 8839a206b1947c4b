// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RunThreads.cpp - N ranks on N threads ------------------------------===//

#include "transports/RankThreads.h"
#include "transports/threads/ThreadsTransport.h"

namespace moert {

namespace {

class ThreadsJob : public RankThreads {
public:
  using RankThreads::RankThreads;

protected:
  moert_status prepare(const std::vector<GroupSet> &sets,
                       std::string &error) override;
  void runRank(int32_t rank) override;
  void fail(moert_status status, const std::string &text) override {
    world->fail(status, text);
  }
  const Failure *failure() const override { return world->failure.get(); }

private:
  std::shared_ptr<World> world;
};

} // namespace

moert_status ThreadsJob::prepare(const std::vector<GroupSet> &sets,
                                 std::string &error) {
  int32_t size = options.ranks;
  ContextOptions kept;
  moert_status status = checkOptions(options.options, size, kept, error);
  if (status != MOERT_OK) {
    return status;
  }
  std::vector<int32_t> cpus = availableCpus();
  int32_t permits = options.options ? options.options->core_permits : 0;
  WorldOptions worldWide = worldOptions(
      options.options, size, permits > 0 ? permits : int32_t(cpus.size()));
  bool ownsMachine = worldWide.corePermits == int32_t(cpus.size());
  if (size >= worldWide.corePermits && ownsMachine &&
      !(options.flags & MOERT_THREADS_UNBOUND)) {
    worldWide.cpus = cpus;
  }
  world = std::make_shared<World>(size, worldWide);
  for (int32_t rank = 0; rank < size; ++rank) {
    contexts.push_back(std::make_unique<moert_context>(
        rank, size, kept, std::make_unique<ThreadsTransport>(world, rank)));
    for (const GroupSet &set : sets) {
      contexts.back()->bind(set);
    }
  }
  return MOERT_OK;
}

void ThreadsJob::runRank(int32_t rank) {
  moert_context &context = *contexts[size_t(rank)];
  world->scheduler.bindThread(rank);
  if (context.acquireCore() == MOERT_OK) {
    std::string error = callBody(context);
    if (!error.empty()) {
      world->failRank(rank, error);
    }
  }
  context.transport->leave();
}

std::unique_ptr<RankThreads>
makeThreadsJob(const moert_threads_options &options, moert_rank_body body,
               void *user) {
  return std::make_unique<ThreadsJob>(options, body, user);
}

} // namespace moert
