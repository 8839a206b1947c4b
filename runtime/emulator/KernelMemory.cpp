// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- KernelMemory.cpp ---------------------------------------------------===//

#include "emulator/KernelMemory.h"

#include <algorithm>
#include <iterator>

namespace moert::emulator {

/// How far behind its begin an address is taken for one of shared memory.
static constexpr uint64_t sharedWindow = uint64_t(1) << 24;

KernelMemory::KernelMemory(Machine &machine, cuda::StreamObject &stream,
                           const Launch &launch)
    : machine(machine), stream(stream), launch(launch),
      threadsPerBlock(launch.grid.threads[0] * launch.grid.threads[1] *
                      launch.grid.threads[2]),
      number(machine.nextLaunch()) {}

//===----------------------------------------------------------------------===//
// Finding bytes
//===----------------------------------------------------------------------===//

Place KernelMemory::locate(const Instruction &instruction, uint64_t address,
                           size_t bytes, size_t alignment) {
  Place place;
  if (address - sharedBase < sharedWindow) {
    place = locateShared(instruction, address - sharedBase, bytes);
  } else {
    place = locateGlobal(instruction, address, bytes);
  }
  if (address % alignment != 0) {
    hasFailed = true;
    report(FindingKind::Misaligned, instruction.thread, instruction.site,
           std::string(instruction.verb) + " " + std::to_string(bytes) +
               " bytes at an address that is no multiple of " +
               std::to_string(alignment));
  }
  return place;
}

Place KernelMemory::locateShared(const Instruction &instruction,
                                 uint64_t offset, size_t bytes) {
  Block &block = *instruction.thread.block;
  if (offset > block.sharedBytes || bytes > block.sharedBytes - offset) {
    hasFailed = true;
    report(FindingKind::OutOfBounds, instruction.thread, instruction.site,
           std::string(instruction.verb) + " bytes " + std::to_string(offset) +
               " to " + std::to_string(offset + bytes) +
               " of its block's shared memory of " +
               std::to_string(block.sharedBytes));
    return {};
  }
  return {reinterpret_cast<char *>(block.shared.data()) + offset,
          block.sharedShadow.get(), size_t(offset)};
}

Allocation *KernelMemory::enter(uint64_t address, uint32_t site) {
  Allocation *allocation = stream.device->memory.find(address);
  if (allocation && allocation->data) {
    recent[site % recent.size()] = {allocation->base, allocation->bytes,
                                    allocation};
    if (touched.emplace(allocation->base, allocation).second) {
      allocation->shadow.enter(number);
    }
  }
  return allocation;
}

Place KernelMemory::locateGlobal(const Instruction &instruction,
                                 uint64_t address, size_t bytes) {
  const Recent &last = recent[instruction.site % recent.size()];
  // One comparison for both ends: what lies before the base is far beyond.
  uint64_t offset = address - last.base;
  if (offset < last.bytes && bytes <= last.bytes - offset) {
    return {last.allocation->data.get() + offset, &last.allocation->shadow,
            size_t(offset)};
  }
  // Addresses are integers to the device.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  auto *local = reinterpret_cast<char *>(uintptr_t(address));
  if (instruction.thread.fiber->owns(local)) {
    return {local, nullptr, 0};
  }
  enter(address, instruction.site);
  Machine::Located located = machine.locate(*stream.device, address, bytes);
  if (!located.error.empty()) {
    hasFailed = true;
    report(located.kind, instruction.thread, instruction.site,
           std::string(instruction.verb) + " " + located.error);
    return {};
  }
  return {located.allocation->data.get() + located.offset,
          &located.allocation->shadow, located.offset};
}

void *KernelMemory::nowhere(size_t bytes) {
  scratch.assign(bytes / sizeof(uint64_t) + 2, 0);
  // Vectors want an alignment of 16.
  return scratch.data() + (reinterpret_cast<uintptr_t>(scratch.data()) / 8) % 2;
}

//===----------------------------------------------------------------------===//
// Checking uses
//===----------------------------------------------------------------------===//

void KernelMemory::use(const Instruction &instruction, const Place &place,
                       size_t bytes, Use use) {
  if (!machine.options.checksKernels || !place.shadow) {
    return;
  }
  Conflict conflict = place.shadow->use(place.offset, bytes, use,
                                        instruction.thread, instruction.site);
  if (conflict.found) {
    reportConflict(instruction, place, bytes, conflict);
  }
  if (use == Use::Write) {
    place.shadow->setInitialized(place.offset, bytes);
  } else if (!place.shadow->isInitialized(place.offset, bytes)) {
    report(FindingKind::Uninitialized, instruction.thread, instruction.site,
           std::string(instruction.verb) + " " +
               nameOfBytes(instruction.thread, place, bytes) +
               ", some of which nothing was written to");
  }
}

void KernelMemory::beginCopy(const Instruction &instruction, const Place &place,
                             size_t bytes) {
  if (!machine.options.checksKernels || !place.shadow) {
    return;
  }
  Conflict conflict = place.shadow->beginCopy(
      place.offset, bytes, instruction.thread, instruction.site);
  if (conflict.found) {
    reportConflict(instruction, place, bytes, conflict);
  }
}

void KernelMemory::endCopy(const Place &place, size_t bytes,
                           const KernelThread &thread) {
  if (machine.options.checksKernels && place.shadow) {
    place.shadow->endCopy(place.offset, bytes, thread);
    place.shadow->setInitialized(place.offset, bytes);
  }
}

std::string KernelMemory::nameOfBytes(const KernelThread &thread,
                                      const Place &place, size_t bytes) const {
  std::string text = "bytes " + std::to_string(place.offset) + " to " +
                     std::to_string(place.offset + bytes) + " of ";
  if (place.shadow == thread.block->sharedShadow.get()) {
    return text + "its block's shared memory";
  }
  return text + "an allocation of " + std::to_string(place.shadow->size());
}

void KernelMemory::reportConflict(const Instruction &instruction,
                                  const Place &place, size_t bytes,
                                  const Conflict &conflict) {
  const Users &other = conflict.other;
  std::string text = std::string(instruction.verb) + " " +
                     nameOfBytes(instruction.thread, place, bytes);
  std::string user = describe(other.thread, other.site);
  text += other.async != 0
              ? " while a cp.async of " + user + " writes there"
              : ", and nothing orders it after the " +
                    std::string(conflict.otherWrote ? "write" : "read") +
                    " of " + user;
  report(FindingKind::Race, instruction.thread, instruction.site, text,
         other.site);
}

//===----------------------------------------------------------------------===//
// Findings
//===----------------------------------------------------------------------===//

std::string KernelMemory::describe(uint32_t threadNumber, uint32_t site) const {
  std::string place = launch.image->site(site);
  return "thread " + std::to_string(threadNumber % threadsPerBlock) +
         " of block " + std::to_string(threadNumber / threadsPerBlock) +
         (place.empty() ? "" : " at " + place);
}

void KernelMemory::report(FindingKind kind, const KernelThread &thread,
                          uint32_t site, const std::string &text,
                          uint32_t otherSite) {
  // A race is the same whichever of the two comes first.
  std::string places[] = {launch.image->site(site),
                          launch.image->site(otherSite)};
  std::sort(std::begin(places), std::end(places));
  std::string key = std::to_string(int(kind)) + " " + launch.kernel->name +
                    "\n" + places[0] + "\n" + places[1];
  if (machine.isNew(key)) {
    machine.report(kind, std::string("kernel ") + launch.kernel->name + " on " +
                             nameOf(stream) + ": " +
                             describe(thread.number, site) + " " + text);
  }
}

void KernelMemory::report(FindingKind kind, const std::string &text) {
  machine.report(kind, std::string("kernel ") + launch.kernel->name + " on " +
                           nameOf(stream) + ": " + text);
}

void KernelMemory::logAccesses(Allocation &allocation, AccessKind kind,
                               const Step &step) {
  for (const ShadowMemory::Range &range : allocation.shadow.touched(kind)) {
    Step other =
        allocation.log.add(range.begin, range.end, kind, step, stream.clock);
    if (!other.what) {
      continue;
    }
    Users user = allocation.shadow.lastUser(range.begin, kind);
    std::string key =
        *step.what + "\n" + *other.what + "\n" + launch.image->site(user.site);
    if (machine.isNew(key)) {
      report(FindingKind::Race,
             describe(user.thread, user.site) +
                 (kind == AccessKind::Read ? " reads" : " writes") +
                 " among bytes " + std::to_string(range.begin) + " to " +
                 std::to_string(range.end) + " of an allocation of " +
                 std::to_string(allocation.bytes) +
                 ", and nothing orders the launch after the " + *other.what);
    }
  }
}

void KernelMemory::logAccesses() {
  if (!machine.options.checksKernels) {
    return;
  }
  Step step = {stream.actor, stream.clock.of(stream.actor),
               std::make_shared<const std::string>(std::string("kernel ") +
                                                   launch.kernel->name +
                                                   " on " + nameOf(stream))};
  for (const auto &[base, allocation] : touched) {
    logAccesses(*allocation, AccessKind::Read, step);
    logAccesses(*allocation, AccessKind::Write, step);
  }
}

} // namespace moert::emulator
