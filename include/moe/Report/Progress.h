// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_REPORT_PROGRESS_H
#define MOE_REPORT_PROGRESS_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <mutex>
#include <string>

namespace moe::report {

/// Says on a terminal how far long work has come: nothing in the first second,
/// nothing in a pipe. The line disappears with the object.
class Progress {
public:
  /// `what` is what is done ("packing weights").
  explicit Progress(llvm::StringRef what);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// May be called by several threads.
  void update(int64_t done, int64_t total);

private:
  std::string what;
  bool isTerminal;
  bool isShown = false;
  std::chrono::steady_clock::time_point next;
  std::mutex mutex;
};

} // namespace moe::report

#endif // MOE_REPORT_PROGRESS_H
