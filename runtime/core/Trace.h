// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Trace.h - Events in Chrome's trace format ----------------*- C++ -*-===//

#ifndef MOERT_CORE_TRACE_H
#define MOERT_CORE_TRACE_H

#include "core/TickClock.h"
#include "moert/moert.h"

#include <string>
#include <vector>

namespace moert {

/// The first events of one rank, up to a limit. Times are ticks.
class Trace {
public:
  explicit Trace(int64_t limit) : limit(size_t(limit < 0 ? 0 : limit)) {}

  bool enabled() const { return events.size() < limit; }
  void collective(moert_kind kind, int32_t id, int32_t layer, int64_t begin,
                  int64_t end) {
    events.push_back({kind, id, layer, begin, end});
  }
  void phase(moert_phase phase, int32_t layer, int64_t begin, int64_t end) {
    events.push_back({phaseEvent, phase, layer, begin, end});
  }
  void reset() { events.clear(); }

  /// The events as JSON objects, separated by commas.
  std::string json(int32_t rank, const TickClock &clock) const;

private:
  /// In place of a kind: the event is a phase, its number in `id`.
  static constexpr moert_kind phaseEvent = -1;
  struct Event {
    moert_kind kind;
    int32_t id;
    int32_t layer;
    int64_t begin;
    int64_t end;
  };
  size_t limit;
  std::vector<Event> events;
};

} // namespace moert

#endif // MOERT_CORE_TRACE_H
