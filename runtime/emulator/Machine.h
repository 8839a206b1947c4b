// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- Machine.h - N emulated devices in one process ------------*- C++ -*-===//
//
// Stand-ins for the entry points of the CUDA driver and of NCCL that the nccl
// transport calls. What they model, and what not, is in docs/Rationale/gpu.md.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_EMULATOR_MACHINE_H
#define MOERT_EMULATOR_MACHINE_H

#include "emulator/Fiber.h"
#include "emulator/HostThreads.h"
#include "emulator/Objects.h"
#include "transports/nccl/DeviceLibraries.h"

#include <random>
#include <set>

namespace moert::emulator {

class Communicators;

struct MachineOptions {
  int devices = 1;
  /// Of the order in which work runs that may run in any order, and of what
  /// fresh memory holds.
  uint64_t seed = 0;
  /// Of the devices' compute capability.
  int capabilityMajor = 9;
  int capabilityMinor = 0;
  /// Of each device; see Multiprocessor for what one holds.
  int multiprocessors = 4;
  /// Whether accesses of kernels are checked for races and for bytes that
  /// nothing was written to. Results are the same either way.
  bool checksKernels = true;
  size_t memoryBytes = size_t(1) << 30;
  /// What ncclGetVersion says; below 2.28 there is no ncclAlltoAll.
  int ncclVersion = 22809;
};

enum class FindingKind {
  /// Two accesses, one of them a write, that nothing orders.
  Race,
  UseAfterFree,
  OutOfBounds,
  /// A pointer of the host or of another device.
  WrongMemory,
  /// A kernel's access to an address that is no multiple of what it must be.
  Misaligned,
  /// A kernel reads bytes that nothing was written to.
  Uninitialized,
  /// Threads that must execute an instruction together do not.
  Divergence,
  /// A kernel gave up.
  Trap,
  /// Ranks' NCCL calls do not fit together.
  Mismatch,
  /// Ranks wait for each other in a circle.
  Cycle,
  /// All host threads wait, and nothing can run; or all threads of a kernel.
  Deadlock,
  /// A call that must not happen while a stream is captured.
  Capture,
  /// A handle that is none, or none any more.
  Handle,
  /// A module that is no image of kernels.
  Image,
  /// Something that the emulator does not model.
  NotModelled
};

/// An error of the program that runs on the machine.
struct Finding {
  FindingKind kind;
  /// One line that names the work, its stream and its device.
  std::string text;
};

/// The process's machine: there is one at a time, as there is one driver.
class Machine {
public:
  explicit Machine(const MachineOptions &options);
  ~Machine();
  Machine(const Machine &) = delete;

  /// The tables for the transport.
  static DeviceLibraries libraries();
  /// `count` more host threads (fewer if negative) take part: emulated work
  /// runs only while all of them wait.
  void expectHosts(int count);
  std::vector<Finding> findings();
  /// A module of a device from an image that is part of this process, as if it
  /// had been loaded. Null, with a finding, for what is none.
  cuda::Module addImage(int device, const moert_kernel_image &image);
  /// Of all devices: what is allocated now.
  size_t liveBytes();

  /// Null where no machine is set up.
  static Machine *current();

  //===--------------------------------------------------------------------===//
  // For the stand-ins, under the lock
  //===--------------------------------------------------------------------===//

  void report(FindingKind kind, const std::string &text);
  /// The null stream is the current device's first. Null, with a finding, for
  /// a handle that is none.
  cuda::Stream resolve(cuda::Stream stream);
  bool isLive(const void *handle) const { return handles.count(handle) != 0; }
  cuda::Stream makeStream(cuda::ContextObject &device);
  /// The stream goes once its queue is empty.
  void destroy(cuda::Stream stream);
  /// Puts an item on a stream, or into the graph that the stream is captured
  /// to.
  void submit(cuda::Stream stream, std::unique_ptr<Item> item);
  /// Removes the first item, which is done.
  void retire(cuda::Stream stream);
  /// The bytes behind an address of the stream's device that its current item
  /// touches; null, with a finding, if it must not. Never null for 0 bytes.
  char *access(cuda::Stream stream, cuda::Pointer pointer, size_t bytes,
               AccessKind kind, const std::string &name);
  /// What lies behind an address of a device, and what is wrong with it.
  struct Located {
    Allocation *allocation = nullptr;
    size_t offset = 0;
    /// For example "memory that was freed"; empty if all is well.
    std::string error;
    FindingKind kind = FindingKind::WrongMemory;
  };
  Located locate(const cuda::ContextObject &device, cuda::Pointer pointer,
                 size_t bytes);
  /// Bytes that were copied between addresses that access() has allowed are as
  /// initialized as those they were copied from.
  void copyInitialized(cuda::Pointer to, cuda::Pointer from, size_t bytes);
  /// The same of an address of the host.
  char *accessHost(cuda::Stream stream, cuda::Pointer pointer,
                   const std::string &name);
  /// The device that an address belongs to; null for the host's.
  cuda::ContextObject *ownerOf(cuda::Pointer pointer);
  /// A number for each launch of a kernel and each block, from 1.
  uint32_t nextLaunch() { return ++launches; }
  /// Random, from the seed.
  uint64_t draw() { return random(); }
  /// Whether it is the first time that what a kernel does wrong, by this key,
  /// is found.
  bool isNew(const std::string &key) { return known.insert(key).second; }
  /// The calling thread learns that all this has happened.
  static void hostJoins(const Clock &clock);

  const MachineOptions options;
  std::mutex mutex;
  std::vector<std::unique_ptr<cuda::ContextObject>> devices;
  std::unique_ptr<Communicators> communicators;
  /// Streams, events, graphs, modules, functions and communicators that were
  /// made and not destroyed.
  std::set<const void *> handles;
  std::vector<std::shared_ptr<Capture>> captures;
  HostThreads hosts;
  /// For the threads of the kernel that runs: there is one at a time.
  std::vector<std::unique_ptr<Fiber>> fibers;

private:
  bool step();
  void onStuck();
  void dropIfDrained(cuda::Stream stream);

  std::mt19937_64 random;
  std::vector<Finding> found;
  std::set<std::string> known;
  uint32_t launches = 0;
};

/// One call of a stand-in: holds the machine's lock.
class Call {
public:
  Call() : machine(*Machine::current()), lock(machine.mutex) {}
  Machine *operator->() const { return &machine; }
  /// Waits for emulated work; see HostThreads.
  bool wait(const std::function<bool()> &done, Patience patience) {
    return machine.hosts.wait(lock, done, patience);
  }

  Machine &machine;
  HostThreads::Lock lock;
};

/// For example "stream 1 of device 0".
std::string nameOf(const cuda::StreamObject &stream);

} // namespace moert::emulator

#endif // MOERT_EMULATOR_MACHINE_H
