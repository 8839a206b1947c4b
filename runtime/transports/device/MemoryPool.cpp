// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- MemoryPool.cpp -----------------------------------------------------===//

#include "transports/device/MemoryPool.h"

#include <algorithm>

namespace moert {

/// The next of 256, 320, 384, 448, 512, 640, …: a quarter too much at most.
static size_t sizeClass(size_t bytes) {
  size_t power = 256;
  while (power * 2 <= bytes) {
    power *= 2;
  }
  size_t step = power / 4;
  return std::max(power, (bytes + step - 1) / step * step);
}

size_t MemoryPool::blockBytes(int64_t bytes) const {
  // cuMemAlloc refuses 0 bytes.
  size_t least = size_t(std::max<int64_t>(bytes, 1));
  return device.libraries.isEmulated() ? least : sizeClass(least);
}

cuda::Pointer MemoryPool::reuse(int64_t bytes, cuda::Stream stream) {
  std::vector<cuda::Pointer> &given = idle[stream][blockBytes(bytes)];
  if (given.empty()) {
    return 0;
  }
  cuda::Pointer pointer = given.back();
  given.pop_back();
  return pointer;
}

cuda::Result MemoryPool::allocate(int64_t bytes, cuda::Pointer &pointer) {
  cuda::Result result =
      device.driver.memoryAllocate(&pointer, blockBytes(bytes));
  if (result == cuda::Success) {
    blocks.insert(pointer);
  }
  return result;
}

void MemoryPool::giveBack(cuda::Pointer pointer, int64_t bytes,
                          cuda::Stream stream) {
  idle[stream][blockBytes(bytes)].push_back(pointer);
}

void MemoryPool::release(cuda::Stream stream) {
  for (auto &[bytes, given] : idle[stream]) {
    auto freed =
        std::partition(given.begin(), given.end(), [&](cuda::Pointer block) {
          return inGraphs.count(block) != 0;
        });
    std::for_each(freed, given.end(), [&](cuda::Pointer block) {
      device.driver.memoryFree(block);
      blocks.erase(block);
    });
    given.erase(freed, given.end());
  }
}

void MemoryPool::releaseAll() {
  for (cuda::Pointer block : blocks) {
    device.driver.memoryFree(block);
  }
  blocks.clear();
  idle.clear();
}

} // namespace moert
