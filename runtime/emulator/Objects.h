// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Objects.h - What the driver's handles point to -----------*- C++ -*-===//

#ifndef MOERT_EMULATOR_OBJECTS_H
#define MOERT_EMULATOR_OBJECTS_H

#include "emulator/DeviceMemory.h"
#include "emulator/Item.h"
#include "emulator/LoadedImage.h"
#include "emulator/Multiprocessor.h"

#include <deque>
#include <list>

namespace moert::emulator {

/// What cuStreamBeginCapture began: of each stream in it, its items.
struct Capture {
  struct Branch {
    cuda::Stream stream;
    std::vector<std::unique_ptr<Item>> items;
  };
  /// Of the stream that began it; the first of the branches.
  cuda::Stream origin = nullptr;
  std::vector<Branch> branches;
  /// A call that a graph cannot hold was made.
  bool invalid = false;

  Branch &branch(cuda::Stream stream);
};

} // namespace moert::emulator

namespace moert::cuda {

/// A queue of work. Owned by its device.
struct StreamObject {
  ContextObject *device = nullptr;
  /// Within the device, in order of creation.
  size_t index = 0;
  /// In clocks.
  size_t actor = 0;
  emulator::Clock clock;
  std::deque<std::unique_ptr<emulator::Item>> queue;
  /// Goes away once its queue is empty.
  bool destroyed = false;
  /// The capture that it is in.
  emulator::Capture *capture = nullptr;
};

/// A kernel of a module, which owns it.
struct FunctionObject {
  ModuleObject *module = nullptr;
  /// Keeps the entry while launches of it are queued.
  std::shared_ptr<const emulator::LoadedImage> image;
  const moert_kernel_entry *entry = nullptr;
  size_t maxDynamicSharedBytes = emulator::sharedBytesWithoutLeave;
};

/// An image of kernels on one device. Owned by its device.
struct ModuleObject {
  ContextObject *device = nullptr;
  std::shared_ptr<const emulator::LoadedImage> image;
  /// Those that were asked for.
  std::list<std::unique_ptr<FunctionObject>> functions;
};

/// A device and its primary context, the only one that it has.
struct ContextObject {
  ContextObject(int ordinal, size_t memoryBytes, uint64_t seed)
      : ordinal(ordinal), memory(memoryBytes, seed) {}

  const int ordinal;
  emulator::DeviceMemory memory;
  /// The first is the default stream. It is not the driver's legacy stream:
  /// other streams do not wait for it.
  std::list<std::unique_ptr<StreamObject>> streams;
  size_t streamsMade = 0;
  std::list<std::unique_ptr<ModuleObject>> modules;
  int retained = 0;
  /// What every call returns once the device has failed.
  Result error = Success;
};

struct EventObject {
  ContextObject *device = nullptr;
  /// Null until it is recorded.
  std::shared_ptr<emulator::Record> latest;
};

/// A graph, and what it was instantiated to: both hold the captured work.
struct GraphObject {
  std::shared_ptr<emulator::Capture> work;
};
struct GraphExecObject {
  std::shared_ptr<emulator::Capture> work;
};

} // namespace moert::cuda

#endif // MOERT_EMULATOR_OBJECTS_H
