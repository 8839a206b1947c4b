// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Machine.cpp --------------------------------------------------------===//

#include "emulator/Machine.h"
#include "emulator/Communicators.h"
#include "emulator/CurrentDevice.h"

#include <atomic>

namespace moert::emulator {

/// A program that goes on after an error finds the same one again and again.
static constexpr size_t mostFindings = 100;

static std::atomic<Machine *> installed{nullptr};

/// What a host thread knows to have happened on one machine.
namespace {
struct HostKnowledge {
  const Machine *machine = nullptr;
  Clock clock;
};
} // namespace
static thread_local HostKnowledge host;

static Clock &hostClock() {
  if (host.machine != Machine::current()) {
    host = {Machine::current(), {}};
  }
  return host.clock;
}

void Machine::hostJoins(const Clock &clock) { hostClock().join(clock); }

Machine *Machine::current() { return installed.load(); }

Machine::Machine(const MachineOptions &options)
    : options(options), communicators(std::make_unique<Communicators>(*this)),
      hosts([this] { return step(); }, [this] { onStuck(); }),
      random(options.seed) {
  for (int ordinal = 0; ordinal < options.devices; ++ordinal) {
    devices.push_back(std::make_unique<cuda::ContextObject>(
        ordinal, options.memoryBytes, options.seed + uint64_t(ordinal) * 977));
    handles.insert(devices.back().get());
    makeStream(*devices.back());
  }
  installed.store(this);
}

Machine::~Machine() {
  installed.store(nullptr);
  host = {};
}

void Machine::expectHosts(int count) {
  HostThreads::Lock lock(mutex);
  hosts.expect(count);
}

std::vector<Finding> Machine::findings() {
  HostThreads::Lock lock(mutex);
  return found;
}

size_t Machine::liveBytes() {
  HostThreads::Lock lock(mutex);
  size_t bytes = 0;
  for (const std::unique_ptr<cuda::ContextObject> &device : devices) {
    bytes += device->memory.liveBytes();
  }
  return bytes;
}

void Machine::report(FindingKind kind, const std::string &text) {
  if (found.size() < mostFindings) {
    found.push_back({kind, text});
  }
}

std::string nameOf(const cuda::StreamObject &stream) {
  return "stream " + std::to_string(stream.index) + " of device " +
         std::to_string(stream.device->ordinal);
}

cuda::Stream Machine::resolve(cuda::Stream stream) {
  if (!stream) {
    cuda::ContextObject *device = currentDevice();
    return device ? device->streams.front().get() : nullptr;
  }
  if (!isLive(stream)) {
    report(FindingKind::Handle, "a stream that does not exist (any more)");
    return nullptr;
  }
  return stream;
}

cuda::Stream Machine::makeStream(cuda::ContextObject &device) {
  auto stream = std::make_unique<cuda::StreamObject>();
  stream->device = &device;
  stream->index = device.streamsMade++;
  // The same whatever the order in which ranks make theirs.
  stream->actor =
      stream->index * size_t(options.devices) + size_t(device.ordinal);
  device.streams.push_back(std::move(stream));
  handles.insert(device.streams.back().get());
  return device.streams.back().get();
}

void Machine::submit(cuda::Stream stream, std::unique_ptr<Item> item) {
  item->stream = stream;
  item->before = hostClock();
  if (stream->capture) {
    stream->capture->branch(stream).items.push_back(std::move(item));
    return;
  }
  item->queued(*this);
  stream->queue.push_back(std::move(item));
}

void Machine::destroy(cuda::Stream stream) {
  stream->destroyed = true;
  dropIfDrained(stream);
}

void Machine::retire(cuda::Stream stream) {
  stream->queue.pop_front();
  dropIfDrained(stream);
}

void Machine::dropIfDrained(cuda::Stream stream) {
  if (stream->destroyed && stream->queue.empty()) {
    stream->device->streams.remove_if(
        [&](const std::unique_ptr<cuda::StreamObject> &candidate) {
          return candidate.get() == stream;
        });
  }
}

bool Machine::step() {
  std::vector<cuda::Stream> ready;
  for (const std::unique_ptr<cuda::ContextObject> &device : devices) {
    for (const std::unique_ptr<cuda::StreamObject> &stream : device->streams) {
      if (!stream->queue.empty() && stream->queue.front()->ready()) {
        ready.push_back(stream.get());
      }
    }
  }
  std::vector<Transfer> transfers = communicators->transfers();
  size_t choices = ready.size() + transfers.size();
  if (choices == 0) {
    communicators->findCycles();
    return false;
  }
  size_t choice = random() % choices;
  if (choice >= ready.size()) {
    communicators->run(transfers[choice - ready.size()]);
    return true;
  }
  cuda::Stream stream = ready[choice];
  Item &item = *stream->queue.front();
  stream->clock.join(item.before);
  stream->clock.advance(stream->actor);
  if (item.run(*this)) {
    retire(stream);
  }
  return true;
}

void Machine::onStuck() {
  std::string text = "all host threads wait, and nothing can run:";
  for (const std::unique_ptr<cuda::ContextObject> &device : devices) {
    for (const std::unique_ptr<cuda::StreamObject> &stream : device->streams) {
      if (!stream->queue.empty()) {
        text += " " + nameOf(*stream) + " is at " +
                stream->queue.front()->name() + ";";
      }
    }
    device->error = cuda::LaunchFailed;
  }
  text.pop_back();
  report(FindingKind::Deadlock, text);
}

} // namespace moert::emulator
