// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop that a kernel's tensor core instructions are in.

#ifndef MOE_TARGET_GPU_MAINLOOP_H
#define MOE_TARGET_GPU_MAINLOOP_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace mlir::moe {

struct MainLoop {
  /// Machine instructions from the loop's head to its branch back, all in all,
  /// and of those the products of matrices.
  int64_t instructions = 0;
  int64_t products = 0;
};

/// The innermost loop of `kernel` with the most products, in what `nvdisasm -c`
/// prints of a cubin; nothing for a kernel without such a loop.
std::optional<MainLoop> findMainLoop(llvm::StringRef disassembly,
                                     llvm::StringRef kernel);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_MAINLOOP_H
