// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Trace.cpp ----------------------------------------------------------===//

#include "core/Trace.h"

#include <cinttypes>
#include <cstdio>

namespace moert {

std::string Trace::json(int32_t rank, const TickClock &clock) const {
  double nsPerTick = clock.nsPerTick();
  std::string text;
  for (const Event &event : events) {
    bool isPhase = event.kind == phaseEvent;
    std::string name = isPhase ? moert_phase_name(event.id)
                               : std::string(moert_kind_name(event.kind)) +
                                     " #" + std::to_string(event.id);
    char line[256];
    std::snprintf(line, sizeof(line),
                  "%s{\"name\": \"%s\", \"cat\": \"%s\", \"ph\": \"X\", "
                  "\"ts\": %.3f, \"dur\": %.3f, \"pid\": 0, \"tid\": %" PRId32
                  ", \"args\": {\"layer\": %" PRId32 "}}",
                  text.empty() ? "" : ",\n", name.c_str(),
                  isPhase ? "phase" : "collective",
                  clock.toNs(event.begin, nsPerTick) / 1000.0,
                  double(event.end - event.begin) * nsPerTick / 1000.0, rank,
                  event.layer);
    text += line;
  }
  return text;
}

} // namespace moert
