// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all targets have in common: from a planned module to the program of one
// rank, on buffers.

#ifndef MOE_PIPELINES_RANKPROGRAM_H
#define MOE_PIPELINES_RANKPROGRAM_H

#include "mlir/Pass/PassManager.h"

namespace mlir::moe {

/// Planned → partitioned: every value gets a sharding, every change of
/// sharding becomes an operation, and the program becomes that of one rank.
void addPartitionPasses(OpPassManager &manager);

/// Whether exchanges are split, so that work goes on while rows travel.
enum class Overlap { No, Yes };

/// Partitioned → communicating: rows travel by all-to-alls.
void addCommunicationPasses(OpPassManager &manager, Overlap overlap);

/// Communicating → buffers: products take their epilogues in, tensors become
/// buffers once.
void addBufferPasses(OpPassManager &manager);

} // namespace mlir::moe

#endif // MOE_PIPELINES_RANKPROGRAM_H
