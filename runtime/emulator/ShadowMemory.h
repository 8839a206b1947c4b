// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- ShadowMemory.h - What has happened to each byte ----------*- C++ -*-===//
//
// For an allocation, or the shared memory of a block: which bytes were written
// at all, and which threads of the kernel that runs have touched them last.
//
// Bytes come in granules of 16. While all bytes of a granule have had the same
// accesses, as with vectors of 16 bytes, one cell stands for them; from the
// first that differs on each word of 4 bytes has its own, or each byte where an
// access is narrower, until one write covers all. So neighbours never race
// because they share a cell, and wide accesses cost little.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_EMULATOR_SHADOWMEMORY_H
#define MOERT_EMULATOR_SHADOWMEMORY_H

#include "emulator/AccessLog.h"

#include <array>
#include <cstdlib>
#include <deque>
#include <vector>

namespace moert::emulator {

struct KernelThread;

/// What a thread does with bytes.
enum class Use { Read, Write, Atomic };

/// Threads that have used a byte in the same way, none of which every later use
/// is ordered after.
struct Users {
  /// How far they are apart.
  enum Spread : uint32_t { None, One, Warp, Block, Grid };

  /// The last of them, by number within the launch; its step, and where.
  uint32_t thread;
  uint32_t time;
  uint32_t site;
  /// Where there are several of a warp or block: how often all of that had met
  /// in a barrier when the last of them came.
  uint32_t syncs : 26;
  uint32_t spread : 3;
  uint32_t atomic : 1;
  /// A cp.async of the thread, which is still under way.
  uint32_t async : 1;
};

/// Two uses of a byte, one of them a write, that nothing orders.
struct Conflict {
  bool found = false;
  /// What the earlier one was.
  Users other = {};
  bool otherWrote = false;
};

class ShadowMemory {
public:
  explicit ShadowMemory(size_t bytes);
  size_t size() const { return bytes; }

  //===--------------------------------------------------------------------===//
  // Which bytes were written
  //===--------------------------------------------------------------------===//

  bool isInitialized(size_t offset, size_t count) const;
  void setInitialized(size_t offset, size_t count, bool value = true);
  /// Bytes that are copied are what they were where they come from.
  void copyInitialized(size_t offset, const ShadowMemory &from,
                       size_t fromOffset, size_t count);

  //===--------------------------------------------------------------------===//
  // Who touched them
  //===--------------------------------------------------------------------===//

  /// Forgets the accesses of former launches (or blocks), each of which has
  /// another number, not 0.
  void enter(uint32_t launch);
  /// Notes a use of bytes and returns what it races with.
  Conflict use(size_t offset, size_t count, Use use, const KernelThread &thread,
               uint32_t site);
  /// Notes that a cp.async will write the bytes: whatever uses them before it
  /// is done races with it.
  Conflict beginCopy(size_t offset, size_t count, const KernelThread &thread,
                     uint32_t site);
  /// It is done, and the thread knows.
  void endCopy(size_t offset, size_t count, const KernelThread &thread);

  /// Bytes [begin, end) that the launch has read or written.
  struct Range {
    size_t begin;
    size_t end;
  };
  std::vector<Range> touched(AccessKind kind) const;
  /// Who used the byte last in that way, in this launch.
  Users lastUser(size_t offset, AccessKind kind) const;

private:
  struct Cell {
    Users readers;
    Users writers;
  };
  struct Granule {
    /// Of the launch whose accesses it holds; those of others are forgotten.
    uint32_t launch;
    /// By byte: whether the launch has read or written it.
    uint16_t read;
    uint16_t written;
    /// How many bytes have one of `cells`: 4 or 1; 0 where `cell` stands for
    /// all.
    uint32_t bytesPerCell;
    Cell *cells;
    Cell cell;
  };
  static constexpr size_t granuleBytes = 16;
  static constexpr uint16_t allBytes = 0xffff;
  static constexpr size_t wordBytes = 4;

  /// Cells of granules that have several; addresses stay.
  template <size_t Count> struct CellPool {
    std::deque<std::array<Cell, Count>> all;
    std::vector<Cell *> unused;

    Cell *take();
    void clear() {
      all.clear();
      unused.clear();
    }
  };

  Granule &granule(size_t index);
  /// Gives a granule cells such that none stands for bytes of the mask and
  /// others.
  void splitUp(Granule &granule, uint16_t mask);
  /// Makes one cell stand for all bytes.
  void joinUp(Granule &granule);
  /// Calls `update` for the cells of the bytes of `mask`; all become alike if
  /// `joins` and they are all.
  template <typename Update>
  void forCells(Granule &granule, uint16_t mask, bool joins,
                const Update &update);
  template <typename Body>
  static void forGranules(size_t offset, size_t bytes, const Body &body);

  static void check(const Users &users, const KernelThread &thread, bool wrote,
                    Conflict &conflict);
  static void join(Users &users, const KernelThread &thread, uint32_t site,
                   bool atomic);
  static void useCell(Cell &cell, Use use, const KernelThread &thread,
                      uint32_t site, Conflict &conflict);

  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };
  size_t bytes;
  /// A bit a byte.
  std::vector<uint16_t> initialized;
  /// Null until a kernel comes; all zero at first.
  std::unique_ptr<Granule[], Free> granules;
  CellPool<granuleBytes / wordBytes> cellsOfWords;
  CellPool<granuleBytes> cellsOfBytes;
  uint32_t launch = 0;
  /// Granules that this launch has touched lie in [low, high).
  size_t low = 0;
  size_t high = 0;
};

} // namespace moert::emulator

#endif // MOERT_EMULATOR_SHADOWMEMORY_H
