// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef MOE_LIB_RUNNER_LOWERFORDEVICES_H
#define MOE_LIB_RUNNER_LOWERFORDEVICES_H

#include "CompileProgram.h"

namespace moe::runner {

/// Lowers a planned module in place to the host's program in the LLVM dialect,
/// and returns the kernels that it launches: PTX for real devices, the image of
/// emulated ones.
llvm::Expected<DeviceCode> lowerForDevices(mlir::ModuleOp module,
                                           const CompileOptions &compile);

} // namespace moe::runner

#endif // MOE_LIB_RUNNER_LOWERFORDEVICES_H
