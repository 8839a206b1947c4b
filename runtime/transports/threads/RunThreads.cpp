// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RunThreads.cpp - N ranks on N threads ------------------------------===//

#include "moert/threads.h"
#include "transports/threads/ThreadsTransport.h"

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <exception>
#include <thread>

namespace moert {

namespace {

/// A file that is closed in any case.
using File = std::unique_ptr<std::FILE, int (*)(std::FILE *)>;

/// Threads that are joined in any case.
class ThreadList {
public:
  explicit ThreadList(size_t most) { threads.reserve(most); }
  ~ThreadList() {
    for (std::thread &thread : threads) {
      thread.join();
    }
  }
  template <typename Body> void add(Body body) {
    threads.emplace_back(std::move(body));
  }

private:
  std::vector<std::thread> threads;
};

/// One job from creation to join.
class ThreadsJob {
public:
  ThreadsJob(const moert_threads_options &options, moert_rank_body body,
             void *user)
      : options(options), body(body), user(user) {}

  moert_status prepare(std::string &error);
  void run();
  moert_status writeTrace(std::string &error);
  const Failure *failure() const { return world->failure.get(); }

private:
  moert_status openTrace(std::string &error);
  void runRank(int32_t rank);
  void takePart(moert_context &context);
  std::string callBody(moert_context &context) const;
  void returned(int32_t rank);
  void watch();

  const moert_threads_options &options;
  const moert_rank_body body;
  void *const user;
  std::shared_ptr<World> world;
  std::vector<std::unique_ptr<moert_context>> contexts;
  File trace{nullptr, std::fclose};

  std::mutex mutex;
  std::condition_variable someReturned;
  std::vector<bool> hasReturned;
  int32_t returnedCount = 0;
};

} // namespace

moert_status ThreadsJob::prepare(std::string &error) {
  int32_t size = options.ranks;
  ContextOptions kept;
  moert_status status = checkOptions(options.options, size, kept, error);
  if (status != MOERT_OK) {
    return status;
  }
  if (options.options && options.options->transport &&
      std::strcmp(options.options->transport, "threads") != 0) {
    error = "expected transport \"threads\", but got \"" +
            std::string(options.options->transport) + "\"";
    return MOERT_UNSUPPORTED;
  }
  std::vector<GroupSet> sets(size_t(options.set_count));
  for (size_t s = 0; s < sets.size(); ++s) {
    status =
        readGroupSet(elementOf(options.sets, int32_t(s)), size, sets[s], error);
    if (status != MOERT_OK) {
      return status;
    }
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
  hasReturned.resize(size_t(size));
  for (int32_t rank = 0; rank < size; ++rank) {
    contexts.push_back(std::make_unique<moert_context>(
        rank, size, kept, std::make_unique<ThreadsTransport>(world, rank)));
    for (const GroupSet &set : sets) {
      contexts.back()->bind(set);
    }
  }
  return openTrace(error);
}

/// Before the job runs: who waits for it wants to know at once that there will
/// be no trace.
moert_status ThreadsJob::openTrace(std::string &error) {
  if (options.trace_path) {
    trace.reset(std::fopen(options.trace_path, "w"));
    if (!trace) {
      error = std::string(options.trace_path) +
              ": cannot be written: " + std::strerror(errno);
      return MOERT_INVALID_ARGUMENT;
    }
  }
  return MOERT_OK;
}

/// Returns what went wrong in the body itself; empty if nothing did.
std::string ThreadsJob::callBody(moert_context &context) const {
  try {
    moert_status status = body(&context, user);
    return status == MOERT_OK
               ? ""
               : std::string("returned \"") + moert_status_name(status) + "\"";
  } catch (const std::exception &exception) {
    return std::string("threw \"") + exception.what() + "\"";
  } catch (...) {
    return "threw an unknown exception";
  }
}

void ThreadsJob::takePart(moert_context &context) {
  world->scheduler.bindThread(context.rank);
  if (context.acquireCore() == MOERT_OK) {
    std::string error = callBody(context);
    if (!error.empty()) {
      world->failRank(context.rank, error);
    }
  }
  context.transport->leave();
}

void ThreadsJob::runRank(int32_t rank) {
  try {
    takePart(*contexts[size_t(rank)]);
  } catch (...) {
    world->fail(MOERT_OUT_OF_MEMORY, "out of memory");
  }
  returned(rank);
}

void ThreadsJob::returned(int32_t rank) {
  std::lock_guard<std::mutex> lock(mutex);
  hasReturned[size_t(rank)] = true;
  ++returnedCount;
  someReturned.notify_one();
}

/// Returns when all bodies have, and complains about one that does not.
void ThreadsJob::watch() {
  constexpr int64_t pollNs = 50000000;
  int64_t failedAt = -1;
  int64_t patienceNs = world->options.deadlineNs;
  std::unique_lock<std::mutex> lock(mutex);
  while (returnedCount < options.ranks) {
    if (!options.on_stuck || patienceNs < 0) {
      someReturned.wait(lock);
      continue;
    }
    someReturned.wait_for(lock, std::chrono::nanoseconds(pollNs));
    if (failedAt < 0 && world->failed()) {
      failedAt = now();
    }
    if (failedAt >= 0 && now() - failedAt > patienceNs) {
      for (int32_t rank = 0; rank < options.ranks; ++rank) {
        if (!hasReturned[size_t(rank)]) {
          moert_message message = {};
          message.struct_size = sizeof(message);
          report(&message, failure()->status, failure()->text);
          lock.unlock();
          options.on_stuck(user, rank, &message);
          lock.lock();
          break;
        }
      }
      patienceNs = -1;
    }
  }
}

void ThreadsJob::run() {
  ThreadList threads(size_t(options.ranks));
  for (int32_t rank = 0; rank < options.ranks; ++rank) {
    try {
      threads.add([this, rank] { runRank(rank); });
    } catch (const std::exception &exception) {
      world->fail(MOERT_OUT_OF_MEMORY, "rank " + std::to_string(rank) +
                                           ": no thread: " + exception.what());
      returned(rank);
    }
  }
  watch();
}

moert_status ThreadsJob::writeTrace(std::string &error) {
  if (!trace) {
    return MOERT_OK;
  }
  errno = 0;
  const char *separator = "[\n";
  for (const std::unique_ptr<moert_context> &context : contexts) {
    std::string events =
        context->trace.json(context->rank, context->timer.clock);
    if (!events.empty()) {
      std::fprintf(trace.get(), "%s%s", separator, events.c_str());
      separator = ",\n";
    }
  }
  std::fprintf(trace.get(), "%s\n]\n", separator[0] == '[' ? "[" : "");
  bool failed = std::ferror(trace.get()) != 0;
  if (std::fclose(trace.release()) != 0 || failed) {
    error = std::string(options.trace_path) +
            ": cannot be written: " + std::strerror(errno);
    return MOERT_INVALID_ARGUMENT;
  }
  return MOERT_OK;
}

static moert_status runJob(const moert_threads_options *options,
                           moert_rank_body body, void *user,
                           std::string &error) {
  if (!options) {
    error = "expected options";
    return MOERT_INVALID_ARGUMENT;
  }
  error = checkSize("moert_threads_options", options);
  if (!error.empty()) {
    return MOERT_VERSION_MISMATCH;
  }
  if (options->ranks < 1 || !body || options->set_count < 0 ||
      (options->set_count > 0 && !options->sets)) {
    error = "expected at least one rank and a body, but got " +
            std::to_string(options->ranks) + " ranks";
    return MOERT_INVALID_ARGUMENT;
  }
  ThreadsJob job(*options, body, user);
  moert_status status = job.prepare(error);
  if (status != MOERT_OK) {
    return status;
  }
  job.run();
  // Of a job that failed, too: it shows how far each rank came.
  status = job.writeTrace(error);
  if (const Failure *failure = job.failure()) {
    error = failure->text;
    return failure->status;
  }
  return status;
}

} // namespace moert

moert_status moert_threads_run(const moert_threads_options *options,
                               moert_rank_body body, void *user,
                               moert_message *message) {
  try {
    std::string error;
    moert_status status = moert::runJob(options, body, user, error);
    return moert::report(message, status, error);
  } catch (const std::bad_alloc &) {
    return moert::report(message, MOERT_OUT_OF_MEMORY, "out of memory");
  } catch (...) {
    return moert::report(message, MOERT_INTERNAL, "internal error");
  }
}
