// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels as PTX text.

#ifndef MOE_TARGET_GPU_PTX_H
#define MOE_TARGET_GPU_PTX_H

#include "moe/Target/GPU/GPUTarget.h"
#include "moe/Target/GPU/LoweredKernels.h"

namespace mlir::moe {

/// PTX of all kernels for `target`. The first line is a comment with the source
/// hash, which a global of the text holds too, so that cubins keep it. Equal
/// kernels give equal text.
FailureOr<std::string> emitPTX(const LoweredKernels &kernels,
                               const GPUTarget &target);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_PTX_H
