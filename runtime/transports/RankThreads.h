// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RankThreads.h - N ranks of a job on N threads ------------*- C++ -*-===//
//
// moert_threads_run, whatever the transport: what differs is how contexts are
// made, and what surrounds a rank's body.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_RANKTHREADS_H
#define MOERT_TRANSPORTS_RANKTHREADS_H

#include "core/Context.h"
#include "moert/threads.h"

#include <condition_variable>
#include <cstdio>

namespace moert {

/// One job from creation to join.
class RankThreads {
public:
  RankThreads(const moert_threads_options &options, moert_rank_body body,
              void *user)
      : options(options), body(body), user(user) {}
  virtual ~RankThreads() = default;
  RankThreads(const RankThreads &) = delete;

  /// Returns the job's first failure, or what kept it from running.
  moert_status run(std::string &error);

protected:
  /// Before any thread runs.
  virtual moert_status prepare(const std::vector<GroupSet> &sets,
                               std::string &error) = 0;
  /// On the thread of the rank, whose context is there when it returns, unless
  /// it could not be made.
  virtual void runRank(int32_t rank) = 0;
  virtual void fail(moert_status status, const std::string &text) = 0;
  virtual const Failure *failure() const = 0;

  /// Returns what went wrong in the body itself; empty if nothing did.
  std::string callBody(moert_context &context) const;

  const moert_threads_options &options;
  /// By rank.
  std::vector<std::unique_ptr<moert_context>> contexts;

private:
  moert_status openTrace(std::string &error);
  moert_status writeTrace(std::string &error);
  moert_status readSets(std::vector<GroupSet> &sets, std::string &error) const;
  void startThreads();
  void returned(int32_t rank);
  void watch();

  const moert_rank_body body;
  void *const user;
  /// A file that is closed in any case.
  std::unique_ptr<std::FILE, int (*)(std::FILE *)> trace{nullptr, std::fclose};

  std::mutex mutex;
  std::condition_variable someReturned;
  std::vector<bool> hasReturned;
  int32_t returnedCount = 0;
};

/// Ranks that are threads, and ranks that are devices.
std::unique_ptr<RankThreads>
makeThreadsJob(const moert_threads_options &options, moert_rank_body body,
               void *user);
std::unique_ptr<RankThreads>
makeDevicesJob(const moert_threads_options &options, moert_rank_body body,
               void *user);

} // namespace moert

#endif // MOERT_TRANSPORTS_RANKTHREADS_H
