// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostThreads.h - Who computes and who waits ---------------*- C++ -*-===//
//
// Emulated work runs only while every host thread waits in the emulator: then
// what is queued does not depend on how the system schedules threads, and a
// seed reproduces a run. The last thread to wait does the work.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_EMULATOR_HOSTTHREADS_H
#define MOERT_EMULATOR_HOSTTHREADS_H

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace moert::emulator {

/// How a host thread waits.
enum class Patience {
  /// Until it has come true, or nothing can make it come true.
  Block,
  /// As long as others compute or work is left that may make it come true, but
  /// two milliseconds at most: what a call that only asks does.
  Poll
};

class HostThreads {
public:
  using Lock = std::unique_lock<std::mutex>;
  /// `step` does one piece of emulated work and returns false if there is none
  /// that can run; `stuck` is called when all threads block in vain.
  HostThreads(std::function<bool()> step, std::function<void()> stuck)
      : step(std::move(step)), stuck(std::move(stuck)) {}

  /// `count` more threads (fewer if negative) take part: no work runs before
  /// all of them wait.
  void expect(int count);
  /// Returns whether `done` came true.
  bool wait(Lock &lock, const std::function<bool()> &done, Patience patience);

private:
  struct Waiting {
    const std::function<bool()> *done;
    Patience patience;
  };
  bool allWait() const;
  /// Called where nothing can run. Returns whether the thread goes on waiting.
  bool onIdle(Patience patience);

  const std::function<bool()> step;
  const std::function<void()> stuck;
  std::condition_variable changed;
  std::vector<const Waiting *> waiting;
  int expected = 0;
  /// Grows when blocking threads are let go since nothing can run.
  int releases = 0;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_HOSTTHREADS_H
