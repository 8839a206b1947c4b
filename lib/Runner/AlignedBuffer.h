// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_ALIGNEDBUFFER_H
#define MOE_LIB_RUNNER_ALIGNEDBUFFER_H

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace moe::runner {

/// Memory for kernels: aligned to a cache line, not initialised, never null.
class AlignedBuffer {
public:
  static constexpr size_t alignment = 64;

  explicit AlignedBuffer(int64_t bytes) : size(bytes) {
    size_t rounded = llvm::alignTo(std::max<int64_t>(bytes, 1), alignment);
    pointer.reset(static_cast<char *>(std::aligned_alloc(alignment, rounded)));
    if (!pointer) {
      llvm::report_bad_alloc_error("no memory for tokens");
    }
  }

  char *data() const { return pointer.get(); }
  int64_t bytes() const { return size; }

private:
  struct Release {
    void operator()(char *memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Release> pointer;
  int64_t size;
};

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_ALIGNEDBUFFER_H
