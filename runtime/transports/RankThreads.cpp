// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- RankThreads.cpp ----------------------------------------------------===//

#include "transports/RankThreads.h"
#include "core/TickClock.h"
#include "transports/Join.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>

namespace moert {

namespace {

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

} // namespace

/// Before the job runs: who waits for it wants to know at once that there will
/// be no trace.
moert_status RankThreads::openTrace(std::string &error) {
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
std::string RankThreads::callBody(moert_context &context) const {
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

void RankThreads::returned(int32_t rank) {
  std::lock_guard<std::mutex> lock(mutex);
  hasReturned[size_t(rank)] = true;
  ++returnedCount;
  someReturned.notify_one();
}

/// Returns when all bodies have, and complains about one that does not.
void RankThreads::watch() {
  constexpr int64_t pollNs = 50000000;
  int64_t failedAt = -1;
  int64_t patienceNs = deadlineOf(options.options);
  std::unique_lock<std::mutex> lock(mutex);
  while (returnedCount < options.ranks) {
    if (!options.on_stuck || patienceNs < 0) {
      someReturned.wait(lock);
      continue;
    }
    someReturned.wait_for(lock, std::chrono::nanoseconds(pollNs));
    if (failedAt < 0 && failure()) {
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

void RankThreads::startThreads() {
  hasReturned.resize(size_t(options.ranks));
  ThreadList threads(size_t(options.ranks));
  for (int32_t rank = 0; rank < options.ranks; ++rank) {
    try {
      threads.add([this, rank] {
        try {
          runRank(rank);
        } catch (...) {
          fail(MOERT_OUT_OF_MEMORY, "out of memory");
        }
        returned(rank);
      });
    } catch (const std::exception &exception) {
      fail(MOERT_OUT_OF_MEMORY,
           "rank " + std::to_string(rank) + ": no thread: " + exception.what());
      returned(rank);
    }
  }
  watch();
}

moert_status RankThreads::writeTrace(std::string &error) {
  if (!trace) {
    return MOERT_OK;
  }
  errno = 0;
  const char *separator = "[\n";
  for (const std::unique_ptr<moert_context> &context : contexts) {
    std::string events =
        context ? context->trace.json(context->rank, context->timer.clock)
                : std::string();
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

moert_status RankThreads::readSets(std::vector<GroupSet> &sets,
                                   std::string &error) const {
  sets.resize(size_t(options.set_count));
  for (size_t s = 0; s < sets.size(); ++s) {
    moert_status status = readGroupSet(elementOf(options.sets, int32_t(s)),
                                       options.ranks, sets[s], error);
    if (status != MOERT_OK) {
      return status;
    }
  }
  return MOERT_OK;
}

moert_status RankThreads::run(std::string &error) {
  std::vector<GroupSet> sets;
  moert_status status = readSets(sets, error);
  status = status == MOERT_OK ? prepare(sets, error) : status;
  status = status == MOERT_OK ? openTrace(error) : status;
  if (status != MOERT_OK) {
    return status;
  }
  startThreads();
  // Of a job that failed, too: it shows how far each rank came.
  status = writeTrace(error);
  if (const Failure *first = failure()) {
    error = first->text;
    return first->status;
  }
  return status;
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
  std::unique_ptr<RankThreads> job = runsOnDevices(options->options)
                                         ? makeDevicesJob(*options, body, user)
                                         : makeThreadsJob(*options, body, user);
  return job->run(error);
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
