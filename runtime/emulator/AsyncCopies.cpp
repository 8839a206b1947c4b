// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===- AsyncCopies.cpp ----------------------------------------------------===//

#include "emulator/AsyncCopies.h"
#include "emulator/KernelRun.h"

#include <algorithm>
#include <cstring>

namespace moert::emulator {

void beginCopy(KernelThread &thread, const AsyncCopy &copy) {
  KernelMemory &memory = thread.run->memory;
  Instruction writes = {thread, copy.site, "copies to"};
  Place to = memory.locate(writes, copy.shared, copy.bytes, copy.bytes);
  Place from = to;
  if (copy.sourceBytes > 0) {
    Instruction reads = {thread, copy.site, "copies from"};
    from = memory.locate(reads, copy.global, copy.sourceBytes, copy.bytes);
  }
  if (!to.data || !from.data) {
    return;
  }
  memory.beginCopy(writes, to, copy.bytes);
  thread.copies.push_back(copy);
  thread.copies.back().group = thread.groups;
}

static void make(KernelThread &thread, const AsyncCopy &copy) {
  KernelMemory &memory = thread.run->memory;
  Instruction reads = {thread, copy.site, "copies from"};
  Place to = memory.locate(reads, copy.shared, copy.bytes, 1);
  std::memset(to.data, 0, copy.bytes);
  if (copy.sourceBytes > 0) {
    Place from = memory.locate(reads, copy.global, copy.sourceBytes, 1);
    memory.use(reads, from, copy.sourceBytes, Use::Read);
    std::memcpy(to.data, from.data, copy.sourceBytes);
  }
  memory.endCopy(to, copy.bytes, thread);
}

void waitForCopies(KernelThread &thread, uint32_t pendingGroups) {
  std::vector<AsyncCopy> &copies = thread.copies;
  auto rest =
      std::find_if(copies.begin(), copies.end(), [&](const AsyncCopy &copy) {
        return copy.group + pendingGroups >= thread.groups;
      });
  std::for_each(copies.begin(), rest,
                [&](const AsyncCopy &copy) { make(thread, copy); });
  copies.erase(copies.begin(), rest);
}

} // namespace moert::emulator
