// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What NVIDIA's assembler says of the kernels that it compiled.

#ifndef MOE_TARGET_GPU_ASSEMBLERLOG_H
#define MOE_TARGET_GPU_ASSEMBLERLOG_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mlir::moe {

/// What one thread, or block, of a kernel takes.
struct KernelResources {
  std::string kernel;
  /// 32-bit registers a thread.
  int64_t registers = 0;
  /// Named barriers a block.
  int64_t barriers = 0;
  /// Bytes a thread: the stack frame, and what was written to and read from it
  /// because registers ran out.
  int64_t stackBytes = 0;
  int64_t spillStoreBytes = 0;
  int64_t spillLoadBytes = 0;
  /// Bytes a block; what a launch asks for comes on top.
  int64_t staticSharedBytes = 0;
};

struct AssemblerLog {
  /// In the order in which the assembler compiled them.
  std::vector<KernelResources> kernels;
  /// Without the assembler's own name in front.
  std::vector<std::string> warnings;
};

/// Reads what ptxas, or nvJitLink, prints with -verbose. Lines that say nothing
/// of the above are passed over.
AssemblerLog parseAssemblerLog(llvm::StringRef text);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_ASSEMBLERLOG_H
