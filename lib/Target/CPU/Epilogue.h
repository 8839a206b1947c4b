// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scalar block, applied to vectors.

#ifndef MOE_LIB_TARGET_CPU_EPILOGUE_H
#define MOE_LIB_TARGET_CPU_EPILOGUE_H

#include "moe/Target/CPU/GroupedMatmul.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::moe {

/// Whether `block` can be an epilogue for `spec`; says why not.
LogicalResult verifyEpilogue(Block &block, const GroupedMatmulSpec &spec);

/// Clones `block` onto vectors of f32 and returns what it yields. Without a
/// block there is one vector, which is rounded to `outputType` if need be.
Value applyEpilogue(ImplicitLocOpBuilder &builder, Block *block,
                    ArrayRef<Value> vectors, Type outputType);

} // namespace mlir::moe

#endif // MOE_LIB_TARGET_CPU_EPILOGUE_H
