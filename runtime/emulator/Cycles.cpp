// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Cycles.cpp - Ranks that wait for each other in a circle ------------===//
//
// Streams work in order, and so do communicators: where the first item of each
// stream of a circle waits for the next stream, nothing that the host does
// later can help. Two communicators that are used in opposite orders on two
// ranks are the usual case.
//
//===----------------------------------------------------------------------===//

#include "emulator/Communicators.h"
#include "emulator/Machine.h"

#include <algorithm>

namespace moert::emulator {

/// Follows what streams wait for. Returns the streams of a circle; none if
/// there is none behind `stream`.
static std::vector<cuda::Stream> follow(cuda::Stream stream,
                                        std::vector<cuda::Stream> &path,
                                        std::set<cuda::Stream> &seen) {
  auto before = std::find(path.begin(), path.end(), stream);
  if (before != path.end()) {
    return {before, path.end()};
  }
  if (!seen.insert(stream).second || stream->queue.empty()) {
    return {};
  }
  path.push_back(stream);
  for (cuda::Stream next : stream->queue.front()->waitsFor()) {
    std::vector<cuda::Stream> circle = follow(next, path, seen);
    if (!circle.empty()) {
      return circle;
    }
  }
  path.pop_back();
  return {};
}

/// For example "rank 0 of "world" is at ncclAllReduce (call 3: …) on stream 1
/// of device 0".
static std::string describe(cuda::Stream stream) {
  const Item &item = *stream->queue.front();
  std::string text = item.name() + " on " + nameOf(*stream);
  const auto *work = dynamic_cast<const CommWork *>(&item);
  return work ? "rank " + std::to_string(work->comm->rank) + " of \"" +
                    work->comm->clique->name + "\" is at " + text
              : text;
}

void Communicators::findCycles() {
  std::set<cuda::Stream> seen;
  for (const std::unique_ptr<cuda::ContextObject> &device : machine.devices) {
    for (const std::unique_ptr<cuda::StreamObject> &stream : device->streams) {
      std::vector<cuda::Stream> path;
      std::vector<cuda::Stream> circle = follow(stream.get(), path, seen);
      std::string text = "each waits for the next, and the last for the first:";
      std::vector<Clique *> broken;
      for (cuda::Stream at : circle) {
        text += (at == circle.front() ? " " : "; ") + describe(at);
        auto *work = dynamic_cast<CommWork *>(at->queue.front().get());
        if (work && work->comm->clique->broken.empty()) {
          broken.push_back(work->comm->clique);
        }
      }
      if (broken.empty()) {
        continue;
      }
      machine.report(FindingKind::Cycle, text);
      for (Clique *clique : broken) {
        breakDown(*clique, text);
      }
    }
  }
}

} // namespace moert::emulator
