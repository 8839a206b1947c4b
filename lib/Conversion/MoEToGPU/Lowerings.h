// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function an op, or a kind of ops: each puts a kernel and its launch in
// the place of an op on buffers, or reports why it cannot.

#ifndef MOE_LIB_CONVERSION_MOETOGPU_LOWERINGS_H
#define MOE_LIB_CONVERSION_MOETOGPU_LOWERINGS_H

#include "KernelLibrary.h"

#include "moe/Dialect/MoE/MoE.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::moe {

/// Threads of a block of all kernels but products.
inline constexpr int64_t blockThreads = 128;

/// Extent of a buffer of the host's program, an index.
Value hostExtent(OpBuilder &builder, Location loc, Value buffer, int64_t dim);

// LoopKernels.cpp: the loops of convert-moe-to-loops, shared out.
LogicalResult convertLoops(BufferFormOpInterface op, KernelLibrary &library);

// LayoutKernels.cpp
LogicalResult convertLayout(AssignSlotsOp op, KernelLibrary &library);
LogicalResult convertLayout(CountOffsetsOp op, KernelLibrary &library);
LogicalResult convertLayout(SlotPositionsOp op, KernelLibrary &library);

// CapacityKernels.cpp
LogicalResult convertCapacity(LimitCapacityOp op, KernelLibrary &library);
LogicalResult convertCapacity(CountChoicesOp op, KernelLibrary &library);

// MatmulKernels.cpp
LogicalResult convertMatmul(GroupedMatmulOp op, KernelLibrary &library);

// BoundKernels.cpp
LogicalResult convertBound(comm::CheckBoundOp op, KernelLibrary &library);

// PaddedExchange.cpp: where buffers have static bounds, equal parts take the
// place of ragged ones; elsewhere the op stays.
LogicalResult padExchange(comm::AllToAllVOp op, KernelLibrary &library);
LogicalResult padExchange(comm::StartOp op, KernelLibrary &library);

// ElementKernels.cpp
LogicalResult convertElements(linalg::LinalgOp op, KernelLibrary &library);
/// Stores that follow one another, into one buffer, as one kernel.
LogicalResult convertStores(ArrayRef<memref::StoreOp> stores,
                            KernelLibrary &library);

} // namespace mlir::moe

#endif // MOE_LIB_CONVERSION_MOETOGPU_LOWERINGS_H
