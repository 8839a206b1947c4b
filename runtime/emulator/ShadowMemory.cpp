// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ShadowMemory.cpp ---------------------------------------------------===//

#include "emulator/ShadowMemory.h"
#include "emulator/KernelThread.h"

#include <new>

namespace moert::emulator {

ShadowMemory::ShadowMemory(size_t bytes)
    : bytes(bytes), initialized((bytes + granuleBytes - 1) / granuleBytes) {}

/// Calls `body` with each granule of a range and the mask of its bytes.
template <typename Body>
void ShadowMemory::forGranules(size_t offset, size_t bytes, const Body &body) {
  size_t end = offset + bytes;
  while (offset < end) {
    size_t first = offset % granuleBytes;
    size_t count = std::min(end - offset, granuleBytes - first);
    body(offset / granuleBytes,
         uint16_t(((uint32_t(1) << count) - 1) << first));
    offset += count;
  }
}

//===----------------------------------------------------------------------===//
// Which bytes were written
//===----------------------------------------------------------------------===//

bool ShadowMemory::isInitialized(size_t offset, size_t count) const {
  bool all = true;
  forGranules(offset, count, [&](size_t index, uint16_t mask) {
    all &= (initialized[index] & mask) == mask;
  });
  return all;
}

void ShadowMemory::setInitialized(size_t offset, size_t count, bool value) {
  forGranules(offset, count, [&](size_t index, uint16_t mask) {
    initialized[index] = value ? initialized[index] | mask
                               : initialized[index] & uint16_t(~mask);
  });
}

void ShadowMemory::copyInitialized(size_t offset, const ShadowMemory &from,
                                   size_t fromOffset, size_t count) {
  if (from.isInitialized(fromOffset, count)) {
    setInitialized(offset, count);
    return;
  }
  // A range may be copied within one allocation: bits first, then their place.
  std::vector<bool> bits(count);
  for (size_t i = 0; i < count; ++i) {
    bits[i] = from.isInitialized(fromOffset + i, 1);
  }
  for (size_t begin = 0, end = 0; begin < count; begin = end) {
    while (end < count && bits[end] == bits[begin]) {
      ++end;
    }
    setInitialized(offset + begin, end - begin, bits[begin]);
  }
}

//===----------------------------------------------------------------------===//
// Who touched them
//===----------------------------------------------------------------------===//

void ShadowMemory::enter(uint32_t newLaunch) {
  if (newLaunch == launch) {
    return;
  }
  if (!granules) {
    void *zeros = std::calloc(initialized.size(), sizeof(Granule));
    if (!zeros) {
      throw std::bad_alloc();
    }
    granules.reset(static_cast<Granule *>(zeros));
  }
  launch = newLaunch;
  cellsOfWords.clear();
  cellsOfBytes.clear();
  low = initialized.size();
  high = 0;
}

ShadowMemory::Granule &ShadowMemory::granule(size_t index) {
  Granule &result = granules[index];
  if (result.launch != launch) {
    result = {};
    result.launch = launch;
    low = std::min(low, index);
    high = std::max(high, index + 1);
  }
  return result;
}

template <size_t Count>
ShadowMemory::Cell *ShadowMemory::CellPool<Count>::take() {
  if (unused.empty()) {
    all.emplace_back();
    return all.back().data();
  }
  Cell *cells = unused.back();
  unused.pop_back();
  return cells;
}

/// The first bytes of a granule's words.
static constexpr uint32_t firstOfWords = 0x1111;

/// Whether a mask is one of whole words.
static bool isOfWords(uint32_t mask) {
  return (mask & firstOfWords) * 0xf == mask;
}

void ShadowMemory::splitUp(Granule &granule, uint16_t mask) {
  if (granule.bytesPerCell == 1 ||
      (granule.bytesPerCell == wordBytes && isOfWords(mask))) {
    return;
  }
  if (granule.bytesPerCell != wordBytes) {
    granule.bytesPerCell = wordBytes;
    granule.cells = cellsOfWords.take();
    std::fill(granule.cells, granule.cells + granuleBytes / wordBytes,
              granule.cell);
  }
  if (!isOfWords(mask)) {
    Cell *words = granule.cells;
    granule.bytesPerCell = 1;
    granule.cells = cellsOfBytes.take();
    for (size_t byte = 0; byte < granuleBytes; ++byte) {
      granule.cells[byte] = words[byte / wordBytes];
    }
    cellsOfWords.unused.push_back(words);
  }
}

void ShadowMemory::joinUp(Granule &granule) {
  granule.cell = granule.cells[0];
  (granule.bytesPerCell == 1 ? cellsOfBytes.unused : cellsOfWords.unused)
      .push_back(granule.cells);
  granule.bytesPerCell = 0;
}

template <typename Update>
void ShadowMemory::forCells(Granule &granule, uint16_t mask, bool joins,
                            const Update &update) {
  if (mask == allBytes && granule.bytesPerCell == 0) {
    update(granule.cell);
    return;
  }
  splitUp(granule, mask);
  bool isOfBytes = granule.bytesPerCell == 1;
  uint32_t visited = isOfBytes ? mask : mask & firstOfWords;
  for (uint32_t rest = visited; rest != 0; rest &= rest - 1) {
    auto byte = size_t(__builtin_ctz(rest));
    update(granule.cells[isOfBytes ? byte : byte / wordBytes]);
  }
  if (joins && mask == allBytes) {
    joinUp(granule);
  }
}

/// Whether all of the users' accesses have happened before the thread's next.
static bool hasSeenAll(const Users &users, const KernelThread &thread) {
  const Block &block = *thread.block;
  uint32_t index = users.thread - block.first;
  bool sameBlock = index < block.threads.size();
  switch (users.spread) {
  case Users::None:
    return true;
  case Users::One:
    return users.async == 0 && hasSeen(thread, users.thread, users.time);
  case Users::Warp:
    return sameBlock && index / warpSize == thread.index / warpSize
               ? thread.warp->syncs > users.syncs
               : hasSeen(thread, users.thread, users.time);
  case Users::Block:
    return sameBlock && block.syncs > users.syncs;
  default:
    return false;
  }
}

void ShadowMemory::check(const Users &users, const KernelThread &thread,
                         bool wrote, Conflict &conflict) {
  if (!conflict.found && !hasSeenAll(users, thread)) {
    conflict = {true, users, wrote};
  }
}

void ShadowMemory::join(Users &users, const KernelThread &thread, uint32_t site,
                        bool atomic) {
  uint32_t spread = Users::One;
  if (!hasSeenAll(users, thread)) {
    uint32_t index = users.thread - thread.block->first;
    uint32_t apart = index >= thread.block->threads.size() ? Users::Grid
                     : index / warpSize != thread.index / warpSize
                         ? Users::Block
                         : Users::Warp;
    spread = std::max<uint32_t>(users.spread, apart);
  }
  users.thread = thread.number;
  users.time = thread.time;
  users.site = site;
  users.syncs =
      spread == Users::Warp ? thread.warp->syncs : thread.block->syncs;
  users.spread = spread;
  users.atomic = atomic ? 1 : 0;
  users.async = 0;
}

void ShadowMemory::useCell(Cell &cell, Use use, const KernelThread &thread,
                           uint32_t site, Conflict &conflict) {
  if (use == Use::Read) {
    if (cell.readers.spread == Users::One &&
        cell.readers.thread == thread.number &&
        cell.readers.time == thread.time) {
      return;
    }
    check(cell.writers, thread, true, conflict);
    join(cell.readers, thread, site, false);
    return;
  }
  bool bothAtomic = use == Use::Atomic && cell.writers.atomic != 0;
  if (!bothAtomic) {
    check(cell.writers, thread, true, conflict);
  }
  check(cell.readers, thread, false, conflict);
  if (use == Use::Atomic) {
    // Atomics do not order each other: the readers before one of them are not
    // before the next.
    if (!bothAtomic) {
      cell.writers = {};
    }
    join(cell.writers, thread, site, true);
    return;
  }
  cell = {};
  join(cell.writers, thread, site, false);
}

Conflict ShadowMemory::use(size_t offset, size_t count, Use use,
                           const KernelThread &thread, uint32_t site) {
  Conflict conflict;
  forGranules(offset, count, [&](size_t index, uint16_t mask) {
    Granule &touched = granule(index);
    (use == Use::Read ? touched.read : touched.written) |= mask;
    forCells(touched, mask, use == Use::Write,
             [&](Cell &cell) { useCell(cell, use, thread, site, conflict); });
  });
  return conflict;
}

Conflict ShadowMemory::beginCopy(size_t offset, size_t count,
                                 const KernelThread &thread, uint32_t site) {
  Conflict conflict;
  forGranules(offset, count, [&](size_t index, uint16_t mask) {
    Granule &touched = granule(index);
    touched.written |= mask;
    forCells(touched, mask, true, [&](Cell &cell) {
      useCell(cell, Use::Write, thread, site, conflict);
      cell.writers.async = 1;
    });
  });
  return conflict;
}

void ShadowMemory::endCopy(size_t offset, size_t count,
                           const KernelThread &thread) {
  forGranules(offset, count, [&](size_t index, uint16_t mask) {
    forCells(granule(index), mask, false, [&](Cell &cell) {
      if (cell.writers.async != 0 && cell.writers.thread == thread.number) {
        cell.writers.async = 0;
        cell.writers.time = thread.time;
      }
    });
  });
}

std::vector<ShadowMemory::Range> ShadowMemory::touched(AccessKind kind) const {
  std::vector<Range> ranges;
  for (size_t index = low; index < high; ++index) {
    const Granule &granule = granules[index];
    uint32_t mask = granule.launch != launch   ? 0
                    : kind == AccessKind::Read ? granule.read
                                               : granule.written;
    for (size_t bit = 0; bit < granuleBytes && mask >> bit != 0; ++bit) {
      size_t place = index * granuleBytes + bit;
      if ((mask >> bit & 1) == 0) {
        continue;
      }
      if (!ranges.empty() && ranges.back().end == place) {
        ++ranges.back().end;
      } else {
        ranges.push_back({place, place + 1});
      }
    }
  }
  return ranges;
}

Users ShadowMemory::lastUser(size_t offset, AccessKind kind) const {
  const Granule &granule = granules[offset / granuleBytes];
  const Cell &cell =
      granule.bytesPerCell == 0
          ? granule.cell
          : granule.cells[offset % granuleBytes / granule.bytesPerCell];
  return kind == AccessKind::Read ? cell.readers : cell.writers;
}

} // namespace moert::emulator
