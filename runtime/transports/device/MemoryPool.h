// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MemoryPool.h - Memory that is ordered by streams ---------*- C++ -*-===//
//
// What compiled code allocates and frees while it is queued. A block that is
// given back goes to the list of its stream and size, and whoever takes it next
// is queued on the same stream behind all that still uses it. So nobody waits,
// and a program that has run once finds every block that it needs.
//
//===----------------------------------------------------------------------===//

#ifndef MOERT_TRANSPORTS_DEVICE_MEMORYPOOL_H
#define MOERT_TRANSPORTS_DEVICE_MEMORYPOOL_H

#include "transports/nccl/DeviceRank.h"

#include <map>
#include <set>
#include <vector>

namespace moert {

class MemoryPool {
public:
  explicit MemoryPool(const DeviceRank &device) : device(device) {}
  MemoryPool(const MemoryPool &) = delete;

  /// A block of at least `bytes` bytes that was given back on this stream; 0
  /// if there is none.
  cuda::Pointer reuse(int64_t bytes, cuda::Stream stream);
  /// A new block, of the driver's.
  cuda::Result allocate(int64_t bytes, cuda::Pointer &pointer);
  /// Takes a block back, with the bytes that it was asked for.
  void giveBack(cuda::Pointer pointer, int64_t bytes, cuda::Stream stream);
  /// A graph that is being captured holds the block: it stays in the pool.
  void keepForGraph(cuda::Pointer pointer) { inGraphs.insert(pointer); }
  /// Frees what was given back on this stream, on which nothing is queued.
  void release(cuda::Stream stream);
  /// Frees all blocks, given back or not, before the pool goes.
  void releaseAll();

private:
  /// Real devices round up, so that few sizes serve exchanges of any number of
  /// rows; emulated ones do not, since they check accesses against them.
  size_t blockBytes(int64_t bytes) const;

  const DeviceRank &device;
  std::map<cuda::Stream, std::map<size_t, std::vector<cuda::Pointer>>> idle;
  std::set<cuda::Pointer> blocks;
  std::set<cuda::Pointer> inGraphs;
};

} // namespace moert

#endif // MOERT_TRANSPORTS_DEVICE_MEMORYPOOL_H
