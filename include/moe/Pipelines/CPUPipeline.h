// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a planned module to LLVM for one CPU target.

#ifndef MOE_PIPELINES_CPUPIPELINE_H
#define MOE_PIPELINES_CPUPIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace mlir::moe {

struct CPUPipelineOptions : PassPipelineOptions<CPUPipelineOptions> {
  Option<std::string> cpu{
      *this, "cpu", llvm::cl::init("native"),
      llvm::cl::desc("CPU to compile for: native, or LLVM's name and features "
                     "(x86-64, x86-64-v3, x86-64-v4,+avx512bf16)")};
  Option<bool> overlap{
      *this, "overlap", llvm::cl::init(true),
      llvm::cl::desc("Split exchanges and work while rows travel")};
};

/// Planned → LLVM: rows travel by all-to-alls, products become kernels,
/// tensors become buffers once, and everything is lowered.
void buildCPUPipeline(OpPassManager &manager,
                      const CPUPipelineOptions &options);

/// The same model on one device by another road: experts as loops, without
/// dispatch. The oracle of `--check`. Plans are ignored.
void buildCPUReferencePipeline(OpPassManager &manager,
                               const CPUPipelineOptions &options);

void registerCPUPipelines();

} // namespace mlir::moe

#endif // MOE_PIPELINES_CPUPIPELINE_H
