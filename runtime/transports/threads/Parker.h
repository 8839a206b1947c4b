// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Parker.h - Where one thread sleeps -----------------------*- C++ -*-===//

#ifndef MOERT_TRANSPORTS_THREADS_PARKER_H
#define MOERT_TRANSPORTS_THREADS_PARKER_H

#include "core/TickClock.h"

#include <atomic>
#include <cstdint>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <condition_variable>
#include <mutex>
#endif

namespace moert {

/// A thread sleeps in park until another one calls unpark; an unpark that comes
/// first is kept.
class Parker {
public:
  /// Returns false when `until` (as from now(), negative: never) has passed
  /// first.
  bool park(int64_t until);
  void unpark();

private:
#ifdef __linux__
  std::atomic<uint32_t> token{0};
#else
  std::mutex mutex;
  std::condition_variable condition;
  bool token = false;
#endif
};

#ifdef __linux__
static_assert(sizeof(std::atomic<uint32_t>) == 4, "a futex is 32 bits");

inline bool Parker::park(int64_t until) {
  while (token.exchange(0, std::memory_order_acquire) == 0) {
    timespec wait = {};
    if (until >= 0) {
      int64_t left = until - now();
      if (left <= 0) {
        return token.exchange(0, std::memory_order_acquire) != 0;
      }
      wait.tv_sec = time_t(left / 1000000000);
      wait.tv_nsec = long(left % 1000000000);
    }
    syscall(SYS_futex, reinterpret_cast<uint32_t *>(&token), FUTEX_WAIT_PRIVATE,
            0, until >= 0 ? &wait : nullptr, nullptr, 0);
  }
  return true;
}

inline void Parker::unpark() {
  token.store(1, std::memory_order_release);
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&token), FUTEX_WAKE_PRIVATE,
          1, nullptr, nullptr, 0);
}
#else
inline bool Parker::park(int64_t until) {
  std::unique_lock<std::mutex> lock(mutex);
  while (!token) {
    if (until < 0) {
      condition.wait(lock);
    } else if (now() >= until) {
      return false;
    } else {
      condition.wait_for(lock, std::chrono::nanoseconds(until - now()));
    }
  }
  token = false;
  return true;
}

inline void Parker::unpark() {
  std::lock_guard<std::mutex> lock(mutex);
  token = true;
  condition.notify_one();
}
#endif

} // namespace moert

#endif // MOERT_TRANSPORTS_THREADS_PARKER_H
