// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an image exports.

#ifndef MOE_LIB_TARGET_GPU_IMAGE_IMAGEDATUM_H
#define MOE_LIB_TARGET_GPU_IMAGE_IMAGEDATUM_H

#include "KernelBody.h"

namespace mlir::moe {

/// Adds `moert_kernel_image` to `module`. `sourceHash` is in hexadecimal; in
/// the image's bytes it stands behind the mark that findSourceHash looks for.
void addImageDatum(llvm::Module &module, ArrayRef<KernelBody> kernels,
                   ArrayRef<std::string> sites, StringRef sourceHash);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_GPU_IMAGE_IMAGEDATUM_H
