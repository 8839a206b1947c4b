// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What there is to say of kernels on a chip before they run on one.

#ifndef MOE_TARGET_GPU_KERNELREPORT_H
#define MOE_TARGET_GPU_KERNELREPORT_H

#include "moe/Target/GPU/CubinAssembler.h"
#include "moe/Target/GPU/LoweredKernels.h"
#include "moe/Target/GPU/MainLoop.h"
#include "moe/Target/GPU/Occupancy.h"

#include "llvm/Support/JSON.h"

namespace mlir::moe {

/// How far a kernel has come on the way to a device.
enum class KernelProof {
  AssembledOnly,
  ExecutedOnEmulatedDevice,
  RunOnHardware
};

struct KernelFigures {
  KernelResources resources;
  /// Of a block; 0 where the kernel does not know.
  int64_t threads = 0;
  /// The most that a launch of the module asks for, in bytes.
  int64_t dynamicSharedBytes = 0;
  /// Where the number of threads is known.
  std::optional<Occupancy> occupancy;
  /// Of a kernel with products of matrices, where a disassembler was found.
  std::optional<MainLoop> mainLoop;
};

struct KernelReport {
  const GPUTarget *target;
  /// "nvJitLink 13.0".
  std::string assembler;
  /// The disassembler's path; empty without one.
  std::string disassembler;
  KernelProof proof = KernelProof::AssembledOnly;
  std::string sourceHash;
  std::vector<KernelFigures> kernels;
  std::vector<std::string> warnings;
};

/// Assembles the kernels of `module`, which has one gpu.module and perhaps its
/// launches, for `target`. Without nvJitLink it is an error that says where it
/// was looked for.
FailureOr<KernelReport> reportKernels(ModuleOp module, const GPUTarget &target,
                                      KernelProof proof);

/// An aligned table for people.
void printKernelReport(const KernelReport &report, llvm::raw_ostream &stream);

/// The same for programs; keys end in their unit.
llvm::json::Value toJson(const KernelReport &report);

} // namespace mlir::moe

#endif // MOE_TARGET_GPU_KERNELREPORT_H
