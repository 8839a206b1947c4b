// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU that code is generated for. It decides vector width, instructions
// and therefore bits: results are bit-identical within one target only, so its
// name stands in the manifest of everything that was compiled for it.

#ifndef MOE_TARGET_CPU_CPUTARGET_H
#define MOE_TARGET_CPU_CPUTARGET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace mlir::moe {

struct CPUTarget {
  /// Raised with every change of the generated code that changes results.
  static constexpr int kernelSet = 1;

  /// LLVM's triple, CPU name and features ("+avx2,+fma,-avx512f…").
  std::string triple;
  std::string cpu;
  std::string features;

  /// f32 lanes of the widest vector that kernels use: 4, 8 or 16.
  int64_t vectorLanes = 4;
  /// Vector registers of that width.
  int64_t vectorRegisters = 16;
  /// Fused multiply-add; without it kernels multiply, then add.
  bool hasFMA = false;
  /// AVX-512 bf16 dot products (`vdpbf16ps`).
  bool hasBF16Dot = false;

  /// The machine that this process runs on.
  static CPUTarget host();

  /// `native`, or LLVM's name of a CPU (`x86-64`, `x86-64-v3`, `znver4` …),
  /// optionally followed by features: `x86-64-v4,+avx512bf16`. An unknown name
  /// or feature is an error that names it.
  static llvm::Expected<CPUTarget> parse(llvm::StringRef spec);

  /// The same, and an error where code for it cannot run in this process.
  static llvm::Expected<CPUTarget> parseToRunHere(llvm::StringRef spec);

  /// Fails, naming what this machine lacks, where code for the target cannot
  /// run in this process.
  llvm::Error checkRunsHere() const;

  /// Triple, CPU and what kernels make of it, for the manifest and for people:
  /// "x86_64-unknown-linux-gnu znver3 f32x8 fma, kernels 1".
  std::string name() const;

  /// A TargetMachine for position-independent code; an error where this LLVM
  /// was built without the target.
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
  createTargetMachine() const;
};

} // namespace mlir::moe

#endif // MOE_TARGET_CPU_CPUTARGET_H
