// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "moe/Report/Progress.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace moe::report;

Progress::Progress(llvm::StringRef what)
    : what(what), isTerminal(llvm::sys::Process::StandardErrIsDisplayed()),
      next(std::chrono::steady_clock::now() + std::chrono::seconds(1)) {}

Progress::~Progress() {
  if (isShown) {
    llvm::errs() << "\r\033[K";
  }
}

void Progress::update(int64_t done, int64_t total) {
  if (!isTerminal) {
    return;
  }
  std::lock_guard<std::mutex> lock(mutex);
  auto now = std::chrono::steady_clock::now();
  if (now < next) {
    return;
  }
  next = now + std::chrono::milliseconds(100);
  isShown = true;
  llvm::errs() << "\r\033[K" << what << ' ' << done << " of " << total;
}
