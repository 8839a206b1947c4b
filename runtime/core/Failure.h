// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Failure.h - A job's first failure ------------------------*- C++ -*-===//

#ifndef MOERT_CORE_FAILURE_H
#define MOERT_CORE_FAILURE_H

#include "moert/moert.h"

#include <atomic>
#include <mutex>
#include <string>

namespace moert {

struct Failure {
  moert_status status;
  std::string text;
};

/// Keeps the first failure; later ones are dropped. A failure that was seen
/// stays valid as long as the latch.
class FailureLatch {
public:
  /// Null while all is well.
  const Failure *get() const { return first.load(std::memory_order_seq_cst); }

  /// Returns whether this was the first one.
  bool set(moert_status status, std::string text) {
    std::lock_guard<std::mutex> lock(mutex);
    if (first.load(std::memory_order_relaxed)) {
      return false;
    }
    storage = {status, std::move(text)};
    first.store(&storage, std::memory_order_seq_cst);
    return true;
  }

private:
  std::mutex mutex;
  Failure storage = {MOERT_OK, {}};
  std::atomic<const Failure *> first{nullptr};
};

/// Fills the optional output of calls that fail without a context and returns
/// `status`. `message` may be null.
moert_status report(moert_message *message, moert_status status,
                    const std::string &text);

} // namespace moert

#endif // MOERT_CORE_FAILURE_H
