// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AccessLog.h - Who touched which bytes last ---------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_ACCESSLOG_H
#define MOERT_EMULATOR_ACCESSLOG_H

#include "emulator/Clock.h"

#include <map>
#include <memory>
#include <string>

namespace moert::emulator {

/// One step of one stream, for the log and for messages.
struct Step {
  /// The stream.
  size_t actor = 0;
  /// Its step at that time.
  uint64_t time = 0;
  /// For example "copy on device (stream 1 of device 0)".
  std::shared_ptr<const std::string> what;

  bool happenedBefore(const Clock &clock) const {
    return !what || clock.of(actor) >= time;
  }
};

enum class AccessKind { Read, Write };

/// The accesses to one allocation, by ranges of bytes: of each the last write,
/// and of each stream its last read since.
class AccessLog {
public:
  explicit AccessLog(size_t bytes) { ranges[0].end = bytes; }

  /// Logs an access to [begin, end) by `step`, before which what `clock` knows
  /// has happened. Returns the step that it races with, if there is one: one of
  /// both writes, and neither happened before the other.
  Step add(size_t begin, size_t end, AccessKind kind, const Step &step,
           const Clock &clock);

private:
  struct Range {
    size_t end = 0;
    Step write;
    std::map<size_t, Step> reads;
  };

  /// Makes a range begin at `place`.
  void split(size_t place);

  /// By where they begin; they cover the allocation.
  std::map<size_t, Range> ranges;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_ACCESSLOG_H
