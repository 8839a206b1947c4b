// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- HostThreads.cpp ----------------------------------------------------===//

#include "emulator/HostThreads.h"

#include <algorithm>
#include <chrono>

namespace moert::emulator {

void HostThreads::expect(int count) {
  expected += count;
  changed.notify_all();
}

bool HostThreads::allWait() const {
  int still = 0;
  for (const Waiting *thread : waiting) {
    still += (*thread->done)() ? 0 : 1;
  }
  return still == int(waiting.size()) && still >= expected;
}

bool HostThreads::onIdle(Patience patience) {
  if (patience == Patience::Poll) {
    return false;
  }
  bool someonePolls =
      std::any_of(waiting.begin(), waiting.end(), [](const Waiting *thread) {
        return thread->patience == Patience::Poll;
      });
  if (!someonePolls) {
    stuck();
    ++releases;
    changed.notify_all();
  }
  return someonePolls;
}

bool HostThreads::wait(Lock &lock, const std::function<bool()> &done,
                       Patience patience) {
  Waiting self = {&done, patience};
  int released = releases;
  auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  waiting.push_back(&self);
  bool goesOn = true;
  while (goesOn && !done() && releases == released) {
    if (allWait()) {
      if (step()) {
        if (!allWait()) {
          changed.notify_all();
        }
        continue;
      }
      goesOn = onIdle(patience);
      if (!goesOn) {
        break;
      }
    }
    if (patience == Patience::Block) {
      changed.wait(lock);
    } else {
      goesOn = changed.wait_until(lock, until) == std::cv_status::no_timeout;
    }
  }
  waiting.erase(std::find(waiting.begin(), waiting.end(), &self));
  return done();
}

} // namespace moert::emulator
