// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From an object of LLVM's to a shared object, in memory.

#ifndef MOE_LIB_TARGET_GPU_IMAGE_LINKIMAGE_H
#define MOE_LIB_TARGET_GPU_IMAGE_LINKIMAGE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

#include <string>

namespace mlir::moe {

/// Links `object`, of x86-64 ELF, into a shared object that exports `symbol`
/// and needs nothing. Only what an image consists of is known
/// (docs/Decisions/0013): code, constants, constants with addresses, references
/// between them. A symbol that the object does not define is an error that
/// names it.
llvm::Expected<std::string> linkImage(llvm::MemoryBufferRef object,
                                      llvm::StringRef symbol);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_IMAGE_LINKIMAGE_H
