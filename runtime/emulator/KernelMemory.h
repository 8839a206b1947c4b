// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelMemory.h - What a launch touches -------------------*- C++ -*-===//

#ifndef MOERT_EMULATOR_KERNELMEMORY_H
#define MOERT_EMULATOR_KERNELMEMORY_H

#include "emulator/KernelThread.h"
#include "emulator/LaunchItem.h"
#include "emulator/Machine.h"

namespace moert::emulator {

/// Bytes as one thread sees them.
struct Place {
  /// Null where there are none.
  char *data = nullptr;
  /// Of the allocation or of the block's shared memory; null for the thread's
  /// own stack.
  ShadowMemory *shadow = nullptr;
  size_t offset = 0;
};

/// An instruction of a thread that touches memory.
struct Instruction {
  const KernelThread &thread;
  uint32_t site;
  /// For example "reads".
  const char *verb;
};

/// Finds what lies behind the addresses of a launch, and what is wrong with its
/// accesses.
class KernelMemory {
public:
  /// Where each block's shared memory lies for its threads. No allocation is
  /// there: those lie where the host could have mapped memory of its own.
  static constexpr uint64_t sharedBase = 0xe0000000u;

  KernelMemory(Machine &machine, cuda::StreamObject &stream,
               const Launch &launch);

  /// Finds `bytes` bytes; says what is wrong where there are none, or where the
  /// address is no multiple of `alignment`.
  Place locate(const Instruction &instruction, uint64_t address, size_t bytes,
               size_t alignment);
  /// Notes a use of bytes, and says what is wrong with it: a race, or bytes
  /// that nothing was written to.
  void use(const Instruction &instruction, const Place &place, size_t bytes,
           Use use);
  /// The same of the bytes that a cp.async will write.
  void beginCopy(const Instruction &instruction, const Place &place,
                 size_t bytes);
  /// It has written them.
  void endCopy(const Place &place, size_t bytes, const KernelThread &thread);
  /// Memory without meaning, for an access that goes nowhere.
  void *nowhere(size_t bytes);
  /// Tells the allocations' logs what the launch has done, and finds races with
  /// other work.
  void logAccesses();

  /// One finding for each pair of places in the code, and not for each thread.
  void report(FindingKind kind, const KernelThread &thread, uint32_t site,
              const std::string &text,
              uint32_t otherSite = MOERT_KERNEL_NO_SITE);
  /// The same of the launch as a whole.
  void report(FindingKind kind, const std::string &text);
  /// For example "thread 3 of block 0 at moe.combine at m.mlir:5:3".
  std::string describe(uint32_t threadNumber, uint32_t site) const;

  /// Whether an access went where there is nothing.
  bool failed() const { return hasFailed; }

private:
  Place locateShared(const Instruction &instruction, uint64_t offset,
                     size_t bytes);
  Place locateGlobal(const Instruction &instruction, uint64_t address,
                     size_t bytes);
  Allocation *enter(uint64_t address, uint32_t site);
  void reportConflict(const Instruction &instruction, const Place &place,
                      size_t bytes, const Conflict &conflict);
  void logAccesses(Allocation &allocation, AccessKind kind, const Step &step);
  /// For example "bytes 4 to 8 of an allocation of 64".
  std::string nameOfBytes(const KernelThread &thread, const Place &place,
                          size_t bytes) const;

  Machine &machine;
  cuda::StreamObject &stream;
  const Launch &launch;
  const uint32_t threadsPerBlock;
  /// Among all launches and blocks of the machine.
  const uint32_t number;
  bool hasFailed = false;

  /// The allocations that instructions have touched last, by site.
  struct Recent {
    uint64_t base = 0;
    uint64_t bytes = 0;
    Allocation *allocation = nullptr;
  };
  std::array<Recent, 256> recent;
  /// All that the launch has touched.
  std::map<cuda::Pointer, Allocation *> touched;
  std::vector<uint64_t> scratch;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_KERNELMEMORY_H
