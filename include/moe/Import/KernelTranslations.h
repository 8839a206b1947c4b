// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module's kernels in the forms that devices take.

#ifndef MOE_IMPORT_KERNELTRANSLATIONS_H
#define MOE_IMPORT_KERNELTRANSLATIONS_H

namespace mlir::moe {

/// Registers `--export-ptx` and `--export-kernel-report` with `--chip`, and
/// `--export-kernel-image`, for mlirTranslateMain.
void registerKernelTranslations();

} // namespace mlir::moe

#endif // MOE_IMPORT_KERNELTRANSLATIONS_H
