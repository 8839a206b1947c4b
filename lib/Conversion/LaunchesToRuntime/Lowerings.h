// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each operation is as a call of the runtime. A lowering puts the call
// where the builder stands and replaces the operation's results; the caller
// erases it.

#ifndef MOE_LIB_CONVERSION_LAUNCHESTORUNTIME_LOWERINGS_H
#define MOE_LIB_CONVERSION_LAUNCHESTORUNTIME_LOWERINGS_H

#include "moe/Conversion/CommToRuntime/RuntimeCalls.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::moe {

/// The kernels of a program by name, in the order of their first launch.
using KernelIndices = llvm::MapVector<StringAttr, int64_t>;

// Launches.cpp
LogicalResult lowerLaunch(gpu::LaunchFuncOp op, ImplicitLocOpBuilder &b,
                          RuntimeCalls &calls, KernelIndices &kernels);

// Memory.cpp. They fail on buffers whose elements do not follow one another.
LogicalResult lowerMemory(memref::AllocOp op, ImplicitLocOpBuilder &b,
                          RuntimeCalls &calls);
LogicalResult lowerMemory(memref::DeallocOp op, ImplicitLocOpBuilder &b,
                          RuntimeCalls &calls);
LogicalResult lowerMemory(memref::CopyOp op, ImplicitLocOpBuilder &b,
                          RuntimeCalls &calls);

} // namespace mlir::moe

#endif // MOE_LIB_CONVERSION_LAUNCHESTORUNTIME_LOWERINGS_H
