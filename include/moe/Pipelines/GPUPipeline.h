// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a planned module to kernels and the program that launches them.

#ifndef MOE_PIPELINES_GPUPIPELINE_H
#define MOE_PIPELINES_GPUPIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::moe {

struct GPUPipelineOptions : PassPipelineOptions<GPUPipelineOptions> {
  Option<bool> overlap{
      *this, "overlap", llvm::cl::init(true),
      llvm::cl::desc("Split exchanges and work while rows travel")};
};

/// Planned → one `gpu.module @kernels`, the same for all chips, and the host's
/// program of launches, allocations and `comm` ops.
void buildGPUPipeline(OpPassManager &manager,
                      const GPUPipelineOptions &options);

/// The host's program of buildGPUPipeline → calls of the runtime; which kernels
/// it launches is in the module's `moe.kernels`, by number.
void addLaunchPasses(OpPassManager &manager);

void registerGPUPipeline();

} // namespace mlir::moe

#endif // MOE_PIPELINES_GPUPIPELINE_H
