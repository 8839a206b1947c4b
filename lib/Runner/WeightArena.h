//===- WeightArena.h - Where packed weights lie -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One mapping for all parts of a load. Weights that memory can hold lie there,
// in huge pages where there are any. Others lie in a file without a name, whose
// pages the system writes out and reads back as the ranks get to them: a layer
// of DeepSeek-V3 (22 GiB) runs on a machine with less memory, only slower.
//
//===----------------------------------------------------------------------===//

#ifndef MOE_LIB_RUNNER_WEIGHTARENA_H
#define MOE_LIB_RUNNER_WEIGHTARENA_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <optional>

namespace moe::runner {

/// Bytes of memory that a program may take now without others being pushed out;
/// none where the system does not say.
std::optional<int64_t> availableMemory();

class WeightArena {
public:
  /// Room for `bytes`, at least 1: in memory up to `memoryLimit` bytes, else in
  /// a file under $TMPDIR or /var/tmp that vanishes with the arena. Fails, in
  /// one line with both sizes, where neither has the room.
  static llvm::Expected<std::unique_ptr<WeightArena>>
  create(int64_t bytes, int64_t memoryLimit);
  ~WeightArena();
  WeightArena(const WeightArena &) = delete;
  WeightArena &operator=(const WeightArena &) = delete;

  /// The next `bytes` of the room. What is taken is never given back alone.
  char *take(int64_t bytes);
  int64_t used() const { return taken; }
  bool isOnDisk() const { return onDisk; }

private:
  WeightArena(void *base, int64_t size, bool onDisk)
      : base(static_cast<char *>(base)), size(size), onDisk(onDisk) {}

  char *base;
  int64_t size;
  int64_t taken = 0;
  bool onDisk;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_WEIGHTARENA_H
