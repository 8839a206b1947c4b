// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Topologies from files of any format, as operations.

#ifndef MOE_ANALYSIS_LOADTOPOLOGY_H
#define MOE_ANALYSIS_LOADTOPOLOGY_H

#include "moe/Dialect/Comm/Comm.h"
#include "moe/TopologyFiles/TopologyFile.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::moe {

/// A module with exactly one `comm.topology`: that of a module, of which the
/// rest is there too, or one made from another format, told by content. Null,
/// with a diagnostic, when the file has none.
OwningOpRef<ModuleOp>
loadTopology(MLIRContext *context, StringRef path,
             const ::moe::topology::TopologyOptions &options);

/// A module of nothing but a `comm.topology` of this cluster.
OwningOpRef<ModuleOp> wrapTopology(MLIRContext *context, StringRef file,
                                   const ::moe::planning::Topology &topology);

} // namespace mlir::moe

#endif // MOE_ANALYSIS_LOADTOPOLOGY_H
