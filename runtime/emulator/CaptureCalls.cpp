// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- CaptureCalls.cpp - Graphs ------------------------------------------===//

#include "emulator/CurrentDevice.h"
#include "emulator/DriverTable.h"
#include "emulator/Machine.h"

#include <algorithm>

namespace moert::emulator {

Capture::Branch &Capture::branch(cuda::Stream stream) {
  for (Branch &candidate : branches) {
    if (candidate.stream == stream) {
      return candidate;
    }
  }
  branches.push_back({stream, {}});
  return branches.back();
}

static cuda::Result streamIsCapturing(cuda::Stream stream, int *status) {
  Call call;
  stream = call->resolve(stream);
  if (!stream) {
    return cuda::InvalidHandle;
  }
  // CU_STREAM_CAPTURE_STATUS_ACTIVE and _INVALIDATED.
  *status = !stream->capture           ? cuda::captureNone
            : stream->capture->invalid ? 2
                                       : 1;
  return cuda::Success;
}

static cuda::Result captureBegin(cuda::Stream stream, int) {
  Call call;
  // The driver's legacy stream cannot be captured.
  if (!stream || !call->resolve(stream) || stream->capture) {
    return cuda::InvalidValue;
  }
  call->captures.push_back(std::make_shared<Capture>());
  Capture &capture = *call->captures.back();
  capture.origin = stream;
  capture.branch(stream);
  stream->capture = &capture;
  return cuda::Success;
}

/// Whether a stream of the capture waits for the last record of the branch.
static bool isJoined(const Capture &capture, const Capture::Branch &branch) {
  if (branch.stream == capture.origin || branch.items.empty()) {
    return true;
  }
  const auto *last =
      dynamic_cast<const RecordItem *>(branch.items.back().get());
  for (const Capture::Branch &other : capture.branches) {
    for (const std::unique_ptr<Item> &item : other.items) {
      const auto *wait = dynamic_cast<const WaitItem *>(item.get());
      if (last && wait && wait->record == last->record) {
        return true;
      }
    }
  }
  return false;
}

static cuda::Result captureEnd(cuda::Stream stream, cuda::Graph *graph) {
  Call call;
  *graph = nullptr;
  stream = call->resolve(stream);
  if (!stream || !stream->capture || stream->capture->origin != stream) {
    return cuda::CaptureUnmatched;
  }
  auto found = std::find_if(call->captures.begin(), call->captures.end(),
                            [&](const std::shared_ptr<Capture> &candidate) {
                              return candidate.get() == stream->capture;
                            });
  std::shared_ptr<Capture> capture = *found;
  bool joined = true;
  for (Capture::Branch &branch : capture->branches) {
    joined &= isJoined(*capture, branch);
    branch.stream->capture = nullptr;
  }
  if (capture->invalid) {
    return cuda::CaptureInvalidated;
  }
  if (!joined) {
    call->report(
        FindingKind::Capture,
        "a stream of a capture is not joined to the one that began it");
    return cuda::CaptureUnjoined;
  }
  *graph = new cuda::GraphObject{capture};
  call->handles.insert(*graph);
  return cuda::Success;
}

static cuda::Result graphInstantiate(cuda::GraphExec *exec, cuda::Graph graph,
                                     unsigned long long) {
  Call call;
  if (!call->isLive(graph)) {
    return cuda::InvalidHandle;
  }
  *exec = new cuda::GraphExecObject{graph->work};
  call->handles.insert(*exec);
  return cuda::Success;
}

/// The branch that was captured first runs on the stream itself, each other on
/// a stream of its own, which waits for it at its first item.
static cuda::Result graphLaunch(cuda::GraphExec exec, cuda::Stream stream) {
  Call call;
  stream = call->resolve(stream);
  if (!stream || !call->isLive(exec)) {
    return cuda::InvalidHandle;
  }
  const Capture &work = *exec->work;
  RecordMap records;
  auto begun = std::make_shared<Record>();
  call->submit(stream, std::make_unique<RecordItem>(begun));
  for (const Capture::Branch &branch : work.branches) {
    bool isOrigin = branch.stream == work.origin;
    cuda::Stream runs =
        isOrigin ? stream : call->makeStream(*branch.stream->device);
    if (!isOrigin) {
      call->submit(runs, std::make_unique<WaitItem>(begun));
    }
    for (const std::unique_ptr<Item> &item : branch.items) {
      call->submit(runs, item->clone(records));
    }
    if (!isOrigin) {
      call->handles.erase(runs);
      call->destroy(runs);
    }
  }
  return cuda::Success;
}

static cuda::Result graphExecDestroy(cuda::GraphExec exec) {
  Call call;
  if (call->handles.erase(exec) == 0) {
    return cuda::InvalidHandle;
  }
  delete exec;
  return cuda::Success;
}

static cuda::Result graphDestroy(cuda::Graph graph) {
  Call call;
  if (call->handles.erase(graph) == 0) {
    return cuda::InvalidHandle;
  }
  delete graph;
  return cuda::Success;
}

void setCaptureCalls(cuda::Driver &driver) {
  driver.streamIsCapturing = streamIsCapturing;
  driver.captureBegin = captureBegin;
  driver.captureEnd = captureEnd;
  driver.graphInstantiate = graphInstantiate;
  driver.graphLaunch = graphLaunch;
  driver.graphExecDestroy = graphExecDestroy;
  driver.graphDestroy = graphDestroy;
}

} // namespace moert::emulator
