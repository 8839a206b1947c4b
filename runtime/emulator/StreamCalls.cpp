// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- StreamCalls.cpp - Streams and events -------------------------------===//

#include "emulator/CurrentDevice.h"
#include "emulator/DriverTable.h"
#include "emulator/Machine.h"

namespace moert::emulator {

static cuda::Result streamCreate(cuda::Stream *stream, unsigned) {
  Call call;
  if (!currentDevice()) {
    return cuda::InvalidContext;
  }
  *stream = call->makeStream(*currentDevice());
  return cuda::Success;
}

static cuda::Result streamDestroy(cuda::Stream stream) {
  Call call;
  if (!stream || !call->resolve(stream)) {
    return cuda::InvalidHandle;
  }
  call->handles.erase(stream);
  call->destroy(stream);
  return cuda::Success;
}

/// A host synchronisation while the stream is captured ends the capture.
static bool refuseInCapture(Machine &machine, Capture *capture,
                            const std::string &what) {
  if (capture) {
    capture->invalid = true;
    machine.report(FindingKind::Capture,
                   what + " while a stream is captured to a graph");
  }
  return capture != nullptr;
}

static cuda::Result waitForStream(cuda::Stream stream, Patience patience,
                                  const char *name) {
  Call call;
  stream = call->resolve(stream);
  if (!stream) {
    return cuda::InvalidHandle;
  }
  if (refuseInCapture(call.machine, stream->capture, name)) {
    return cuda::CaptureUnsupported;
  }
  cuda::ContextObject &device = *stream->device;
  auto done = [&] {
    return stream->queue.empty() || device.error != cuda::Success;
  };
  if (!call.wait(done, patience)) {
    return patience == Patience::Poll ? cuda::NotReady : cuda::LaunchFailed;
  }
  Machine::hostJoins(stream->clock);
  return device.error;
}

static cuda::Result streamSynchronize(cuda::Stream stream) {
  return waitForStream(stream, Patience::Block, "cuStreamSynchronize");
}

static cuda::Result streamQuery(cuda::Stream stream) {
  return waitForStream(stream, Patience::Poll, "cuStreamQuery");
}

static cuda::Result eventCreate(cuda::Event *event, unsigned) {
  Call call;
  if (!currentDevice()) {
    return cuda::InvalidContext;
  }
  *event = new cuda::EventObject{currentDevice(), nullptr};
  call->handles.insert(*event);
  return cuda::Success;
}

static bool isLive(Call &call, cuda::Event event) {
  if (event && call->isLive(event)) {
    return true;
  }
  call->report(FindingKind::Handle, "an event that does not exist (any more)");
  return false;
}

static cuda::Result eventDestroy(cuda::Event event) {
  Call call;
  if (!isLive(call, event)) {
    return cuda::InvalidHandle;
  }
  call->handles.erase(event);
  delete event;
  return cuda::Success;
}

static cuda::Result eventRecord(cuda::Event event, cuda::Stream stream) {
  Call call;
  stream = call->resolve(stream);
  if (!stream || !isLive(call, event) || event->device != stream->device) {
    return cuda::InvalidHandle;
  }
  event->latest = std::make_shared<Record>();
  event->latest->capture = stream->capture;
  call->submit(stream, std::make_unique<RecordItem>(event->latest));
  return cuda::Success;
}

static cuda::Result streamWaitEvent(cuda::Stream stream, cuda::Event event,
                                    unsigned) {
  Call call;
  stream = call->resolve(stream);
  if (!stream || !isLive(call, event)) {
    return cuda::InvalidHandle;
  }
  // An event that was never recorded is waited for by nobody.
  if (!event->latest) {
    return cuda::Success;
  }
  Capture *capture = event->latest->capture;
  if (stream->capture && stream->capture != capture) {
    stream->capture->invalid = true;
    call->report(
        FindingKind::Capture,
        "a captured stream waits for an event from outside the capture");
    return cuda::CaptureInvalidated;
  }
  if (capture && !stream->capture) {
    stream->capture = capture;
  }
  call->submit(stream, std::make_unique<WaitItem>(event->latest));
  return cuda::Success;
}

static cuda::Result waitForEvent(cuda::Event event, Patience patience,
                                 const char *name) {
  Call call;
  if (!isLive(call, event)) {
    return cuda::InvalidHandle;
  }
  std::shared_ptr<Record> record = event->latest;
  if (!record) {
    return cuda::Success;
  }
  if (refuseInCapture(call.machine, record->capture, name)) {
    return cuda::CapturedEvent;
  }
  cuda::ContextObject &device = *event->device;
  auto done = [&] { return record->done || device.error != cuda::Success; };
  if (!call.wait(done, patience)) {
    return patience == Patience::Poll ? cuda::NotReady : cuda::LaunchFailed;
  }
  Machine::hostJoins(record->clock);
  return device.error;
}

static cuda::Result eventQuery(cuda::Event event) {
  return waitForEvent(event, Patience::Poll, "cuEventQuery");
}

static cuda::Result eventSynchronize(cuda::Event event) {
  return waitForEvent(event, Patience::Block, "cuEventSynchronize");
}

void setStreamCalls(cuda::Driver &driver) {
  driver.streamCreate = streamCreate;
  driver.streamDestroy = streamDestroy;
  driver.streamSynchronize = streamSynchronize;
  driver.streamQuery = streamQuery;
  driver.streamWaitEvent = streamWaitEvent;
  driver.eventCreate = eventCreate;
  driver.eventDestroy = eventDestroy;
  driver.eventRecord = eventRecord;
  driver.eventQuery = eventQuery;
  driver.eventSynchronize = eventSynchronize;
}

} // namespace moert::emulator
